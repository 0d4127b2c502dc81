"""The whole journey on one machine: `make demo`, or `python demo/run.py [--once]`.

A city's keeper, the stewards' keeper (also the witness) and a personal store run as the real
programs in their own processes, on loopback only and in a folder of their own; some hundreds of
simulated residents use the same doors. It ends with the published table, and serves the three pages
until Ctrl-C. Everything about people in it is synthetic.
"""

import argparse
import contextlib
import csv
import io
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from communes import populations, read_communes, zones_geojson
from held_ports import answers, held_port
from population import simulate_weeks
from published import published_table
from residents import SimulatedResident, answer_all, join_all
from rich.console import Console
from week import week_files, write_week

from contributions.weeks import week_of

PROGRAMS = Path(sys.executable).parent
HOME_ZONE = "17300"  # La Rochelle, where the synthetic week lives
PASSPHRASE = "une semaine de démonstration"  # noqa: S105 - printed on purpose: it guards nothing
ORIGIN = "demo.mobilites-en-commun.example/journal"
WITNESS = "stewards.demo.mobilites-en-commun.example"
NAME = "Coopérative de démonstration"
# The table needs enough answers to say something; a zone is shown from MINIMUM_BATCH on.
RESIDENTS = 400
MINIMUM_BATCH = 30
MEASURES = ("kilometres", "kg_co2e", "short_car_trips")
# Asking and the store's commands take less than twice as long as gathering did, and answering, two
# sealed halves each, at most twice as long as joining, on whatever machine this is.
OPENING_S = 5.0
OPENING_SHARE = 2.0
PATIENCES = (1.0, 4.0, 16.0)  # begun anew with more, where other work slowed the machine down
PROGRAM_TIMEOUT_S = 300.0


class ClosedTooSoon(Exception):
    """The question closed before everybody had answered: the machine became slower."""


@dataclass(slots=True)
class Demonstration:
    """The running programs, and where they keep their data."""

    folder: Path
    residents: int
    week: str
    seed: int
    console: Console
    trust_mode: str = "two-keepers"
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _held: list[socket.socket] = field(default_factory=list)
    city_port: int = 0
    steward_port: int = 0
    store_port: int = 0
    log_vkey: str = ""
    witness_vkey: str = ""

    @property
    def pages(self) -> dict[str, str]:
        """Return the addresses of the three pages."""
        return {
            "store": f"http://127.0.0.1:{self.store_port}",
            "city": f"http://127.0.0.1:{self.city_port}",
            "steward": f"http://127.0.0.1:{self.steward_port}",
        }

    def say(self, fr: str, en: str) -> None:
        """Tell what happens, in the language of the terminal."""
        self.console.print(f"• {en if _english() else fr}", markup=False, highlight=False)

    def city(self, *arguments: str) -> str:
        """Run a command of the cooperative."""
        return self._run("coop-aggregator", "--data", str(self.folder / "city"), *arguments)

    def steward(self, *arguments: str) -> str:
        """Run a command of the stewards' witness."""
        return self._run("coop-aggregator", "--data", str(self.folder / "steward"), *arguments)

    def store(self, *arguments: str) -> str:
        """Run a command of the resident."""
        return self._run("personal-store", *self._store_options(), *arguments)

    def serve(self, program: str, *arguments: str, port: int) -> None:
        """Start a server and wait until it answers."""
        command = [str(PROGRAMS / program), *arguments, "--port", str(port)]
        with (self.folder / "servers.log").open("ab") as log:
            process = subprocess.Popen(command, stderr=log)
        self._running.append(process)
        deadline = time.monotonic() + PROGRAM_TIMEOUT_S
        while not answers(f"http://127.0.0.1:{port}/healthz"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{program} did not start: see {self.folder}/servers.log")
            time.sleep(0.1)

    def start(self) -> None:
        """Set up the three roles and start their servers."""
        self.say(
            "La coopérative ouvre : journal, clés, 28 zones approchées.",
            "The cooperative opens: log, keys, 28 approximate zones.",
        )
        made = json.loads(
            self.city(
                *("init", "--name", NAME, "--origin", ORIGIN),
                *("--contact", "contact@demo.mobilites-en-commun.example", "--json"),
            )
        )
        zones = self.folder / "zones.geojson"
        zones.write_bytes(zones_geojson())
        self.city("territory", "import", str(zones))
        self.say(
            "Des tiers ouvrent un témoin et un second gardien, avec leurs propres clés.",
            "Third parties open a witness and a second keeper, with keys of their own.",
        )
        self.log_vkey = made["vkey"]
        witness = json.loads(
            self.steward(
                *("init", "--role", "helper", "--name", WITNESS),
                *("--log-vkey", self.log_vkey, "--json"),
            )
        )
        self.witness_vkey = witness["vkey"]
        self._held = [held_port(wanted) for wanted in (8650, 8660, 8640)]
        ports = [held.getsockname()[1] for held in self._held]
        self.city_port, self.steward_port, self.store_port = ports
        if self.trust_mode == "two-keepers":
            self._pair()
        city, steward = str(self.folder / "city"), str(self.folder / "steward")
        self.serve("coop-aggregator", "--data", city, "serve", port=self.city_port)
        self.serve(
            *("coop-aggregator", "--data", steward, "serve", "--role", "helper"),
            port=self.steward_port,
        )

    def _pair(self) -> None:
        """Have each keeper make its card and take the other's, as two organisations would."""
        for own, other, port in (
            (self.city, self.steward, self.city_port),
            (self.steward, self.city, self.steward_port),
        ):
            card = self.folder / f"keeper-{port}.json"
            card.write_text(own("keeper", "card", "--url", f"http://127.0.0.1:{port}", "--json"))
            other("keeper", "pair", str(card))

    def gather(self) -> None:
        """Fill the personal store with the synthetic week, through the same door as any file."""
        self.say(
            f"Un espace personnel importe une semaine synthétique ({self.week}).",
            f"A personal store imports a synthetic week ({self.week}).",
        )
        exports = self.folder / "exports"
        write_week(week_files(self.week, self.seed), exports)
        self.store("init")
        files = sorted(path for path in exports.iterdir() if path.name != "truth.json")
        self.console.print(self.store("import", *map(str, files)), markup=False, highlight=False)
        self.serve("personal-store", *self._store_options(), "serve", port=self.store_port)

    def all_join(self) -> list[SimulatedResident]:
        """Let the resident join, and the simulated residents join and consent."""
        self.say(
            f"Le résident adhère ; {self.residents} autres, simulés, adhèrent et consentent.",
            f"The resident joins; {self.residents} others, simulated, join and consent.",
        )
        count = str(1 + self.residents)
        own, *codes = json.loads(self.city("enrol", "--count", count, "--json"))["codes"]
        self.store("enrol", self.pages["city"], "--code", own, "--zone", HOME_ZONE)
        (purpose,) = json.loads(self.city("purpose", "list"))["purposes"]
        people = populations(read_communes())
        weeks = simulate_weeks(self.residents, random.Random(self.seed), people)  # noqa: S311
        return join_all(self.pages["city"], codes, weeks, purpose_digest=purpose)

    def ask(self, *, deadline: datetime) -> str:
        """Have the cooperative ask its question; return the task's digest."""
        self.say(
            f"La coopérative pose une question sur {self.week} ; réponses jusqu'à "
            f"{deadline:%H:%M:%S} UTC.",
            f"The cooperative asks about {self.week}; answers until {deadline:%H:%M:%S} UTC.",
        )
        made = json.loads(
            self.city(
                *("task", "create", "--week", self.week, "--trust-mode", self.trust_mode),
                *("--min-batch", str(MINIMUM_BATCH)),
                *(option for measure in MEASURES for option in ("--measure", measure)),
                *("--deadline", deadline.isoformat(timespec="seconds"), "--json"),
            )
        )
        self.city("task", "sign", "--week", self.week)
        if self.trust_mode == "two-keepers":
            self.say(
                "Le second gardien lit la question et la signe ; elle est alors posée.",
                "The second keeper reads the question and signs it; it is asked from then on.",
            )
            self.steward("task", "sign", "--week", self.week, "--digest", made["digest"])
            self.city("task", "sign", "--week", self.week)
        return str(made["digest"])

    def share(self, task: str) -> None:
        """Let the resident consent, look and contribute."""
        self.say("Le résident consent, regarde, envoie.", "The resident consents, looks, sends.")
        listed = json.loads(self.store("tasks", "--json"))
        (asked,) = (each for each in listed if each["digest"] == task)
        self.store("consents", "give", "--purpose", asked["purpose_digest"])
        shown = self.store("preview", task)
        self.console.print(shown, markup=False, highlight=False, soft_wrap=True)
        self.store("contribute", task)

    def publish(self, task: str) -> None:
        """Wait for the deadline, then release, witness and audit."""
        listed = json.loads(self.city("task", "list", "--json"))
        asked = next(each for each in listed if each["digest"] == task)
        left_s = (
            datetime.fromisoformat(asked["report_deadline"]) - datetime.now(tz=UTC)
        ).total_seconds()
        if left_s > 0:
            self.say(
                f"Toutes les réponses sont là. Clôture dans {left_s:.0f} s.",
                f"All the answers are in. Closing in {left_s:.0f} s.",
            )
            time.sleep(left_s + 1)
        if self.trust_mode == "two-keepers":
            self.say(
                "Les deux gardiens vérifient chaque réponse ensemble, puis ajoutent leur bruit.",
                "Both keepers check every answer together, then add their noise.",
            )
        self.city("release")
        self.city("witness", "--url", self.pages["steward"], "--vkey", self.witness_vkey)
        self._print_table()
        folder = self.folder / "log-export"
        self.city("export", "log", str(folder))
        self.console.print(
            self._run("consents", "verify", "log", str(folder), "--vkey", self.log_vkey),
            markup=False,
            highlight=False,
        )

    def stop(self) -> None:
        """End the servers that this demonstration started, and only them."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            process.wait(PROGRAM_TIMEOUT_S)
        for held in self._held:
            held.close()

    def _print_table(self) -> None:
        address = f"{self.pages['city']}/v1/releases/{self.week}.csv"
        published = httpx.get(address, timeout=PROGRAM_TIMEOUT_S, trust_env=False)
        rows = list(csv.DictReader(io.StringIO(published.raise_for_status().text)))
        self.console.print(published_table(rows, title=f"{NAME}, {self.week}", english=_english()))
        self.say(
            "L'intervalle comprend le bruit ajouté ; une valeur négative en vient.",
            "The interval includes the noise that was added; a negative value comes from it.",
        )
        hidden = len({row["zone"] for row in rows if row["quality"] == "suppressed"})
        self.say(
            f"{hidden} zones sous le minimum de {MINIMUM_BATCH} réponses : rien n'en est publié.",
            f"{hidden} zones below the minimum of {MINIMUM_BATCH} answers: nothing is published.",
        )

    def _store_options(self) -> list[str]:
        file = self.folder / "passphrase"
        if not file.exists():
            file.write_text(PASSPHRASE + "\n")
            file.chmod(0o600)
        return ["--data", str(self.folder / "store"), "--passphrase-file", str(file)]

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(PROGRAMS / program), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{program} {' '.join(arguments[:4])} …: {done.stderr.strip()}")
        return done.stdout.strip() or done.stderr.strip()


def _english() -> bool:
    return (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("en")


@contextlib.contextmanager
def demonstration(
    folder: Path,
    *,
    residents: int = RESIDENTS,
    seed: int = 7,
    console: Console | None = None,
    trust_mode: str = "two-keepers",
) -> Iterator[Demonstration]:
    """Run the whole journey in `folder`, which must be new; stop the servers at the end."""
    for patience in PATIENCES:
        folder.mkdir(parents=True, mode=0o700)
        demo = Demonstration(
            folder=folder,
            residents=residents,
            week=week_of(datetime.now(tz=UTC) - timedelta(days=7)),
            seed=seed,
            console=console or Console(soft_wrap=True),
            trust_mode=trust_mode,
        )
        try:
            demo.publish(_all_answers(demo, patience))
            yield demo
        except ClosedTooSoon:
            demo.say(
                "Machine chargée : la question s'est close avant les réponses. On recommence.",
                "A busy machine: the question closed before the answers came. Once more.",
            )
        else:
            return
        finally:
            demo.stop()
        shutil.rmtree(folder)
    raise SystemExit("expected every answer before the question closed: is something stuck?")


def _all_answers(demo: Demonstration, patience: float) -> str:
    """Play everything up to the last answer; return the task's digest. Raises ClosedTooSoon."""
    demo.start()
    began = time.monotonic()
    demo.gather()
    others = demo.all_join()
    opening_s = OPENING_S + OPENING_SHARE * (time.monotonic() - began)
    deadline = datetime.now(tz=UTC) + timedelta(seconds=patience * opening_s)
    try:
        task = demo.ask(deadline=deadline)
        answer_all(others, task_digest=task)
        demo.share(task)
    except (Exception, SystemExit) as failure:
        if datetime.now(tz=UTC) < deadline:
            raise
        raise ClosedTooSoon from failure
    return task


def _say_addresses(demo: Demonstration) -> None:
    names = {
        "store": ("L'espace personnel", "The personal store"),
        "city": ("La coopérative", "The cooperative"),
        "steward": ("Le témoin et second gardien", "The witness and second keeper"),
    }
    for role, page in demo.pages.items():
        fr, en = names[role]
        demo.say(f"{fr} : {page}/fr/", f"{en}: {page}/en/")


def _serve_until_stopped(demo: Demonstration) -> None:
    demo.say(
        f"Phrase de passe de l'espace : « {PASSPHRASE} ».",
        f"Passphrase of the store: “{PASSPHRASE}”.",
    )
    demo.say("Ctrl-C pour arrêter.", "Ctrl-C to stop.")
    signal.pause()


def main() -> None:
    """Run the demonstration, then serve its pages until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--once", action="store_true", help="end instead of serving")
    parser.add_argument("--residents", type=int, default=RESIDENTS)
    parser.add_argument("--data", type=Path, default=Path("demo-data"))
    parser.add_argument("--trust-mode", choices=("two-keepers", "local"), default="two-keepers")
    given = parser.parse_args()
    # A service manager or a shell script ends us with SIGTERM: the servers must end with us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = given.data / f"{datetime.now(tz=UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    try:
        with demonstration(folder, residents=given.residents, trust_mode=given.trust_mode) as demo:
            if given.once:
                demo.say("Fini : les serveurs s'arrêtent.", "Done: the servers stop.")
            else:
                _say_addresses(demo)
                _serve_until_stopped(demo)
    except KeyboardInterrupt:
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
