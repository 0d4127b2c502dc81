"""The command line: the documents that scripts read, the sentences that people read, exit codes."""

import json
import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from carbon.modes import TransportMode
from personal_store.cli import program
from personal_store.trips.timeline import SURE_FROM

PASSPHRASE = "trois mots au hasard"


class TestInit:
    def test_it_makes_a_store_that_the_passphrase_opens(self, run, answer, data) -> None:
        code, out, err = run("init")
        assert (code, out) == (0, "")
        assert str(data) in err
        assert answer("trips") == []

    def test_it_shows_a_recovery_code_that_replaces_the_passphrase(
        self, run, tmp_path, options
    ) -> None:
        _, _, err = run("init")
        code_file, new_file = tmp_path / "code", tmp_path / "new"
        code_file.write_text(re.findall(r"(?:[A-Z2-7]{4}-){7}[A-Z2-7]{4}", err)[0])
        new_file.write_text("une autre phrase\n")
        renewed = [*options[:3], str(new_file)]
        assert run("recover", "--code-file", code_file, options=renewed)[0] == 0
        assert run("trips", options=renewed)[0] == 0
        assert run("trips")[0] == 1

    def test_what_it_makes_is_closed_to_others(self, run, data) -> None:
        run("init")
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()} == {0o600}

    def test_it_never_touches_a_store_that_is_there(self, run, ready) -> None:
        before = {file.name: file.read_bytes() for file in ready.iterdir()}
        code, _, err = run("init")
        assert code == 1
        assert "existe déjà" in err
        assert {file.name: file.read_bytes() for file in ready.iterdir()} == before


class TestDocuments:
    """Shapes exactly as docs/cli.md and the design say."""

    @pytest.fixture(autouse=True)
    def _store(self, ready: Path) -> None:
        """Use a store that is ready."""

    def test_import(self, answer, gpx_file, outing) -> None:
        count = len(outing().points)
        assert answer("import", gpx_file) == {
            "files": [
                {
                    "path": str(gpx_file),
                    "format": "gpx",
                    "read": count,
                    "new": count,
                    "duplicate": 0,
                    "rejected": 0,
                    "reasons": {},
                    "evidence": {"read": 0, "new": 0},
                    "resumed_entries": 0,
                    "skipped": [],
                }
            ],
            "refused": [],
            "positionfixes": count,
            "trips": 1,
        }

    def test_import_again(self, answer, gpx_file, outing) -> None:
        first = answer("import", gpx_file)
        second = answer("import", gpx_file)
        assert second["files"][0]["new"] == 0
        assert second["files"][0]["duplicate"] == len(outing().points)
        assert (second["positionfixes"], second["trips"]) == (first["positionfixes"], 1)

    def test_import_counts_what_it_rejects_by_reason(self, run, tmp_path) -> None:
        file = tmp_path / "old.gpx"
        point = '<trkpt lat="46.1" lon="-1.1"><time>1970-01-01T00:00:00Z</time></trkpt>'
        file.write_text(f"<gpx><trk><trkseg>{point * 3}</trkseg></trk></gpx>")
        code, out, _ = run("import", file, "--json")
        (report,) = json.loads(out)["files"]
        assert (code, report["read"], report["new"], report["rejected"]) == (1, 3, 0, 3)
        assert report["reasons"] == {"before-1990": 3}

    def test_import_names_reasons_in_french_as_the_page_does(self, run, tmp_path) -> None:
        file = tmp_path / "old.gpx"
        point = '<trkpt lat="46.1" lon="-1.1"><time>1970-01-01T00:00:00Z</time></trkpt>'
        file.write_text(f"<gpx><trk><trkseg>{point * 3}</trkseg></trk></gpx>")
        assert "(avant 1990 : 3)" in run("import", file)[2]

    def test_a_bad_file_fails_alone_and_the_others_go_in(
        self, run, tmp_path, gpx_file, outing
    ) -> None:
        bad = tmp_path / "bad.gpx"
        bad.write_text(gpx_file.read_text()[:-100])
        code, out, err = run("import", bad, gpx_file, "--json")
        assert code == 1
        document = json.loads(out)
        assert [each["path"] for each in document["files"]] == [str(gpx_file)]
        assert [each["path"] for each in document["refused"]] == [str(bad)]
        assert document["positionfixes"] == len(outing().points)
        assert err.startswith("bad.gpx : ")

    def test_process(self, answer, gpx_file, outing) -> None:
        answer("import", gpx_file)
        assert answer("process") == {"positionfixes": len(outing().points), "trips": 1}

    def test_trips(self, answer, gpx_file, outing) -> None:
        answer("import", gpx_file)
        (trip,) = answer("trips")
        assert set(trip) == {
            *(
                "trip_id",
                "device",
                "device_name",
                "start",
                "end",
                "day",
                "utc_offset_min",
                "distance_m",
                "counted",
            ),
            *("purpose", "note", "legs"),
        }
        assert trip["counted"] is True
        assert trip["distance_m"] == pytest.approx(outing().distance_m, rel=0.05)
        for leg in trip["legs"]:
            assert set(leg) == {
                *("mode", "probability", "modes", "start", "end"),
                *("distance_m", "gap_m", "estimated", "source", "occupants", "line"),
            }
            assert leg["probability"] >= max(leg["modes"].values())
            assert (leg["mode"] == "unknown") == (leg["probability"] < SURE_FROM)
            assert leg["estimated"] == (leg["gap_m"] > 0)
            assert leg["start"].endswith("+00:00")
        assert trip["start"] == trip["legs"][0]["start"]

    def test_trips_with_geometry(self, answer, gpx_file) -> None:
        answer("import", gpx_file)
        (trip,) = answer("trips", "--geometry")
        geometry = trip["legs"][0]["geometry"]
        assert geometry["type"] == "LineString"
        lon, lat = geometry["coordinates"][0]
        assert lon == pytest.approx(-1.15, abs=0.01)
        assert lat == pytest.approx(46.16, abs=0.01)

    def test_trips_of_an_empty_store(self, answer) -> None:
        assert answer("trips") == []

    def test_footprint(self, answer, gpx_file) -> None:
        answer("import", gpx_file)
        document = answer("footprint", "--from", "2026-11-09", "--to", "2026-11-16")
        assert set(document) == {
            *("period", "trips", "factor_set", "usage_kg_co2e", "life_cycle_kg_co2e"),
            *("cost_eur", "cost_lacks_price_of", "by_mode", "distance_m"),
        }
        assert document["trips"] == 1
        assert set(document["factor_set"]) == {"name", "sha256"}
        for figures in (document, *document["by_mode"].values()):
            for name in ("usage_kg_co2e", "life_cycle_kg_co2e"):
                interval = figures[name]
                assert set(interval) == {"value", "low", "high"}
                assert interval["low"] <= interval["value"] <= interval["high"]
        assert sum(document["distance_m"].values()) == pytest.approx(4500, rel=0.05)

    def test_footprint_with_a_price_costs_that_price_a_kilometre(self, answer, gpx_file) -> None:
        answer("import", gpx_file)
        week = ("footprint", "--from", "2026-11-09", "--to", "2026-11-16")
        one, two = (
            answer(*week, *(f"--price={mode}={eur}" for mode in TransportMode))
            for eur in (0.1, 0.2)
        )
        assert 0 < one["cost_eur"] == pytest.approx(two["cost_eur"] / 2, abs=0.01)
        assert one["cost_lacks_price_of"] == []
        assert answer(*week)["cost_eur"] is None

    def test_whatif_by_another_mode(self, answer, gpx_file) -> None:
        answer("import", gpx_file)
        asked = ("whatif", "other-mode", "--from", "2026-11-01", "--to", "2026-12-01")
        near = answer(*asked, "--by", "bike", "--under-km", "0.1")
        far = answer(*asked, "--by", "carpool", "--under-km", "1000")
        assert (near["scenario"], near["legs"]) == ("other-mode", 0)
        assert far["legs"] > 0
        assert far["life_cycle_kg_co2e"]["value"] < 0

    @pytest.mark.usefixtures("ready")
    def test_a_scenario_that_is_not_composed_is_refused_in_words(self, run) -> None:
        period = ("--from", "2026-11-01", "--to", "2026-12-01")
        assert "--by" in run("whatif", "other-mode", *period)[2]
        assert "--by" in run("whatif", "electric-car", *period, "--by", "bike")[2]
        walking = ("--by", "train", "--instead-of", "walk")
        assert "n'a pas de moteur" in run("whatif", "other-mode", *period, *walking)[2]

    def test_whatif(self, answer, gpx_file) -> None:
        answer("import", gpx_file)
        week = ("--from", "2026-11-09", "--to", "2026-11-16")
        document = answer("whatif", "electric-car", *week)
        assert document["scenario"] == "electric-car"
        assert document["life_cycle_kg_co2e"]["value"] <= 0
        assert document["cost_eur"] is None

    def test_places_of_an_empty_store(self, answer) -> None:
        nothing = {"places": [], "proposals": [], "zone": None, "confirmed_zone": None}
        assert answer("places") == nothing

    @pytest.mark.usefixtures("ready")
    def test_a_zone_is_confirmed_by_its_code_and_named_by_the_outlines(
        self, answer, run, tmp_path
    ) -> None:
        square = [[[-1.2, 46.1], [-1.1, 46.1], [-1.1, 46.2], [-1.2, 46.2], [-1.2, 46.1]]]
        feature = {
            "type": "Feature",
            "properties": {"code": "17300", "nom": "La Rochelle"},
            "geometry": {"type": "Polygon", "coordinates": square},
        }
        territory = tmp_path / "territory.geojson"
        territory.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        assert answer("places", "--confirm-zone", "17028")["confirmed_zone"] == {
            "code": "17028",
            "name": "17028",
        }
        outlines = ("places", "--territory", territory)
        confirmed = answer(*outlines, "--confirm-zone", "17300")["confirmed_zone"]
        assert confirmed == {"code": "17300", "name": "La Rochelle"}
        assert "99999" in run(*outlines, "--confirm-zone", "99999")[2]
        assert answer("places")["confirmed_zone"] == confirmed
        assert "code officiel" in run("places", "--confirm-zone", "La Rochelle")[2]

    def test_a_period_is_whole_days_of_paris_without_the_last(self, answer, gpx_file) -> None:
        answer("import", gpx_file)
        document = answer("footprint", "--from", "2026-11-09", "--to", "2026-11-10")
        assert document["period"] == {
            "from": "2026-11-09T00:00:00+01:00",
            "to": "2026-11-10T00:00:00+01:00",
        }
        assert document["trips"] == 1
        before = answer("footprint", "--from", "2026-11-08", "--to", "2026-11-09")
        assert before["trips"] == 0

    @pytest.mark.parametrize("command", [("footprint",), ("whatif", "electric-car")])
    def test_the_longest_period_that_can_be_written_holds_every_trip(
        self, answer, gpx_file, command
    ) -> None:
        answer("import", gpx_file)
        ever, week = (
            answer(*command, "--from", first, "--to", last)
            for first, last in (("0001-01-01", "9999-12-31"), ("2026-11-09", "2026-11-16"))
        )
        assert ever["life_cycle_kg_co2e"] == week["life_cycle_kg_co2e"]

    def test_footprint_of_nothing(self, answer) -> None:
        document = answer("footprint", "--from", "2026-11-09", "--to", "2026-11-16")
        assert document["trips"] == 0
        assert document["by_mode"] == {}
        assert document["life_cycle_kg_co2e"] == {"value": 0, "low": 0, "high": 0}

    def test_ledger_of_a_store_that_shared_nothing(self, answer) -> None:
        assert answer("ledger") == {
            "contributions": [],
            "presumed": [],
            "epsilon_spent": 0,
            "epsilon_52_weeks": 0,
            "epsilon_52_weeks_pld": 0,
            "delta_pld": 1e-6,
            "epsilon_cap_52_weeks": 208,
        }

    def test_consents_of_a_store_that_chose_nothing(self, answer) -> None:
        assert answer("consents", "list") == []

    @pytest.mark.usefixtures("ready")
    def test_device_shows_its_token_once(self, run) -> None:
        code, out, err = run("devices", "add", "téléphone")
        assert code == 0
        document = json.loads(out)
        assert document["device"] == "téléphone"
        assert len(document["token"]) >= 32
        assert document["token"] not in err

    def test_nothing_but_the_document_is_on_standard_output(self, run, gpx_file) -> None:
        _, out, err = run("import", gpx_file, "--json")
        json.loads(out)
        assert "positions lues" in err
        _, out, _ = run("import", gpx_file)
        assert out == ""


class TestLanguages:
    """French unless English is asked for."""

    @pytest.mark.parametrize(
        ("environment", "before", "english"),
        [
            ({}, [], False),
            ({}, ["--lang", "en"], True),
            ({}, ["--lang=en"], True),
            ({"LANG": "en_GB.UTF-8"}, [], True),
            ({"LANG": "fr_FR.UTF-8"}, [], False),
            ({"LANG": "de_DE.UTF-8"}, [], False),
            ({"LANG": "C.UTF-8"}, [], False),
            ({"LC_ALL": "fr_FR.UTF-8", "LANG": "en_GB.UTF-8"}, [], False),
            ({"LC_MESSAGES": "en_GB.UTF-8", "LANG": "fr_FR.UTF-8"}, [], True),
            ({"LC_ALL": "", "LANG": "en_GB.UTF-8"}, [], True),
            ({"LANG": "en_GB.UTF-8"}, ["--lang", "fr"], False),
            ({"PERSONAL_STORE_LANGUAGE": "en"}, [], True),
            ({"PERSONAL_STORE_LANGUAGE": "fr", "LANG": "en_GB.UTF-8"}, [], False),
        ],
        ids=str,
    )
    @pytest.mark.usefixtures("ready")
    def test_sentences_and_errors_speak_the_same_language(
        self, run, environment, before, english
    ) -> None:
        code, _, said = run(*before, "process", **environment)
        assert code == 0
        assert ("recomputed" in said, "recalculé" in said) == (english, not english)
        enrol = ("enrol", "x", "--code", "", "--zone", "")
        code, _, refused = run(*before, *enrol, **environment)
        assert code == 1
        assert ("expected form" in refused, "forme attendue" in refused) == (english, not english)

    @pytest.mark.usefixtures("ready")
    def test_both_languages_say_every_result(self, run, options, gpx_file, tmp_path) -> None:
        key_file = tmp_path / "key"
        key_file.write_text("the phone's")
        commands = [
            ["import", gpx_file],
            ["process"],
            ["trips"],
            ["footprint", "--from", "2026-11-09", "--to", "2026-11-16"],
            ["ledger"],
            ["devices", "add", "telephone"],
            ["devices", "list"],
            ["devices", "rename", "telephone", "mine"],
            ["devices", "key", "telephone", "--key-file", key_file],
            ["unlock"],
        ]
        for command in commands:
            (french_code, _, french), (english_code, _, english) = (
                run(*command, options=[*options, "--lang", language]) for language in ("fr", "en")
            )
            assert (french_code, english_code) == (0, 0)
            assert french.strip()
            assert english.strip()
            assert french != english or command == ["trips"], command


class TestUsage:
    """Wrong use is exit code 2, and never a traceback."""

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["nonsense"],
            ["import"],
            ["footprint"],
            ["footprint", "--from", "2026-11-16", "--to", "2026-11-09"],
            ["footprint", "--from", "2026-11-16", "--to", "2026-11-16"],
            ["footprint", "--from", "yesterday", "--to", "today"],
            ["--lang", "de", "trips"],
            ["trips", "--unknown"],
            ["consents"],
            ["consents", "nonsense"],
        ],
        ids=" ".join,
    )
    def test_wrong_use_ends_with_2_and_no_traceback(self, run, arguments) -> None:
        code, out, err = run(*arguments)
        assert code == 2
        assert "Traceback" not in out + err

    def test_help_ends_with_0(self, run) -> None:
        code, out, _ = run("--help")
        assert code == 0
        assert "import" in out

    def test_the_passphrase_is_no_argument(self, run) -> None:
        assert run("--passphrase", PASSPHRASE, "trips", options=[])[0] == 2

    def test_every_command_has_help_in_both_languages(self) -> None:
        runner = CliRunner()
        for command in ("init", "import", "trips", "footprint", "enrol", "preview", "ledger"):
            shown = runner.invoke(program.app, [command, "--help"], env={"COLUMNS": "200"})
            assert shown.exit_code == 0
            assert " / " in shown.output, command


def test_without_a_command_it_explains_itself_as_a_usage_error(run) -> None:
    code, out, err = run(options=[])
    assert code == 2
    assert "Usage" in out + err
    assert "Traceback" not in err


@pytest.mark.usefixtures("ready")
def test_a_period_without_trips_has_no_figure(run) -> None:
    code, _, err = run("footprint", "--from", "2026-11-09", "--to", "2026-11-16")
    assert (code, err) == (0, "Aucun déplacement dans cette période.\n")
