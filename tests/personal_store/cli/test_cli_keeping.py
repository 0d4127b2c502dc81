"""`backup`, `restore`, `export`, `erase` and `doctor`, as people and scripts run them."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("ready")


@pytest.fixture
def imported(answer, gpx_file):
    return answer("import", gpx_file)


@pytest.fixture
def elsewhere(tmp_path, passphrase):
    return ["--data", str(tmp_path / "elsewhere"), "--passphrase-file", str(passphrase)]


def test_a_backup_is_restored_elsewhere(run, answer, imported, elsewhere, tmp_path):
    made = answer("backup", tmp_path / "backup")
    assert made["positionfixes"] == imported["positionfixes"]
    assert answer("restore", "--verify", tmp_path / "backup") == made
    code, out, err = run("restore", tmp_path / "backup", "--json", options=elsewhere)
    assert (code, json.loads(out)) == (0, made)
    assert "rétabli" in err
    code, out, _ = run("trips", "--json", options=elsewhere)
    assert json.loads(out) == answer("trips")


def test_verifying_needs_no_store_and_makes_none(run, answer, elsewhere, tmp_path):
    answer("backup", tmp_path / "backup")
    code, _, _ = run("restore", "--verify", tmp_path / "backup", options=elsewhere)
    assert code == 0
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("restore", "none"), "Un espace personnel existe déjà"),
        (("restore", "--verify", "none"), "n'est pas une sauvegarde"),
        (("backup", "."), "existe déjà"),
        (("export", "."), "existe déjà"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none").mkdir()
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_an_export_says_that_it_is_not_encrypted(run, imported, tmp_path):
    code, out, err = run("export", tmp_path / "tout.zip", "--json")
    assert (code, json.loads(out)["positionfixes"]) == (0, imported["positionfixes"])
    assert "pas chiffré" in err.replace("\n", " ")


def test_erasing_asks_first(run, data, monkeypatch):
    monkeypatch.setattr("sys.stdin.readline", lambda: "non\n", raising=False)
    code, _, err = run("erase")
    assert (code, (data / "vault.json").exists()) == (1, True)
    assert "Rien n'a été effacé" in err


def test_erasing_ends_the_store(run, data):
    code, _, err = run("erase", "--yes")
    assert (code, data.exists()) == (0, False)
    assert "effacé" in err


def test_the_doctor_answers_a_script(run, answer, data):
    assert all(finding["ok"] for finding in answer("doctor"))
    data.chmod(0o755)
    code, out, err = run("doctor", "--json")
    assert code == 1
    assert [finding["check"] for finding in json.loads(out) if not finding["ok"]] == ["permissions"]
    assert "!! " in err
