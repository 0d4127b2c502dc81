"""The command `python -m carbon`, as people script against it."""

import json
import subprocess
import sys

import pytest

from carbon.__main__ import main
from carbon.factors import load_factor_set

CAR = ["--mode", "car_petrol", "--distance-km", "100"]


def test_json_gives_both_figures_with_their_interval(capsys):
    assert main([*CAR, "--occupants", "2", "--date", "2026-11-02", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    expected = {
        "usage_kg_co2e": {"value": 9.89, "low": 3.956, "high": 15.824},
        "life_cycle_kg_co2e": {"value": 11.15, "low": 4.46, "high": 17.84},
    }
    assert {key: answer[key] for key in expected} == {
        key: pytest.approx(figures) for key, figures in expected.items()
    }


def test_json_names_the_factors_and_the_bytes_they_come_from(capsys):
    main([*CAR, "--factor-set", "factors-2026-11", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert (answer["factor_ids"], answer["factor_set"]) == (
        ["car_petrol.bc22.27965"],
        {"name": "factors-2026-11", "sha256": load_factor_set("factors-2026-11").sha256},
    )


def test_json_shows_how_weak_the_evidence_is(capsys):
    main(["--mode", "bike", "--distance-km", "1", "--json"])
    (factor,) = json.loads(capsys.readouterr().out)["factors"]
    assert (factor["evidence"], factor["u95_basis"]) == ("C", "chosen")


def test_text_gives_both_figures_and_their_source(capsys):
    assert main([*CAR]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "Usage, du puits à la roue / well-to-wheel: 19.780 kgCO2e [7.912 ; 31.648]",
        "Cycle de vie / life cycle: 22.300 kgCO2e [8.920 ; 35.680]",
    ]


def test_without_a_date_the_newest_factors_hold(capsys):
    main([*CAR, "--json"])
    last_day = load_factor_set().last_day.isoformat()
    assert json.loads(capsys.readouterr().out)["date"] == last_day


MEASURED = ["--mode", "car", "--distance-km", "100", "--date", "2026-11-02"]


def test_a_measured_consumption_beats_the_class(capsys):
    main([*MEASURED, "--energy", "petrol", "--per-100-km", "6", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["usage_kg_co2e"]["value"] == pytest.approx(6 * 2.70)


@pytest.mark.parametrize("form", [["--json"], []])
def test_a_factor_that_stands_in_is_said(capsys, form):
    main([*MEASURED, "--energy", "electricity", "--per-100-km", "18", "--country", "DE", *form])
    assert "electricity DE 2026: used DE 2011" in capsys.readouterr().out


def test_a_flight_may_leave_its_contrails_out(capsys):
    flight = ["--mode", "plane", "--distance-km", "800", "--date", "2026-11-02", "--json"]
    main([*flight, "--no-contrails"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["life_cycle_kg_co2e"]["value"] == pytest.approx(98.8576)


def test_another_factor_set_shows_what_it_changes(capsys):
    tgv = ["--mode", "train_tgv", "--distance-km", "100", "--date", "2019-07-01"]
    main([*tgv, "--against", "factors-2026-11", "--json"])
    against = json.loads(capsys.readouterr().out)["against"]
    assert against["change_life_cycle_kg_co2e"]["value"] == pytest.approx(0.293 - 0.236)
    assert against["moves"][0]["after"] == ["train_tgv.bc23.43256"]


def test_another_factor_set_shows_its_changes_in_words(capsys):
    tgv = ["--mode", "train_tgv", "--distance-km", "100", "--date", "2019-07-01"]
    main([*tgv, "--against", "factors-2026-11"])
    assert "train_tgv.bc22.28145 -> train_tgv.bc23.43256" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("exit_code", "field", "arguments"),
    [
        (1, "distance_m", ["--mode", "bus", "--distance-km", "-5"]),
        (1, "distance_m", ["--mode", "bus", "--distance-km", "nan"]),
        (1, "distance_m", ["--mode", "bus", "--distance-km", "1e308"]),
        (1, "occupants", [*CAR, "--occupants", "0"]),
        (1, "on", [*CAR, "--date", "1999-12-31"]),
        (1, "factor_set", [*CAR, "--factor-set", "../secret"]),
        (2, "--mode", ["--mode", "skate\nboard", "--distance-km", "1"]),
        (2, "--distance-km", ["--mode", "bus", "--distance-km", "far"]),
        (2, "--distance-km", ["--mode", "bus"]),
        (2, "--date", [*CAR, "--date", "2/11/2026"]),
        (1, "per_100_km", [*CAR, "--energy", "petrol", "--per-100-km", "-6"]),
        (1, "consumption", [*CAR, "--energy", "diesel", "--per-100-km", "6"]),
        (1, "factor_set", [*CAR, "--against", "factors-1999-01"]),
        (2, "--per-100-km", [*CAR, "--energy", "petrol"]),
        (2, "--energy", [*CAR, "--energy", "coal", "--per-100-km", "6"]),
        (2, "--speed", [*CAR, "--speed\n3"]),
    ],
)
def test_bad_input_gives_one_line_that_names_the_field(capsys, exit_code, field, arguments):
    assert main(arguments) == exit_code
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n"), field in captured.err) == ("", 1, True)


def test_the_module_runs_as_a_command():
    command = [sys.executable, "-m", "carbon", *CAR, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["mode"] == "car_petrol"


def test_the_command_ends_with_the_exit_code_of_the_failure():
    command = [sys.executable, "-m", "carbon", "--mode", "bus", "--distance-km", "-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
