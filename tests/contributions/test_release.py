import csv
import io
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contributions.errors import Malformed
from contributions.estimate import local_release, local_rows
from contributions.measures import Measure
from contributions.release import CSV_COLUMNS, Release
from contributions.release_row import CoordinateNoise, Quality, ReleaseRow


@pytest.fixture(scope="session")
def release(task):
    rows = [
        *local_rows((1000, -3, 7, 4000, 5, 6, 7, 8), task, zone=None, n=30),
        *local_rows((900, -3, 7, 3000, 5, 6, 7, 8), task, zone="17300", n=27),
        *local_rows((100, 0, 0, 1000, 0, 0, 0, 0), task, zone="17028", n=3),
    ]
    return local_release(
        rows, task, n=30, epsilon_week_micro=1_500_000, software_version="mobilites 0.1.0"
    )


def _row(**changes):
    fields = {
        "zone": "17300",
        "measure": Measure.KILOMETRES,
        "label": "car",
        "value": 12.0,
        "ci95_low": -3.0,
        "ci95_high": 27.0,
        "noise_sd": 8.0,
        "n": 12,
        "quality": Quality.PUBLISHED,
    }
    return ReleaseRow(**(fields | changes))


SUPPRESSED = dict.fromkeys(["value", "ci95_low", "ci95_high", "noise_sd", "n"]) | {
    "quality": Quality.SUPPRESSED
}


def test_the_bytes_of_a_release_round_trip_byte_for_byte(release):
    assert Release.parse(release.to_bytes()) == release
    assert Release.parse(release.to_bytes()).to_bytes() == release.to_bytes()


def test_the_bytes_of_a_release_hold_no_float(release):
    json.loads(release.to_bytes(), parse_float=pytest.fail)


def test_every_statement_owed_to_a_reader_is_on_the_wire(release):
    """R5: A release MUST state ε, adjacency, mechanism, noise, n and trust."""
    stated = json.loads(release.to_bytes())
    assert stated["privacy_unit"] == "resident-week"
    assert stated["adjacency"] == "replacement"
    assert stated["trust_mode"] == "local"
    assert (stated["epsilon_micro"], stated["delta"]) == (1_000_000, "0")
    assert stated["epsilon_week_micro"] == 1_500_000
    assert stated["epsilon_52_weeks_micro"] == 78_000_000
    assert stated["mechanism"] == "local-discrete-laplace"
    assert (stated["scale"], stated["cap_units"], stated["n"]) == ("3/4", 1000, 30)
    assert stated["noise_vs_two_keepers"] == "3.9"
    assert stated["trust_fr"] != stated["trust_en"]
    assert stated["software_version"] == "mobilites 0.1.0"
    assert [level["label"] for level in stated["noise"]][3] == "car"


@settings(max_examples=100, deadline=None)
@given(
    value=st.floats(-1e11, 1e11),
    below=st.floats(0, 1e11),
    above=st.floats(0, 1e11),
    n=st.integers(1),
)
def test_a_row_round_trips_whatever_its_figures(value, below, above, n):
    row = _row(value=value, ci95_low=value - below, ci95_high=value + above, n=1 + n % 10**9)
    assert ReleaseRow.from_json(row.to_json()) == row


def test_a_figure_is_written_with_exactly_one_decimal():
    row = _row(value=12.349, ci95_low=-0.04, ci95_high=27)
    written = row.to_json()
    assert (written["value"], written["ci95_low"], written["ci95_high"]) == ("12.3", "0.0", "27.0")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"value": None}, id="no figure"),
        pytest.param({"n": None}, id="no count"),
        pytest.param({"noise_sd": None}, id="no noise"),
        pytest.param({"noise_sd": -0.1}, id="a negative noise"),
        pytest.param({"n": 0}, id="nobody"),
        pytest.param({"value": 30.0}, id="outside its interval"),
        pytest.param({"value": math.nan}, id="not a number"),
        pytest.param({"ci95_high": math.inf}, id="infinite"),
        pytest.param({"ci95_low": -1e13}, id="beyond any territory"),
        pytest.param({"zone": "a b"}, id="no zone code"),
        pytest.param({"label": "a car"}, id="no label"),
        pytest.param({"quality": "published"}, id="a text for a quality"),
        pytest.param({"quality": Quality.SUPPRESSED}, id="suppressed with figures"),
        pytest.param(
            SUPPRESSED | {"n": 12},
            id="suppressed with its count",
        ),
        pytest.param(
            SUPPRESSED | {"noise_sd": 8.0},
            id="suppressed with its noise, which under local tells its count",
        ),
    ],
)
def test_a_row_out_of_bounds_is_refused(changes):
    with pytest.raises(Malformed):
        _row(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"extra": 1}, id="unknown key"),
        pytest.param({"v": True}, id="a boolean version"),
        pytest.param({"delta": "1e-6"}, id="another delta"),
        pytest.param({"privacy_unit": "trip"}, id="another unit"),
        pytest.param({"trust_mode": "central"}, id="unknown trust mode"),
        pytest.param({"week": "2026-W60"}, id="no such week"),
        pytest.param({"task_digest": "ab"}, id="short digest"),
        pytest.param({"epsilon_week_micro": 999_999}, id="a week under its task"),
        pytest.param({"epsilon_52_weeks_micro": 999_999}, id="a year under its week"),
        pytest.param({"epsilon_52_weeks_micro": 52 * 1_500_000 + 1}, id="a year over its weeks"),
        pytest.param({"noise": []}, id="no noise stated"),
        pytest.param({"noise_vs_two_keepers": 3.9}, id="a float"),
        pytest.param({"noise_vs_two_keepers": "3.90"}, id="two decimals"),
        pytest.param({"noise_vs_two_keepers": "-0.0"}, id="a signed zero"),
        pytest.param({"rows": {}}, id="an object for rows"),
        pytest.param({"rows": [{}]}, id="an empty row"),
        pytest.param({"min_batch_size": 28}, id="a row below the minimum batch"),
        pytest.param({"trust_fr": "a\nb"}, id="a line break"),
    ],
)
def test_release_bytes_out_of_the_format_are_refused(release, changes):
    value = json.loads(release.to_bytes()) | changes
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with pytest.raises(Malformed):
        Release.parse(data.encode())


def test_a_row_twice_is_refused(release):
    value = json.loads(release.to_bytes())
    value["rows"] += value["rows"][:1]
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with pytest.raises(Malformed):
        Release.parse(data.encode())


def test_a_mode_whose_noise_is_not_stated_is_refused(release):
    value = json.loads(release.to_bytes())
    value["noise"].pop()
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with pytest.raises(Malformed):
        Release.parse(data.encode())


def test_a_row_of_the_territory_with_another_noise_than_stated_is_refused(release):
    value = json.loads(release.to_bytes())
    value["rows"][0]["noise_sd"] = "1.0"
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with pytest.raises(Malformed):
        Release.parse(data.encode())


def test_a_negative_sd_is_refused():
    with pytest.raises(Malformed):
        CoordinateNoise(measure=Measure.KILOMETRES, label="car", weight=600, noise_sd=-1.0)


def test_the_csv_has_the_published_columns_and_one_line_a_row(release):
    lines = list(csv.reader(io.StringIO(release.to_csv().decode("utf-8"))))
    assert tuple(lines[0]) == CSV_COLUMNS
    assert len(lines) == 1 + len(release.rows)


def test_a_published_line_of_the_csv_reads_like_its_row(release):
    line = dict(zip(CSV_COLUMNS, release.csv_rows()[3], strict=True))
    row = release.rows[3]
    assert line == {
        "period": "2026-W46",
        "zone": "",
        "indicator": "kilometres",
        "unit": "km",
        "label": "car",
        "value": "1800.0",
        "ci95_low": f"{row.ci95_low:.1f}",
        "ci95_high": f"{row.ci95_high:.1f}",
        "noise_sd": f"{row.noise_sd:.1f}",
        "n_noisy": "30",
        "epsilon": "1",
        "mechanism": "local-discrete-laplace",
        "quality": "published",
        "method_version": "mobilites 0.1.0",
        "ef_version": "",
        "privacy_unit": "resident-week",
        "adjacency": "replacement",
        "delta": "0",
        "epsilon_week": "1.5",
        "epsilon_52_weeks": "78",
        "epsilon_52_weeks_pld": f"{release.epsilon_52_weeks_pld_micro / 10**6:.6f}".rstrip("0"),
        "delta_pld": "0.000001",
        "trust_mode": "local",
    }


def test_a_suppressed_line_of_the_csv_shows_no_figure(release):
    line = dict(zip(CSV_COLUMNS, release.csv_rows()[-1], strict=True))
    assert (line["zone"], line["quality"]) == ("17028", "suppressed")
    held_back = ("value", "ci95_low", "ci95_high", "noise_sd", "n_noisy")
    assert [line[name] for name in held_back] == [""] * 5
