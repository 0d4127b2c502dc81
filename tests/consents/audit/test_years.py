"""Audits over the logs of two years: consents, batches and promises that cross the turn.

The operator holds both years' keys. What it does wrong at the turn stands beside its honest
control, like every other attack.
"""

import json
from datetime import timedelta

import pytest

from consents.records.receipt import read_event
from consents.tlog.checkpoint import NoteKey
from consents.tlog.shards import closing_digest, opening_digest

EVERY_AUDIT = (
    "coverage",
    "after-withdrawal",
    "purposes",
    "budget",
    "late",
    "promises",
    "release",
    "monitor",
)


@pytest.fixture
def turned(city, honest, auditor):
    """The honest week in one year's log, and the next year's log just opened."""
    city.turn()
    auditor.trust_every_log()
    return honest


def january(city, people, *, week="2027-W01"):
    task = city.ask(week=week)
    return task, [person.report(task) for person in people]


@pytest.mark.parametrize("subject", EVERY_AUDIT)
@pytest.mark.usefixtures("turned")
def test_control_a_week_of_january_on_consents_of_november_raises_no_alarm(
    city, crowd, auditor, subject
):
    task, reports = january(city, crowd[2:])
    batch = city.commit(task, reports)
    city.later()
    city.release(task, batch)
    crowd[2].say("consent.withdrawn")
    crowd[2].say("consent.given")
    city.later()
    assert auditor.audit(subject) == (0, [])


@pytest.mark.usefixtures("turned")
def test_a_withdrawal_of_the_year_before_still_counts(city, crowd, auditor):
    task, reports = january(city, [crowd[0], *crowd[2:]])
    city.commit(task, reports)
    assert auditor.audit("coverage") == (2, ["withdrawn"])


@pytest.mark.usefixtures("turned")
def test_a_withdrawal_in_the_new_log_ends_a_consent_of_the_old_one(city, crowd, auditor):
    task, reports = january(city, crowd[2:])
    crowd[2].say("consent.withdrawn")
    city.later()
    city.commit(task, reports)
    assert auditor.audit("after-withdrawal") == (2, ["withdrawn"])


@pytest.mark.usefixtures("turned")
def test_an_expiry_in_the_new_log_ends_a_consent_of_the_old_one(city, crowd, auditor):
    task, reports = january(city, crowd[2:])
    crowd[2].say("consent.expired", key=city.key)
    city.commit(task, reports)
    assert auditor.audit("coverage") == (2, ["not-permitted"])


@pytest.mark.usefixtures("honest")
def test_a_withdrawal_signed_for_the_old_log_may_come_into_the_new_one(city, crowd, auditor):
    leaf = crowd[2].leaf("consent.withdrawn")
    city.turn()
    auditor.trust_every_log()
    city.append(leaf)
    crowd[2].events.append(read_event(leaf))
    city.later()
    assert auditor.audit("coverage") == (0, [])
    task, reports = january(city, crowd[2:])
    city.commit(task, reports)
    assert auditor.audit("coverage") == (2, ["withdrawn"])


@pytest.mark.usefixtures("turned")
def test_a_consent_of_the_old_log_replayed_in_the_new_one_is_refused(city, crowd, auditor):
    city.append(crowd[2].events[0].leaf)
    assert auditor.audit("coverage") == (2, ["log"])


@pytest.mark.usefixtures("crowd")
def test_an_event_for_the_new_log_is_refused_in_the_old_one(city, auditor):
    newcomer = city.person("early")
    newcomer.say("consent.given", o=city.successor(2027)[0])
    city.turn()
    auditor.trust_every_log()
    assert auditor.audit("coverage") == (2, ["log"])


def test_a_contribution_counted_in_both_years_is_found(city, crowd, auditor):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    city.commit(task, reports)
    city.turn()
    auditor.trust_every_log()
    city.commit(task, reports[:1])
    code, problems = auditor.audit("coverage")
    assert (code, set(problems)) == (2, {"duplicate"})


def test_privacy_spent_in_both_years_is_summed(city, crowd, auditor):
    task = city.ask()
    city.commit(task, [person.report(task) for person in crowd])
    city.turn()
    auditor.trust_every_log()
    city.commit(task, [crowd[0].report(task, number=1)])
    assert "over-week" in auditor.audit("budget")[1]


@pytest.mark.parametrize(("merged", "outcome"), [(True, (0, [])), (False, (2, ["promise-broken"]))])
def test_a_promise_of_the_old_log_is_kept_in_the_new_one(city, crowd, auditor, merged, outcome):
    leaf = crowd[2].leaf("consent.withdrawn")
    promised = city.promise(leaf)
    city.turn(pause=timedelta(minutes=10))
    auditor.trust_every_log()
    if merged:
        city.append(leaf)
    city.later()
    later = ("--at", "2027-01-20T08:00:00Z")
    assert auditor.audit("promises", *auditor.evidence(promised), *later) == outcome


@pytest.mark.parametrize(("merged", "outcome"), [(True, (0, [])), (False, (2, ["promise-broken"]))])
def test_a_slip_for_the_old_log_is_honoured_in_the_new_one(city, crowd, auditor, merged, outcome):
    leaf = crowd[2].leaf("consent.withdrawn")
    slip = city.slip(leaf)
    city.turn()
    auditor.trust_every_log()
    if merged:
        city.append(leaf)
    later = ("--at", "2027-01-20T08:00:00Z")
    assert auditor.audit("promises", *auditor.evidence(slip), *later) == outcome


def test_a_slip_of_december_that_a_batch_of_january_ignores_is_found(city, crowd, auditor):
    slip = city.slip(crowd[2].leaf("consent.withdrawn"))
    city.turn()
    auditor.trust_every_log()
    task, reports = january(city, crowd)
    city.commit(task, reports)
    found = auditor.audit("after-withdrawal", *auditor.evidence(slip))
    assert found == (2, ["evidence-ignored"])


def test_a_release_of_january_names_its_batch_of_december(city, crowd, auditor):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.turn()
    auditor.trust_every_log()
    content = city.statement(task, n=len(crowd))
    city.release(task, batch - city.start, content)
    assert auditor.audit("release") == (0, [])


@pytest.mark.usefixtures("turned")
def test_the_new_log_alone_cannot_be_audited(city, auditor):
    folder = city.export()
    (folder / "shards").rename(auditor.folder / "elsewhere")
    assert auditor.audit("coverage", export=False) == (3, ["no-former-log"])


@pytest.mark.usefixtures("honest")
def test_a_log_that_says_nothing_of_the_one_before_is_not_audited_without_it(city, auditor):
    city.close(2027)
    city.begin(2027)
    city.person("newcomer").say("consent.given")
    auditor.trust_every_log()
    folder = city.export()
    (folder / "shards").rename(auditor.folder / "elsewhere")
    assert auditor.audit("coverage", export=False) == (3, ["no-former-log"])


@pytest.mark.usefixtures("turned")
def test_the_closed_log_alone_is_audited(city, auditor):
    folder = city.export() / "shards" / "0"
    for name in ("purposes.jsonl", "tasks.jsonl"):
        assert (folder / name).exists()
    code, _ = auditor.run("audit", "coverage", folder, "--policy", auditor.policy)
    assert code == 0


@pytest.fixture
def one_anchor(auditor):
    """An auditor whose policy names the key of the first log, and no other, ever."""
    auditor.policy.write_text(auditor.city.policy(), "utf-8")
    return auditor


@pytest.mark.parametrize("subject", EVERY_AUDIT)
def test_control_three_years_on_the_first_key_alone_raise_no_alarm(
    city, crowd, one_anchor, subject
):
    city.turn(2027)
    crowd[0].say("consent.withdrawn")
    city.turn(2028)
    task, reports = january(city, crowd[2:], week="2027-W20")
    city.release(task, city.commit(task, reports))
    assert one_anchor.audit(subject) == (0, [])


@pytest.mark.usefixtures("crowd")
def test_a_successor_that_the_old_log_did_not_name_is_not_followed(city, one_anchor, new_key):
    city.close(2027)
    city.begin(2027)
    city.key = new_key("another")
    city.join("shard.opened", opening_digest(*city.former[-1]))
    assert one_anchor.audit("coverage") == (2, ["handover"])


@pytest.mark.usefixtures("crowd")
def test_a_second_log_that_claims_to_follow_nothing_is_not_followed(city, one_anchor):
    city.close(2027)
    city.begin(2027)
    city.person("newcomer").say("consent.given")
    assert one_anchor.audit("coverage") == (3, ["bad-file"])


@pytest.mark.usefixtures("crowd")
def test_what_is_kept_of_one_year_goes_on_into_the_next_on_one_key(city, one_anchor):
    workspace = ("--workspace", one_anchor.folder / "work")
    assert one_anchor.audit("coverage", *workspace) == (0, [])
    city.turn()
    assert one_anchor.audit("coverage", *workspace) == (0, [])
    assert one_anchor.audit("coverage", *workspace) == (0, [])


@pytest.mark.usefixtures("turned")
def test_a_later_key_that_the_policy_names_itself_is_binding(city, auditor, new_key):
    other = NoteKey.of_log(city.origin, new_key("another").public_key()).vkey
    text = auditor.policy.read_text("utf-8").replace(city.vkey, other)
    auditor.policy.write_text(text, "utf-8")
    assert auditor.audit("coverage") == (3, ["no-quorum"])


@pytest.mark.usefixtures("honest")
def test_a_log_that_another_key_opened_is_no_successor(city, auditor, new_key):
    city.close(2027)
    city.begin(2027)
    city.key = new_key("another")
    city.join("shard.opened", opening_digest(*city.former[-1]))
    auditor.trust_every_log()
    assert auditor.audit("coverage") == (2, ["handover"])


@pytest.mark.usefixtures("honest")
def test_a_successor_of_another_root_is_refused(city, auditor):
    city.close(2027)
    city.begin(2027)
    vkey, final = city.former[-1]
    wrong = type(final)(origin=final.origin, size=final.size, root=bytes(32))
    city.join("shard.opened", opening_digest(vkey, wrong))
    auditor.trust_every_log()
    assert auditor.audit("coverage") == (2, ["handover"])


def test_a_log_that_grew_after_its_closing_is_found(city, crowd, auditor):
    city.close(2027)
    crowd[0].say("consent.withdrawn")
    city.begin(2027)
    city.join("shard.opened", opening_digest(*city.former[-1]))
    auditor.trust_every_log()
    code, problems = auditor.audit("coverage")
    assert (code, set(problems)) == (2, {"handover"})


@pytest.mark.usefixtures("crowd")
def test_a_second_closing_is_found(city, auditor):
    city.close(2027)
    city.join("shard.closed", closing_digest(city.vkey))
    assert auditor.audit("coverage") == (2, ["handover"])


@pytest.mark.usefixtures("honest")
def test_a_year_left_out_is_found(city, auditor):
    city.turn(2027)
    city.turn(2029)
    auditor.trust_every_log()
    assert auditor.audit("coverage") == (2, ["handover"])


@pytest.mark.usefixtures("honest")
def test_control_three_years_in_a_row_raise_no_alarm(city, crowd, auditor):
    city.turn(2027)
    city.turn(2028)
    auditor.trust_every_log()
    task, reports = january(city, crowd[2:], week="2027-W20")
    city.commit(task, reports)
    assert auditor.audit("coverage") == (0, [])


@pytest.mark.usefixtures("crowd")
def test_a_checkpoint_kept_of_the_old_log_is_held_to(city, auditor):
    kept = city.witness()
    city.leaves[-1] = city.person("ghost").leaf("consent.given")
    city.turn()
    auditor.trust_every_log()
    auditor.keep(kept)
    assert auditor.audit("monitor") == (2, ["fork"])


@pytest.mark.usefixtures("turned")
def test_monitoring_counts_on_from_the_year_before(city, auditor):
    workspace = ("--workspace", auditor.folder / "kept")
    code, _ = auditor.audit("monitor", *workspace)
    assert code == 0
    city.person("newcomer").say("consent.given")
    folder = city.export()
    code, out = auditor.run("monitor", folder, "--policy", auditor.policy, "--json", *workspace)
    assert code == 0
    assert '"new": 1' in out


@pytest.mark.usefixtures("turned")
def test_what_was_verified_once_is_not_believed_for_another_year_before(city, auditor):
    workspace = ("--workspace", auditor.folder / "kept")
    assert auditor.audit("coverage", *workspace)[0] == 0
    closed = city.folder / "shards" / "0"
    other = city.cosigned()
    (closed / "checkpoint").write_text(other, "utf-8", newline="\n")
    code, _ = auditor.audit("coverage", *workspace)
    assert code != 0


KEYS_GIVEN = {
    "of both": ((0, 1), 0),
    "of the first": ((0,), 0),
    "of the second": ((1,), 3),
    "too many": ((0, 1, 1), 3),
    "in the wrong order": ((1, 0), 3),
}


@pytest.mark.parametrize(("which", "code"), KEYS_GIVEN.values(), ids=KEYS_GIVEN)
@pytest.mark.usefixtures("turned")
def test_the_verifier_follows_the_keys_from_the_first(city, auditor, which, code):
    vkeys = [city.former[0][0], city.vkey]
    given = [part for number in which for part in ("--vkey", vkeys[number])]
    found, out = auditor.run("verify", "log", city.export(), *given, "--json")
    assert found == code
    assert json.loads(out)["vkeys"] == (vkeys if code == 0 else [])


@pytest.mark.usefixtures("crowd")
def test_the_verifier_follows_no_successor_that_was_not_named(city, auditor, new_key):
    city.close(2027)
    city.begin(2027)
    city.key = new_key("another")
    city.join("shard.opened", opening_digest(*city.former[-1]))
    code, out = auditor.run("verify", "log", city.export(), "--vkey", city.former[0][0], "--json")
    assert (code, json.loads(out)["vkeys"]) == (2, [])


@pytest.mark.usefixtures("turned")
def test_the_verifier_does_not_judge_the_new_log_alone(city, auditor):
    folder = city.export()
    (folder / "shards").rename(auditor.folder / "elsewhere")
    code, out = auditor.run("verify", "log", folder, "--vkey", city.vkey, "--json")
    assert code == 3
    assert "no-former-log" in out


@pytest.mark.usefixtures("turned")
def test_the_annual_report_counts_each_calendar_year_over_both_logs(city, crowd, auditor):
    city.later(timedelta(days=60))
    crowd[2].say("consent.withdrawn")
    folder = city.export()
    for year, withdrawn in (("2026", 2), ("2027", 1)):
        code, out = auditor.run(
            *("report", "annual", folder, "--policy", auditor.policy, "--year", year, "--json")
        )
        assert code == 0
        assert f'"consent.withdrawn": {withdrawn}' in out
