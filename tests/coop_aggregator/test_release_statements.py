"""What each published release says of itself, in its JSON, its CSV and its page, in both modes."""

import csv
import io
import json
import math
import re
from importlib.metadata import version

import pytest

from coop_aggregator.executors import InlineExecutor
from coop_aggregator.release import publish

WEEK = "2026-W46"
VERSION = f"mobilites-en-commun {version('mobilites-en-commun')}"


@pytest.fixture(params=["local", "two-keepers"])
def released(request, make_coop, make_keepers, light_settings):
    """Return a cooperative, by trust mode, that published a week of four answers."""
    if request.param == "local":
        coop = make_coop(light_settings)
        for zone in "AAAABBCC":
            coop.resident(zone).send_report()
    else:
        coop = make_keepers(light_settings)
        for zone in "AAAABBCC":
            coop.resident(zone).send_sealed()
    coop.after_deadline()
    publish(coop.leader, WEEK, executor=InlineExecutor(), channel=coop.channel)
    return coop


def sd_km(task, n):
    """Return the sd of the noise of kilometres by car, from the design's own equations.

    Var of one draw of scale b is 2q/(1-q)², q = e^(-1/b). local: b = 2Q/ε, one draw a report;
    two keepers: b = Q/ε of the level (half of ε each), one draw a keeper. A unit is W·S/Q km.
    """
    cap, epsilon = task.cap_units, task.epsilon_micro / 10**6
    local = task.trust_mode.value == "local"
    scale, draws = (2 * cap / epsilon, n) if local else (cap / (epsilon / 2), 2)
    q = math.exp(-1 / scale)
    unit_km = 600 * float(task.scale) / cap
    return math.sqrt(draws * 2 * q) / (1 - q) * unit_km


def expected_of(task):
    """Return what a release owes its readers, by the names of its JSON."""
    local = task.trust_mode.value == "local"
    return {
        "privacy_unit": "resident-week",
        "adjacency": "replacement" if local else "zero_out",
        "epsilon_micro": 4_000_000 if local else 1_000_000,
        "epsilon_week_micro": 4_000_000 if local else 1_000_000,
        "epsilon_52_weeks_micro": 208_000_000 if local else 52_000_000,
        "delta": "0",
        "delta_pld": "0.000001",
        "mechanism": "local-discrete-laplace" if local else "two-keepers-discrete-laplace",
        "trust_mode": task.trust_mode.value,
        "n": 8,
        "software_version": VERSION,
    }


def test_the_json_states_everything_that_is_owed(released, serve):  # R5
    answer = serve(released.leader).get(f"/v1/releases/{WEEK}.json").json()
    expected = expected_of(released.task)
    assert {name: answer[name] for name in expected} == expected
    assert 0 < answer["epsilon_52_weeks_pld_micro"] < answer["epsilon_52_weeks_micro"]
    assert ("un des deux est honnête" in answer["trust_fr"]) == (released.channel is not None)
    cars = {row["zone"]: row for row in answer["rows"] if row["label"] == "car"}
    assert {zone: row["n"] for zone, row in cars.items()} == {None: 8, "A": 4, "B": 2, "C": 2}
    for row in cars.values():
        expected_km = sd_km(released.task, row["n"])
        assert float(row["noise_sd"]) == pytest.approx(expected_km, rel=1e-3)


def test_each_line_of_the_csv_states_everything_that_is_owed(released, serve):  # R5
    client = serve(released.leader)
    stated = json.loads(client.get(f"/v1/releases/{WEEK}.json").content)
    text = client.get(f"/v1/releases/{WEEK}.csv").text
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 4 * 8
    expected = expected_of(released.task)
    for line, row in zip(lines, stated["rows"], strict=True):
        for name in ("privacy_unit", "adjacency", "delta", "delta_pld", "mechanism", "trust_mode"):
            assert line[name] == expected[name]
        assert float(line["epsilon"]) == expected["epsilon_micro"] / 10**6
        assert float(line["epsilon_week"]) == expected["epsilon_week_micro"] / 10**6
        assert float(line["epsilon_52_weeks"]) == expected["epsilon_52_weeks_micro"] / 10**6
        pld = stated["epsilon_52_weeks_pld_micro"] / 10**6
        assert float(line["epsilon_52_weeks_pld"]) == pld
        assert (line["n_noisy"], line["method_version"]) == (str(row["n"]), VERSION)
        assert (line["noise_sd"], line["zone"]) == (row["noise_sd"], row["zone"] or "")


def facts_of(html):
    """Return the page's statements by name."""
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", html, flags=re.DOTALL)
    return {name: value.replace("\u202f", " ").replace("\xa0", " ") for name, value in pairs}


def test_the_page_states_everything_that_is_owed(released, serve):  # R5
    html = serve(released.leader).get(f"/en/publications/{WEEK}").text
    facts, local = facts_of(html), released.channel is None
    assert facts["Unit protected"] == "one week of one person"
    assert ("any other" in facts["Adjacency"]) == local
    assert facts["ε of this question"] == facts["ε of the week"] == ("4" if local else "1")
    assert facts["ε over 52 weeks"] == ("208" if local else "52")
    assert facts["δ"] == "0"
    assert float(facts["The same, by a finer account (δ = one in a million)"]) < 208
    assert "discrete Laplace" in facts["Mechanism"]
    assert facts["Answers added up"] == "8"
    assert facts["Software version"] == VERSION
    territory = facts["Standard deviation of the noise (territory)"]
    zones = facts["Standard deviation of the noise (each zone)"]
    of_car = f"By car {sd_km(released.task, 8):,.0f} km"
    assert of_car in territory
    two, four = (f"{sd_km(released.task, n):,.0f} km" for n in (2, 4))
    assert (f"By car {two} to {four}" if local else f"By car {two}") in zones
    trusted = "depends neither on the authority" if local else "as long as one of them is honest"
    assert trusted in html
