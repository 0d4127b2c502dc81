"""Use without consent, after withdrawal, beyond purpose and budget.

The operator holds every key and file of its own; each attack stands beside its honest control. The
numbers are those of the design's acceptance checks. Vectors (1), shredding (12), scale (16) and
interoperability (17) have modules of their own; equal ease (15) needs a browser.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

# 5. Contribute without consent.


def test_5_an_invented_consent_covers_nothing(city, crowd, auditor):
    task = city.ask()
    ghost = city.person("ghost")
    city.commit(task, [*(person.report(task) for person in crowd), ghost.report(task)])
    assert auditor.audit("coverage") == (2, ["never-consented"])


def test_5_a_withdrawn_consent_covers_nothing(city, crowd, auditor):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    crowd[2].say("consent.withdrawn")
    city.commit(task, reports)
    assert auditor.audit("coverage") == (2, ["withdrawn"])


def test_5_the_operators_key_does_not_speak_for_a_resident(city, crowd, auditor):
    task = city.ask()
    city.commit(task, [crowd[0].report(task, key=city.key)])
    assert auditor.audit("coverage") == (2, ["wrong-key"])


def test_5_an_item_added_to_the_manifest_is_not_the_committed_batch(city, crowd, auditor):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd[:4]])
    city.batches[batch].append(crowd[4].report(task))
    assert auditor.audit("coverage") == (2, ["batch-mismatch"])


def test_5_a_manifest_that_is_withheld_proves_nothing(city, crowd, auditor):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.export()
    (city.folder / "batches" / f"{batch}.jsonl").unlink()
    assert auditor.audit("coverage", export=False) == (3, ["no-batch"])


def test_5_a_body_that_is_withheld_proves_nothing(city, crowd, auditor):
    task = city.ask()
    city.commit(task, [person.report(task) for person in crowd])
    city.bodies.pop()
    assert auditor.audit("coverage") == (3, ["no-body"])


def test_5_a_body_made_up_afterwards_opens_nothing(city, crowd, auditor):
    task = city.ask()
    city.commit(task, [person.report(task) for person in crowd])
    city.bodies[-1]["body"] = city.bodies[-1]["body"].replace(
        '"report_count":5', '"report_count":4'
    )
    assert auditor.audit("coverage") == (2, ["body-mismatch"])


@pytest.mark.parametrize("kind", ["consent.refused", "consent.deferred"])
@pytest.mark.usefixtures("crowd")
def test_5_a_refusal_covers_nothing(city, auditor, kind):
    task = city.ask()
    person = city.person("unwilling")
    person.say(kind)
    city.commit(task, [person.report(task)])
    assert auditor.audit("coverage") == (2, ["not-permitted"])


def test_5_an_expired_consent_covers_nothing(city, crowd, auditor):
    task = city.ask()
    crowd[0].say("consent.expired", key=city.key)
    city.commit(task, [crowd[0].report(task)])
    assert auditor.audit("coverage") == (2, ["not-permitted"])


def test_5_control_a_limited_and_a_renewed_consent_cover(city, crowd, auditor):
    crowd[0].say("consent.limited")
    crowd[1].say("consent.renewed")
    task = city.ask()
    city.commit(task, [person.report(task) for person in crowd])
    assert auditor.audit("coverage") == (0, [])


# 6. Replay.


def test_6_an_old_consent_replayed_after_a_withdrawal_is_a_broken_chain(city, crowd, auditor):
    crowd[0].say("consent.withdrawn")
    city.append(crowd[0].events[0].leaf)
    assert auditor.audit("coverage") == (2, ["log"])


@pytest.mark.usefixtures("crowd")
def test_6_a_consent_of_another_log_is_refused(city, auditor):
    city.append(city.person("tourist").leaf("consent.given", o="other.example/consents/2026"))
    assert auditor.audit("coverage") == (2, ["log"])


def test_6_a_consent_under_anothers_id_is_refused(city, crowd, auditor):
    city.append(
        city.person("thief").leaf(
            "consent.renewed", cid=crowd[0].cid, n=1, p=crowd[0].events[-1].head
        )
    )
    assert auditor.audit("coverage") == (2, ["log"])


def test_6_a_contribution_that_rests_on_an_older_choice_is_uncovered(city, crowd, auditor):
    task = city.ask()
    report = crowd[0].report(task)
    crowd[0].say("consent.limited")
    city.commit(task, [report])
    assert auditor.audit("coverage") == (2, ["wrong-head"])


def test_6_control_a_consent_given_anew_after_a_withdrawal_covers(city, crowd, auditor):
    crowd[0].say("consent.withdrawn")
    crowd[0].say("consent.given")
    task = city.ask()
    city.commit(task, [crowd[0].report(task)])
    assert auditor.audit("coverage") == (0, [])


# 7. Other words than those agreed to.


@pytest.mark.usefixtures("crowd")
def test_7_an_edited_text_has_another_digest(city, auditor, purpose):
    edited = replace(purpose, text_fr="Vos trajets, revendus.")
    city.purposes = {edited.digest: edited.to_bytes()}
    assert auditor.audit("purposes") == (2, ["no-purpose-text", "purpose-edited"])


@pytest.mark.usefixtures("crowd")
def test_7_new_words_under_the_same_version_are_seen(city, auditor, purpose):
    city.publish(replace(purpose, text_fr="Vos trajets, revendus."))
    assert auditor.audit("purposes") == (2, ["purpose-edited"])


def test_7_no_old_consent_covers_a_new_version(city, crowd, auditor, purpose):
    new = replace(purpose, version="2", text_fr="Autre chose.")
    city.publish(new)
    task = city.ask(purpose_digest=new.digest)
    city.commit(task, [crowd[0].report(task)])
    assert auditor.audit("coverage") == (2, ["wrong-purpose"])


@pytest.mark.usefixtures("crowd")
def test_7_a_purpose_that_was_never_published_is_seen(city, auditor):
    city.person("guest").say("consent.given", pd="ef" * 32)
    assert auditor.audit("purposes") == (2, ["purpose-unpublished"])


@pytest.mark.usefixtures("crowd")
def test_7_control_a_new_version_with_new_words_raises_no_alarm(city, auditor, purpose):
    city.publish(replace(purpose, version="2", text_fr="Autre chose."))
    assert auditor.audit("purposes") == (0, [])


# 8. Withhold a withdrawal.


def test_8_a_withheld_withdrawal_with_a_slip_makes_the_release_invalid(city, crowd, auditor):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    slip = city.slip(crowd[0].leaf("consent.withdrawn"))
    city.later()
    city.release(task, city.commit(task, reports))
    evidence = auditor.evidence(slip)
    assert auditor.audit("after-withdrawal", *evidence) == (2, ["evidence-ignored"])
    assert auditor.audit("release", *evidence) == (2, ["evidence-ignored"])


def test_8_a_promise_that_is_never_kept_is_a_violation(city, crowd, auditor):
    promised = city.promise(crowd[0].leaf("consent.withdrawn"))
    city.later(timedelta(hours=2))
    assert auditor.audit("promises", *auditor.evidence(promised)) == (2, ["promise-broken"])


def test_8_a_promised_withdrawal_shown_with_its_leaf_makes_the_batch_invalid(city, crowd, auditor):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    leaf = crowd[0].leaf("consent.withdrawn")
    held = {"leaf": leaf.decode(), "promise": city.promise(leaf)}
    city.later()
    city.commit(task, reports)
    assert auditor.audit("after-withdrawal", *auditor.evidence(held))[0] == 2


def test_8_an_operator_that_dates_its_freeze_back_gains_nothing(city, crowd, auditor):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    early = city.now
    city.later()
    slip = city.slip(crowd[0].leaf("consent.withdrawn"))
    city.later().witness()
    city.commit(task, reports, at=early)
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip))[0] == 2
    assert auditor.audit("late")[0] == 2


def test_8_a_promise_kept_too_late_is_a_violation(city, crowd, auditor):
    leaf = crowd[0].leaf("consent.withdrawn")
    promised = city.promise(leaf)
    city.later(timedelta(hours=5)).witness()
    city.append(leaf)
    assert auditor.audit("promises", *auditor.evidence(promised)) == (2, ["promise-late"])


def test_8_an_operator_that_stops_its_log_is_judged_at_a_named_moment(city, crowd, auditor):
    promised = city.promise(crowd[0].leaf("consent.withdrawn"))
    evidence = auditor.evidence(promised)
    assert auditor.audit("promises", *evidence) == (0, [])
    assert auditor.audit("promises", *evidence, "--at", "2026-11-20T00:00:00Z")[0] == 2


def test_8_control_a_kept_promise_raises_no_alarm(city, crowd, auditor):
    leaf = crowd[0].leaf("consent.withdrawn")
    promised = city.promise(leaf)
    city.append(leaf)
    city.later(timedelta(hours=3))
    assert auditor.audit("promises", *auditor.evidence(promised)) == (0, [])


def test_8_control_a_strangers_withdrawal_ends_nobodys_consent(city, crowd, auditor):
    task = city.ask()
    forged = crowd[0].leaf("consent.withdrawn", key=city.new_key("stranger"))
    slip = city.slip(forged)
    city.later()
    city.commit(task, [person.report(task) for person in crowd])
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip)) == (0, [])


def test_8_a_slip_that_no_steward_signed_is_no_evidence(city, crowd, auditor):
    city.witnesses = ("steward-a", "steward-b", "steward-c")
    slip = city.slip(crowd[0].leaf("consent.withdrawn"), who="nobody")
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip)) == (3, ["bad-evidence"])


# 10. The race around the freeze.


def test_10_a_withdrawal_a_second_before_the_freeze_is_honoured_or_seen(city, crowd, auditor):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    slip = city.slip(crowd[0].leaf("consent.withdrawn"))
    city.later(timedelta(seconds=1))
    city.commit(task, reports)
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip))[0] == 2


def test_10_a_withdrawal_a_second_after_the_freeze_is_counted_and_reported(city, crowd, auditor):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    city.commit(task, reports)
    city.later(timedelta(seconds=1))
    slip = city.slip(crowd[0].leaf("consent.withdrawn"))
    city.export()
    code, out = auditor.run(
        "audit",
        "after-withdrawal",
        city.folder,
        "--policy",
        auditor.policy,
        *auditor.evidence(slip),
        "--lang",
        "en",
    )
    assert (code, "came after the freeze: 1" in out) == (0, True)


def test_10_control_a_withdrawal_before_the_freeze_that_is_honoured_is_no_alarm(
    city, crowd, auditor
):
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    leaf = crowd[0].leaf("consent.withdrawn")
    slip = city.slip(leaf)
    city.append(leaf)
    city.later(timedelta(seconds=1))
    city.commit(task, reports[1:])
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip)) == (0, [])


# 11. Spend more epsilon than agreed.


def test_11_two_consents_of_one_key_count_once(city, crowd, auditor):
    task = city.ask()
    twin = city.person("resident 0")
    twin.cid = "ab" * 16
    twin.say("consent.given")
    city.commit(task, [crowd[0].report(task), twin.report(task)])
    assert auditor.audit("coverage") == (2, ["duplicate"])
    assert auditor.audit("budget") == (2, ["over-week"])


def test_11_a_week_that_counts_twice_is_seen(city, crowd, auditor):
    task = city.ask()
    again = city.ask(title_fr="La même semaine, encore")
    city.commit(task, [crowd[0].report(task)])
    city.commit(again, [crowd[0].report(again, number=1)])
    assert auditor.audit("coverage") == (2, ["duplicate"])
    assert auditor.audit("budget") == (2, ["over-week"])


def test_11_the_same_report_twice_in_a_batch_is_seen(city, crowd, auditor):
    task = city.ask()
    city.commit(task, [crowd[0].report(task)] * 2)
    assert auditor.audit("budget")[0] == 2


def test_11_a_question_above_the_purposes_epsilon_is_seen(city, crowd, auditor):
    task = city.ask(epsilon_micro=2_000_000)
    city.commit(task, [crowd[0].report(task)])
    assert auditor.audit("budget") == (2, ["over-week"])


def test_11_a_declared_sum_that_is_too_small_is_seen(city, crowd, auditor):
    task = city.ask()
    city.commit(task, [person.report(task) for person in crowd], epsilon_sum_micro=1)
    assert auditor.audit("budget") == (2, ["epsilon-sum"])


def test_11_control_one_contribution_a_week_is_within_bounds(city, crowd, auditor):
    for week in ("2026-W46", "2026-W47"):
        task = city.ask(week)
        city.commit(task, [person.report(task) for person in crowd])
    assert auditor.audit("budget") == (0, [])


# 13. Under fifteen.


@pytest.fixture
def child(city):
    child = city.person("child")
    child.parent = city.new_key("parent")
    child.say("signer.joined", names=child.parent)
    return child


@pytest.mark.parametrize("who", ["child", "parent"])
def test_13_one_signer_alone_covers_nothing(city, auditor, child, who):
    child.say("consent.given", key=child.parent if who == "parent" else None)
    task = city.ask()
    city.commit(task, [child.report(task)])
    assert auditor.audit("coverage") == (2, ["not-permitted"])


@pytest.mark.parametrize("who", ["child", "parent"])
def test_13_either_ends_it(city, auditor, child, who):
    child.say("consent.given")
    child.say("consent.given", key=child.parent)
    child.say("consent.withdrawn", key=child.parent if who == "parent" else None)
    task = city.ask()
    city.commit(task, [child.report(task)])
    assert auditor.audit("coverage") == (2, ["withdrawn"])


def test_13_a_parents_withheld_withdrawal_counts_by_its_slip(city, auditor, child):
    child.say("consent.given")
    child.say("consent.given", key=child.parent)
    task = city.ask()
    report = child.report(task)
    slip = city.slip(child.leaf("consent.withdrawn", key=child.parent))
    city.later()
    city.commit(task, [report])
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip))[0] == 2


def test_13_control_both_together_cover(city, auditor, child):
    child.say("consent.given")
    child.say("consent.given", key=child.parent)
    task = city.ask()
    city.commit(task, [child.report(task)])
    assert auditor.audit("coverage") == (0, [])


def test_8_a_stranger_s_slip_accuses_nobody(city, crowd, auditor):
    invented, thief = city.person("invented"), city.person("thief")
    thief.cid, thief.events = crowd[0].cid, list(crowd[0].events)
    slips = [city.slip(each.leaf("consent.withdrawn")) for each in (invented, thief)]
    city.later().witness()
    judged = ("--at", "2027-01-01T00:00:00Z")
    assert auditor.audit("promises", *auditor.evidence(*slips), *judged) == (0, [])
