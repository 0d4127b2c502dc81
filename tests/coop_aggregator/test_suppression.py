"""R3, protocol: "A batch smaller than the task's minimum MUST NOT be published [...] and its size
MUST NOT be told." Whatever leaves the cooperative is the same for any size below the minimum."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop_aggregator.aggregate import ZoneSum
from coop_aggregator.db.log import all_operator_bodies
from coop_aggregator.db.reports import batch_of
from coop_aggregator.release import build_release
from coop_aggregator.suppression import publishable
from coop_aggregator.tlog.export import export_log

MINIMUM = 30
WEEK = "2026-W46"
COUNTS = st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 90), min_size=1)
PAGES = [
    "/fr/",
    "/en/",
    "/fr/publications/2026-W46",
    "/en/publications/2026-W46/zones/kilometres/car",
]
ANSWERS = ["/v1/tasks", "/v1/releases", "/v1/releases/2026-W46.json", "/v1/releases/2026-W46.csv"]


@given(counts=COUNTS)
def test_what_is_left_of_the_territory_is_no_group_below_the_minimum(counts):
    shown = publishable(counts, min_batch_size=MINIMUM)
    left = sum(count for zone, count in counts.items() if zone not in shown)
    assert not shown or shown == counts.keys() or left >= MINIMUM
    assert all(counts[zone] >= MINIMUM for zone in shown)


@given(counts=COUNTS)
def test_no_more_is_held_back_than_that_takes(counts):
    """The largest zones are shown: as many as any choice of them can show."""
    large = sorted((n for n in counts.values() if n >= MINIMUM), reverse=True)
    total = sum(counts.values())
    possible = [
        k
        for k in range(len(large) + 1)
        if k in (0, len(counts)) or total - sum(large[:k]) >= MINIMUM
    ]
    assert len(publishable(counts, min_batch_size=MINIMUM)) == max(possible)


@given(counts=COUNTS, some=st.integers(1, MINIMUM - 1))
def test_an_empty_zone_and_one_with_somebody_look_alike(counts, some):
    """Beside zones that are all large enough, 0 reports and 1 to 29 hold the same back."""
    large = {zone: MINIMUM + count for zone, count in counts.items()}
    empty, peopled = (publishable(large | {"G": n}, min_batch_size=MINIMUM) for n in (0, some))
    assert empty == peopled


def test_what_is_shown_depends_on_numbers_of_reports_alone(light_coop):
    """Two weeks that ε compares have the same reports: what they say holds nothing back."""

    def shown(units):
        zones = zip("ABC", (40, 50, 3), strict=True)
        sums = [ZoneSum(zone=zone, count=n, vector=(units,) * 8) for zone, n in zones]
        return {(row.zone, row.label): row.n for row in build_release(light_coop.task, sums).rows}

    assert shown(0) == shown(10**6) == shown(-(10**6))


@pytest.fixture
def release_of(make_coop, light_settings):
    """Return a maker of a cooperative that released a week of so many answers."""

    def make(count, *, members=2, minimum=MINIMUM):
        coop = make_coop(light_settings, min_batch_size=minimum)
        people = [coop.resident() for _ in range(members)]
        for person in people[:count]:
            person.send_report()
        coop.release()
        return coop

    return make


@pytest.fixture
def exported(tmp_path):
    def export(coop):
        folder = tmp_path / "export"
        export_log(coop.leader, folder)
        return folder

    return export


@pytest.mark.parametrize("count", [0, 1, 2])
def test_r3_its_size_must_not_be_told_by_the_export(release_of, exported, count):
    folder = exported(release_of(count))
    text = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert not re.search(r"report_count|epsilon_sum", text)


def test_r3_the_export_holds_no_key_nor_root_to_try_sizes_against(release_of, exported):
    coop = release_of(1)
    with coop.leader.database.read() as connection:
        batch = batch_of(connection, coop.task.digest)
        (kept,) = [
            known for known in all_operator_bodies(connection) if known.position == batch.leaf_index
        ]
    folder = exported(coop)
    text = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert batch.root not in text
    assert kept.commitment_key not in text
    positions = [
        json.loads(line)["position"]
        for line in (folder / "operator.jsonl").read_text().splitlines()
    ]
    assert positions == [0, batch.leaf_index + 1]


def test_a_batch_at_the_minimum_is_opened_with_its_size(release_of, exported):
    text = (exported(release_of(2, minimum=2)) / "operator.jsonl").read_text()
    assert r"\"report_count\":2" in text


@pytest.mark.parametrize("path", [*PAGES, *ANSWERS])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_r3_its_size_must_not_be_told_by_answers_and_pages(release_of, serve, path, count):
    answer = serve(release_of(count).leader).get(path)
    assert answer.status_code == 200
    assert not re.search(r"report_count|epsilon_sum", answer.text)
    assert not re.search(rf"\b{count} (réponse|answer)", answer.text)
    assert '"n":0' in answer.text or '"n":' not in answer.text


@pytest.mark.parametrize("command", ["aggregate", "task list"])
def test_r3_its_size_must_not_be_told_by_the_terminal(run_cli, territory_file, clock, command):
    clock.advance(days=14)
    run_cli("init", "--name", "Coopérative", "--origin", "coop.example/log")
    run_cli("territory", "import", territory_file)
    run_cli("task", "create", "--trust-mode", "local", "--week", WEEK, "--min-batch", "30")
    run_cli("task", "sign", "--week", WEEK)
    _code, out, err = run_cli("aggregate", "--week", WEEK, "--json")
    if command == "task list":
        _code, out, err = run_cli("task", "list", "--json")
    answer = json.loads(out)
    row = answer[0] if isinstance(answer, list) else answer
    assert row.get("reports", row.get("report_count")) is None
    assert not {"root", "excluded_count", "epsilon_sum_micro"} & {k for k, v in row.items() if v}
    assert re.search("< 30|[Mm]oins de 30", err)


@pytest.fixture
def territory_file(write_territory, squares):
    return write_territory(squares)
