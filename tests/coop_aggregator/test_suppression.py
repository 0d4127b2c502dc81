"""R3, protocol: "A batch smaller than the task's minimum MUST NOT be published [...] and its size
MUST NOT be told." Whatever leaves the cooperative is the same for any size below the minimum."""

import json
import re

import pytest

from coop_aggregator.db.log import all_operator_bodies
from coop_aggregator.db.reports import batch_of
from coop_aggregator.export import export_log

MINIMUM = 30
PAGES = [
    "/fr/",
    "/en/",
    "/fr/publications/2026-W46",
    "/en/publications/2026-W46/zones/kilometres/car",
]
ANSWERS = ["/v1/tasks", "/v1/releases", "/v1/releases/2026-W46.json", "/v1/releases/2026-W46.csv"]


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
def test_r3_its_size_must_not_be_told_by_the_terminal(run_cli, territory_file, command):
    run_cli("init", "--name", "Coopérative", "--origin", "coop.example/log")
    run_cli("territory", "import", territory_file)
    run_cli("task", "create", "--trust-mode", "local", "--week", "2025-W10", "--min-batch", "30")
    run_cli("task", "sign", "--week", "2025-W10")
    _code, out, err = run_cli("aggregate", "--week", "2025-W10", "--json")
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
