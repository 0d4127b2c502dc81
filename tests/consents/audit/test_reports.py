"""What an auditor is given to read: sentences, JSON, CSV, one page of HTML, the yearly record."""

import csv
import html
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest

from consents.audit.counted import amount, fact
from consents.audit.findings import AuditFinding, AuditProblem, Subject
from consents.audit.wording import moment, sentence, title
from consents.records.limits import ConsentArea
from consents.records.receipt import EventType
from consents.verify.verification import Verdict
from consents.verify.wording import Language
from contributions.task import Zone


@pytest.fixture
def violated(city, crowd):
    """A batch with a withdrawn consent and an invented one."""
    task = city.ask()
    reports = [person.report(task) for person in [*crowd, city.person("ghost")]]
    crowd[0].say("consent.withdrawn")
    city.release(task, city.commit(task, reports))
    return city


def test_a_violation_is_said_in_french_with_its_place(violated, auditor):
    code, out = auditor.run(
        "audit", "coverage", violated.export(), "--policy", auditor.policy, "--lang", "fr"
    )
    assert code == 2
    assert "Entrée 7, contribution 0\N{NO-BREAK SPACE}: le consentement était retiré" in out
    assert "Violation." in out


def test_a_violation_is_said_in_english_with_its_place(violated, auditor):
    _, out = auditor.run(
        "audit", "coverage", violated.export(), "--policy", auditor.policy, "--lang", "en"
    )
    assert "Entry 7, contribution 5: no consent in the log before this batch." in out


@pytest.mark.parametrize("language", list(Language))
def test_every_problem_and_question_has_a_sentence(language):
    said = [
        sentence(AuditFinding(problem=problem, detail="x", entry=1), language)
        for problem in AuditProblem
    ]
    said += [title(subject, language) for subject in Subject]
    assert all(len(each) > 10 for each in said)
    assert len(set(said)) == len(said)


def test_an_unknown_count_keeps_its_own_name():
    assert fact("else", Language.FR) == "else"


@pytest.mark.parametrize("language", list(Language))
def test_every_event_that_is_counted_has_a_name(language):
    assert not [kind for kind in EventType if fact(kind.value, language) == kind.value]


def test_the_json_ld_says_what_the_json_says(violated, auditor, tmp_path):
    path = tmp_path / "report.jsonld"
    export = violated.export()
    _, out = auditor.run(
        "audit", "coverage", export, "--policy", auditor.policy, "--jsonld", path, "--json"
    )
    said, linked = json.loads(out), json.loads(path.read_bytes())
    assert linked["mec:verdict"] == said["verdict"] == "violation"
    assert linked["mec:rootSha256"] == said["root"]
    facts = {each["dct:identifier"]: each["rdf:value"] for each in linked["mec:facts"]}
    assert facts == said["facts"]
    places = [
        (each["dct:type"], each["mec:entry"], each["mec:item"]) for each in linked["mec:findings"]
    ]
    assert places == [(each["problem"], each["entry"], each["item"]) for each in said["findings"]]
    names = {name for name in linked if not name.startswith("@")}
    assert {name.partition(":")[0] for name in names} <= set(linked["@context"])


def test_the_yearly_record_is_a_record_of_data_intermediation_with_its_data_users(
    violated, auditor, tmp_path
):
    page, linked = tmp_path / "year.html", tmp_path / "year.jsonld"
    auditor.run(
        *("report", "annual", violated.export(), "--policy", auditor.policy, "--year", "2026"),
        *("--html", page, "--jsonld", linked, "--lang", "fr"),
    )
    document = json.loads(linked.read_bytes())
    assert "eu-dga:DataIntermediationRecord" in document["@type"]
    asked = [row for row in document["mec:rows"] if row["mec:data_user"]]
    assert asked
    for member in ("mec:what", "mec:data_user", "mec:contact"):
        assert html.escape(asked[0][member]) in page.read_text("utf-8")
    assert "consent.given" not in page.read_text("utf-8")


def test_no_problem_is_both_a_violation_and_a_doubt():
    verdicts = {problem.verdict for problem in AuditProblem}
    assert verdicts == {Verdict.VIOLATION, Verdict.CANNOT_VERIFY}


@pytest.mark.usefixtures("violated")
def test_the_csv_holds_the_verdict_every_finding_and_the_counts(auditor, tmp_path):
    path = tmp_path / "out.csv"
    auditor.audit("coverage", "--csv", path)
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
    base = ["kind", "name", "entry", "item", "value"]
    assert rows[0] == [*base, "batch", "week", "items", "uncovered", "state"]
    nothing = [""] * 5
    assert ["verdict", "violation", "", "", "", *nothing] in rows
    assert ["fact", "items", "", "", "6", *nothing] in rows
    assert ["row", "", "", "", "", "7", "2026-W46", "6", "2", "checked"] in rows
    (found,) = [row for row in rows if row[:4] == ["finding", "withdrawn", "7", "0"]]
    assert "le consentement était retiré" in found[4]


class Page(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.fixture
def page(violated, auditor, tmp_path):
    assert violated.batches
    path = tmp_path / "out.html"
    auditor.audit("coverage", "--html", path)
    return path


def test_the_page_fetches_nothing_and_runs_nothing(page):
    read = Page(page.read_text("utf-8"))
    assert not {"script", "link", "img", "iframe", "object"} & set(read.tags)
    assert not {"src", "href", "srcset"} & set(read.attributes)
    assert "url(" not in page.read_text("utf-8")


def test_the_page_says_the_language_and_has_one_heading(page):
    text = page.read_text("utf-8")
    assert '<html lang="fr">' in text
    assert Page(text).tags.count("h1") == 1


@pytest.mark.usefixtures("crowd")
def test_the_page_of_a_hundred_findings_stays_one_page(city, auditor, tmp_path, sheets):
    task = city.ask()
    ghosts = [city.person(f"ghost {number}").report(task) for number in range(100)]
    city.commit(task, ghosts)
    path = tmp_path / "out.html"
    auditor.audit("coverage", "--html", path)
    assert sheets(path) == 1


def test_the_page_prints_to_one_sheet(page, sheets):
    assert sheets(page) == 1


def test_reports_name_no_consent_in_findings(violated, auditor):
    code, out = auditor.run(
        "audit", "coverage", violated.export(), "--policy", auditor.policy, "--json"
    )
    cids = {violated.person(f"resident {number}").cid for number in range(5)}
    assert code == 2
    assert not any(cid in out for cid in cids)


def test_the_yearly_record_counts_events_batches_and_epsilon(violated, auditor):
    code, out = auditor.run(
        "report",
        "annual",
        violated.export(),
        "--policy",
        auditor.policy,
        "--year",
        "2026",
        "--json",
    )
    facts = json.loads(out)["facts"]
    assert code == 0
    assert facts["consent.given"] == 5
    assert facts["consent.withdrawn"] == 1
    assert facts["items"] == 6
    assert facts["epsilon_sum_micro"] == 6_000_000


def test_the_yearly_record_names_the_data_user_and_the_epsilon(violated, auditor, purpose):
    _, out = auditor.run(
        "report",
        "annual",
        violated.export(),
        "--policy",
        auditor.policy,
        "--year",
        "2026",
        "--json",
    )
    rows = json.loads(out)["rows"]
    user = [purpose.controller_name, purpose.controller_contact]
    assert [row for row in rows if row[0] == "2026-W46"] == [
        ["2026-W46", purpose.title_fr, 6, *user, 1_000_000]
    ]


@pytest.fixture
def busy_year(city, crowd, purpose):
    """Forty weeks of eight purposes with long names, and every kind of choice."""
    for number in range(8):
        words = f"Kilomètres par mode et par zone de résidence, {number}, " + "longuement " * 20
        other = replace(purpose, title_fr=words, version=str(number))
        city.publish(other)
        people = [city.person(f"{number} {each}") for each in range(2)]
        for person, kind in zip(people, ("consent.given", "consent.refused"), strict=True):
            person.say(kind, pd=other.digest)
        for week in range(5):
            task = city.ask(f"2026-W{10 + 5 * number + week}", purpose_digest=other.digest)
            city.release(task, city.commit(task, [people[0].report(task)]))
    crowd[0].say("consent.withdrawn")
    city.later()
    return city


def test_the_yearly_record_of_a_busy_year_prints_to_one_sheet(busy_year, auditor, tmp_path, sheets):
    page = tmp_path / "year.html"
    code, _ = auditor.run(
        *("report", "annual", busy_year.export(), "--policy", auditor.policy, "--year", "2026"),
        *("--html", page, "--lang", "fr"),
    )
    text = page.read_text("utf-8")
    assert code == 0
    assert "5 semaines, de 2026-W10 à 2026-W14" in text
    assert "2 autres usages, dans le fichier CSV" in text
    assert "recettes" in text
    assert sheets(page) == 1


def test_a_yearly_record_with_findings_prints_to_one_sheet(busy_year, auditor, tmp_path, sheets):
    page = tmp_path / "year.html"
    busy_year.bodies = busy_year.bodies[:3]
    code, _ = auditor.run(
        *("report", "annual", busy_year.export(), "--policy", auditor.policy, "--year", "2026"),
        *("--html", page, "--lang", "fr"),
    )
    assert code == 3
    assert sheets(page) == 1


def test_one_withdrawn_item_is_found_once_by_the_audit_of_releases(violated, auditor):
    assert violated.batches
    code, problems = auditor.audit("release")
    assert code == 2
    assert sorted(problems) == ["never-consented", "withdrawn"]


@pytest.mark.parametrize(
    ("name", "count", "fr", "en"),
    [
        ("items", 1234567, "1\u202f234\u202f567", "1,234,567"),
        ("epsilon_sum_micro", 1_234_500_000, "1\u202f234,5", "1,234.5"),
        ("most_week_micro", 1_000_000, "1", "1"),
        ("most_week_micro", 1, "0,000001", "0.000001"),
        ("year", 2026, "2026", "2026"),
    ],
)
def test_counts_are_written_as_people_write_them(name, count, fr, en):
    assert amount(name, count, Language.FR) == fr
    assert amount(name, count, Language.EN) == en


@pytest.mark.parametrize("month", range(1, 13))
def test_a_time_has_its_day_month_and_zone(month):
    at = datetime(2026, month, 9, 8, 5, tzinfo=timezone(timedelta(hours=1)))
    assert moment(at, Language.FR).endswith(" 2026 à 07:05 (UTC)")
    assert moment(at, Language.EN) == f"{at:9 %B %Y}, 07:05 (UTC)"


def test_another_year_is_empty(violated, auditor):
    _, out = auditor.run(
        "report",
        "annual",
        violated.export(),
        "--policy",
        auditor.policy,
        "--year",
        "2025",
        "--json",
    )
    assert json.loads(out)["facts"] == {
        "year": 2025,
        "consents": 0,
        "batches": 0,
        "items": 0,
        "epsilon_sum_micro": 0,
    }


def test_a_wrong_command_line_is_not_a_violation(auditor, city):
    assert auditor.run("audit", "everything", city.export())[0] == 3


@pytest.mark.usefixtures("violated")
def test_a_workspace_gives_the_same_answer_as_without(auditor):
    alone = auditor.audit("coverage")
    workspace = auditor.folder / "work"
    first = auditor.audit("coverage", "--workspace", workspace, export=False)
    second = auditor.audit("coverage", "--workspace", workspace, export=False)
    assert alone == first == second


def test_a_workspace_needs_the_entries_only_once(violated, auditor):
    workspace = auditor.folder / "work"
    expected = auditor.audit("coverage", "--workspace", workspace)
    (violated.folder / "entries.jsonl").unlink()
    assert auditor.audit("coverage", "--workspace", workspace, export=False) == expected


def test_a_kept_timeline_is_not_used_for_another_root(violated, auditor):
    workspace = auditor.folder / "work"
    auditor.audit("coverage", "--workspace", workspace)
    violated.person("newcomer").say("consent.given")
    violated.export()
    (violated.folder / "entries.jsonl").unlink()
    assert auditor.audit("coverage", "--workspace", workspace, export=False) == (3, ["no-file"])


@pytest.mark.usefixtures("violated")
def test_a_damaged_workspace_is_never_a_success(auditor):
    workspace = auditor.folder / "work"
    auditor.audit("coverage", "--workspace", workspace)
    for path in workspace.glob("*.timeline"):
        path.write_bytes(path.read_bytes()[:-7])
    assert auditor.audit("coverage", "--workspace", workspace, export=False) == (
        3,
        ["bad-workspace"],
    )


def test_a_body_shown_to_the_auditor_opens_its_limits(city, auditor, body):
    key = b"k" * 32
    person = city.person("open")
    leaf = person.say("consent.given", c=body.commitment(key=key))
    task = city.ask()
    city.commit(task, [person.report(task)])
    folder = city.export()
    line = {"leaf": leaf.decode(), "body": body.to_bytes().decode(), "commitment_key": key.hex()}
    (folder / "bodies.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    assert auditor.audit("coverage", export=False) == (2, ["fields-exceeded"])


def test_a_body_that_does_not_open_its_leaf_proves_nothing(city, auditor, body):
    person = city.person("open")
    leaf = person.say("consent.given", c=body.commitment(key=b"k" * 32))
    folder = city.export()
    line = {"leaf": leaf.decode(), "body": body.to_bytes().decode(), "commitment_key": "00" * 32}
    (folder / "bodies.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    assert auditor.audit("coverage", export=False) == (3, ["bad-file"])


HOMES = {"in the area": ("17300", (0, [])), "outside of it": ("17028", (2, ["area-exceeded"]))}


@pytest.mark.parametrize(("home", "found"), HOMES.values(), ids=HOMES)
def test_a_contribution_from_outside_the_area_shown_is_found(city, auditor, body, home, found):
    key = b"k" * 32
    area = ConsentArea(outlines_sha256="ab" * 32, zones=("17300",))
    limits = replace(body.limits, fields=city.purpose.fields, area=area)
    shown = replace(body, limits=limits)
    person = city.person("open")
    leaf = person.say("consent.given", c=shown.commitment(key=key))
    zones = (Zone(code="17028", name="Aytré"), Zone(code="17300", name="La Rochelle"))
    task = city.ask(zones=zones)
    city.commit(task, [person.report(task, zone=home)])
    folder = city.export()
    line = {"leaf": leaf.decode(), "body": shown.to_bytes().decode(), "commitment_key": key.hex()}
    (folder / "bodies.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    assert auditor.audit("coverage", export=False) == found
    workspace = ("--workspace", auditor.folder / "work")
    assert auditor.audit("coverage", *workspace, export=False) == found
    assert auditor.audit("coverage", *workspace, export=False) == found
