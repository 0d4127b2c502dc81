"""The command line when something is wrong: one line, exit code 1, nothing personal."""

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from personal_store.cli.console import Session
from personal_store.vault import VAULT_FILE

PASSPHRASE = "trois mots au hasard"
PROGRAM = Path(sys.executable).with_name("personal-store")


class TestErrors:
    """One line on standard error, exit code 1, no traceback, nothing personal."""

    @staticmethod
    def one_line(result: tuple[int, str, str]) -> str:
        code, out, err = result
        assert (code, out) == (1, "")
        assert err.count("\n") == 1, err
        assert "Traceback" not in err
        assert PASSPHRASE not in err
        assert not re.search(r"46\.1|-1\.1", err)
        return err

    @pytest.mark.usefixtures("ready")
    def test_a_wrong_passphrase_says_so_and_nothing_else(self, run, passphrase) -> None:
        passphrase.write_text("quatre mots mal choisis\n")
        assert self.one_line(run("trips")) == "La phrase de passe n'est pas la bonne.\n"

    @pytest.mark.usefixtures("ready")
    def test_ctrl_c_anywhere_in_a_command_ends_in_words(self, run, monkeypatch) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Session, "open", interrupted)
        assert run("trips") == (130, "", "Interrompu.\n")

    @pytest.mark.usefixtures("ready")
    def test_a_missing_passphrase_file(self, run, passphrase) -> None:
        passphrase.unlink()
        assert "phrase de passe" in self.one_line(run("trips"))

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"\n", b"court\n"], ids=repr)
    @pytest.mark.usefixtures("ready")
    def test_a_passphrase_file_that_holds_none(self, run, passphrase, content) -> None:
        passphrase.write_bytes(content)
        self.one_line(run("trips"))

    @pytest.mark.usefixtures("ready")
    def test_a_passphrase_file_that_is_a_folder(self, run, passphrase) -> None:
        passphrase.unlink()
        passphrase.mkdir()
        self.one_line(run("trips"))

    @pytest.mark.usefixtures("ready")
    def test_a_passphrase_file_that_begins_with_a_byte_order_mark(self, run, passphrase) -> None:
        passphrase.write_text("\ufeff" + PASSPHRASE + "\r\n")
        assert run("trips")[0] == 0

    @pytest.mark.usefixtures("ready")
    def test_no_passphrase_and_no_terminal(self, run, data) -> None:
        refused = self.one_line(run("trips", options=["--data", str(data)]))
        assert "--passphrase-file" in refused

    def test_a_folder_without_store(self, run) -> None:
        assert "personal-store init" in self.one_line(run("trips"))

    def test_a_data_folder_that_is_a_file(self, run, data) -> None:
        data.write_text("not a folder")
        self.one_line(run("trips"))
        self.one_line(run("init"))

    def test_a_data_folder_that_cannot_be_made(self, run, passphrase) -> None:
        nowhere = ["--data", "/proc/store", "--passphrase-file", str(passphrase)]
        self.one_line(run("init", options=nowhere))

    def test_a_damaged_vault(self, run, ready) -> None:
        (ready / VAULT_FILE).write_text("{")
        assert "sauvegarde" in self.one_line(run("trips"))

    def test_a_database_of_another_vault(self, run, ready) -> None:
        (ready / "store.db").write_bytes(os.urandom(8192))
        assert "store.db" in self.one_line(run("trips"))

    @pytest.mark.usefixtures("ready")
    def test_a_file_that_is_not_there(self, run, tmp_path) -> None:
        code, _, err = run("import", tmp_path / "none.gpx")
        assert code == 1
        assert err.splitlines()[0].startswith("none.gpx : ")

    @pytest.mark.usefixtures("ready")
    def test_a_folder_with_nothing_in_it(self, run, tmp_path) -> None:
        (tmp_path / "empty").mkdir()
        code, _, err = run("import", tmp_path / "empty")
        assert code == 1
        assert len(err.splitlines()) == 2
        assert "Traceback" not in err

    @pytest.mark.usefixtures("ready")
    def test_a_broken_file_names_no_coordinate(self, run, gpx_file) -> None:
        gpx_file.write_text(gpx_file.read_text()[:2000])
        code, _, err = run("import", gpx_file)
        assert code == 1
        assert not re.search(r"46\.1|-1\.1", err)

    @pytest.mark.usefixtures("ready")
    def test_a_history_older_than_the_factors(self, run, tmp_path, outing) -> None:
        file = tmp_path / "old.gpx"
        file.write_text(outing().gpx().replace("2026-", "2004-"))
        run("import", file)
        period = ("--from", "2004-01-01", "--to", "2005-01-01")
        assert "2010" in self.one_line(run("footprint", *period))

    @pytest.mark.parametrize(
        "arguments",
        [
            ["tasks"],
            ["preview", "abc"],
            ["contribute", "abc"],
            ["consents", "give"],
            ["consents", "withdraw"],
        ],
        ids=" ".join,
    )
    @pytest.mark.usefixtures("ready")
    def test_sharing_without_a_cooperative(self, run, arguments) -> None:
        assert "enrol" in self.one_line(run(*arguments))

    @pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:9", "http://[::1"])
    @pytest.mark.usefixtures("ready")
    def test_a_cooperative_that_cannot_be_reached(self, run, url) -> None:
        arguments = ("enrol", url, "--code", "ABCD", "--zone", "17300")
        assert "ne répond pas" in self.one_line(run(*arguments))


class TestProgram:
    """The installed program itself, in processes of its own."""

    @staticmethod
    def start(options: list[str], *arguments: object, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(PROGRAM), *options, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **({"env": {name: os.environ[name] for name in ("PATH", "PYTHONPATH")}} | more),
        )

    @pytest.mark.usefixtures("ready")
    def test_two_processes_importing_one_file_at_once_end_as_one(
        self, options, tmp_path, outing, answer
    ) -> None:
        file = tmp_path / "long.gpx"
        long = outing(every_s=1, moving_s=7200, staying_s=1800)
        file.write_text(long.gpx())
        both = [self.start(options, "import", file, "--json") for _ in range(2)]
        ended = [(*process.communicate(timeout=600), process.returncode) for process in both]
        assert [code for _, _, code in ended] == [0, 0], [err for _, err, _ in ended]
        new = [json.loads(out)["files"][0]["new"] for out, _, _ in ended]
        assert sorted(new) == [0, len(long.points)]
        after = answer("import", file)
        assert after["files"][0]["new"] == 0
        assert (after["positionfixes"], after["trips"]) == (len(long.points), 1)

    @pytest.mark.usefixtures("ready")
    def test_the_program_reads_its_environment(self, data, passphrase) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ["PYTHONPATH"],
            "PERSONAL_STORE_DATA": str(data),
            "PERSONAL_STORE_PASSPHRASE_FILE": str(passphrase),
            "LANG": "en_GB.UTF-8",
        }
        with self.start([], "process", "--json", env=environment) as process:
            out, err = process.communicate(timeout=600)
        assert process.returncode == 0
        assert json.loads(out) == {"positionfixes": 0, "trips": 0}
        assert "recomputed" in err

    @pytest.mark.usefixtures("ready")
    def test_a_full_disk_changes_nothing_and_says_so(
        self, options, tmp_path, outing, answer
    ) -> None:
        small, large = tmp_path / "small.gpx", tmp_path / "large.gpx"
        small.write_text(outing().gpx())
        large.write_text(outing(every_s=1, moving_s=20_000).gpx("other").replace("11-09", "11-02"))
        before = answer("import", small)

        def no_room() -> None:
            # The kernel refuses every byte beyond this size of a file, as a full disk would.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

        with self.start(options, "import", large, preexec_fn=no_room) as process:
            out, err = process.communicate(timeout=600)
        assert (process.returncode, out) == (1, "")
        assert err.count("\n") == 1, err
        assert "place sur le disque" in err
        after = answer("process")
        assert after == {name: before[name] for name in ("positionfixes", "trips")}


@pytest.fixture
def ordinary() -> Iterator[Callable[[], None]]:
    """Return a function after which root too may do with files only what their modes say.

    It gives up what overrides them, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, and no other right:
    the program itself may lie in a folder that is root's alone. Source: capabilities(7), capset(2).
    """
    if os.geteuid() != 0:
        yield lambda: None
        return
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # the third version; this thread
    held = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: 32 rights, then 32 more
    assert libc.capget(header, held) == 0
    fewer = type(held)(held[0] & ~0b110, *held[1:])

    def become() -> None:
        assert libc.capset(header, fewer) == 0

    yield become
    assert libc.capset(header, held) == 0


class TestPermissions:
    """A folder or a file that the system does not let be written, or read."""

    def test_a_store_in_a_folder_that_may_only_be_read(self, run, ready, ordinary):
        for file in ready.iterdir():
            file.chmod(0o444)
        ready.chmod(0o555)
        ordinary()
        TestErrors.one_line(run("trips"))

    def test_a_folder_in_which_no_store_may_be_made(self, run, tmp_path, passphrase, ordinary):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o555)
        options = ["--data", str(closed / "store"), "--passphrase-file", str(passphrase)]
        ordinary()
        assert "pas le droit" in TestErrors.one_line(run("init", options=options))

    @pytest.mark.usefixtures("ready")
    def test_a_passphrase_file_that_may_not_be_read(self, run, passphrase, ordinary):
        passphrase.chmod(0o000)
        ordinary()
        assert "illisible" in TestErrors.one_line(run("trips"))
