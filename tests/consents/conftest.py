"""Keys, leaves and a naive tree, shared by the tests of the consents room."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.__main__ import main
from consents.jws import thumbprint
from consents.records.receipt import (
    ConsentBody,
    ConsentedPurpose,
    ConsentLimits,
    EventType,
    LeafPayload,
    Party,
    PrivacyNotice,
    Purpose,
    SignedEvent,
    read_event,
    sign_event,
)
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from consents.tlog.log import ConsentLog, MemoryLeaves, export_line

ORIGIN = "aggregator.example/consents/2026"


def private_key(seed):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())


class Resident:
    """Somebody with one key who writes the leaves of one consent."""

    def __init__(self, name="resident", *, origin=ORIGIN, purpose="purpose"):
        self.key = private_key(name)
        self.kid = thumbprint(self.key.public_key())
        self.cid = hashlib.sha256(name.encode()).hexdigest()[:32]
        self.origin = origin
        self.purpose_digest = hashlib.sha256(purpose.encode()).hexdigest()
        self.events: list[SignedEvent] = []

    def payload(self, event_type, **changes):
        payload = LeafPayload(
            t=EventType(event_type),
            o=self.origin,
            cid=self.cid,
            n=len(self.events),
            p=self.events[-1].head if self.events else "",
            pd=self.purpose_digest,
            c="c0" * 32,
            at=f"2026-11-09T07:{len(self.events):02d}:00Z",
            kid=self.kid,
            m=changes.pop("m", None),
        )
        return replace(payload, **changes)

    def sign(self, event_type, **changes):
        key = changes.pop("key", self.key)
        if key is not self.key:
            changes["kid"] = thumbprint(key.public_key())
        return read_event(sign_event(self.payload(event_type, **changes), key))

    def say(self, *event_types):
        for event_type in event_types:
            self.events.append(self.sign(event_type))
        return self.events


@pytest.fixture(scope="session")
def origin():
    return ORIGIN


@pytest.fixture
def resident():
    return Resident()


@pytest.fixture(scope="session")
def new_resident():
    return Resident


@pytest.fixture(scope="session")
def new_key():
    return private_key


@pytest.fixture(scope="session")
def naive_root():
    """The Merkle tree hash straight from its recursive definition (RFC 9162 section 2.1.1)."""

    def mth(entries):
        if not entries:
            return hashlib.sha256(b"").digest()
        if len(entries) == 1:
            return hashlib.sha256(b"\x00" + entries[0]).digest()
        k = 1
        while k * 2 < len(entries):
            k *= 2
        return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()

    return mth


class Operator:
    """Whoever holds the log's key: signs any leaves, and exports them as a folder."""

    def __init__(self, key, folder):
        self.key = key
        self.folder = folder
        self.vkey = NoteKey.of_log(ORIGIN, key.public_key()).vkey

    def log(self, leaves):
        storage = MemoryLeaves()
        for leaf in leaves:
            storage.append(leaf)
        return ConsentLog(storage, ORIGIN, self.key)

    def sign(self, leaves):
        tree = Checkpoint(
            origin=ORIGIN, size=len(leaves), root=merkle.root(map(merkle.leaf_hash, leaves))
        )
        return sign_checkpoint(tree, ORIGIN, self.key)

    def export(self, leaves, checkpoint=None):
        self.folder.mkdir(exist_ok=True)
        entries = b"".join(map(export_line, leaves))
        (self.folder / "entries.jsonl").write_bytes(entries)
        (self.folder / "checkpoint").write_text(
            self.sign(leaves) if checkpoint is None else checkpoint, "utf-8"
        )
        return self.folder


@pytest.fixture
def operator(tmp_path):
    return Operator(private_key("log"), tmp_path / "export")


@pytest.fixture
def leaves(new_resident):
    """Two residents' events: given, given, withdrawn by the first, renewed by the second."""
    first, second = new_resident("first"), new_resident("second")
    given, other = first.say("consent.given"), second.say("consent.given")
    return [
        given[0].leaf,
        other[0].leaf,
        first.sign("consent.withdrawn").leaf,
        second.sign("consent.renewed").leaf,
    ]


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command line; return its exit code and what it printed."""
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def verify(run, operator):
    """Verify a log, receipt or checkpoint; return the exit code and the problems found."""

    def verify(what, path, *arguments, vkey=operator.vkey):
        code, out = run("verify", what, path, "--vkey", vkey, "--json", *arguments)
        return code, [finding["problem"] for finding in json.loads(out)["findings"]]

    return verify


@pytest.fixture
def purpose():
    return Purpose(
        title_fr="Kilomètres par mode",
        title_en="Kilometres by mode",
        text_fr="Les kilomètres de la semaine, par mode et par zone.",
        text_en="The week's kilometres, by mode and by zone.",
        dpv_purpose="dpv:ImproveTransportMobility",
        controller_name="Coopérative de données",
        controller_contact="contact@aggregator.example",
        fields=("kilometres_by_mode", "home_zone"),
        epsilon_week_micro=1_000_000,
        retention_days=365,
        version="1",
    )


@pytest.fixture
def body(purpose):
    return ConsentBody(
        record_id="record-7f3a",
        pii_principal_id="pseudonym-91c2",
        privacy_notice=PrivacyNotice(
            url="https://aggregator.example/fr/notice", version="1", sha256="ab" * 32
        ),
        language="fr",
        purposes=(
            ConsentedPurpose(
                purpose_digest=purpose.digest, dpv_purpose="dpv:ImproveTransportMobility"
            ),
        ),
        party_identification=(
            Party(
                party_id="aggregator.example",
                party_name="Coopérative de données",
                party_role="controller",
                party_type="data-cooperative",
                party_address="La Rochelle",
                party_contact="contact@aggregator.example",
            ),
        ),
        event_time=datetime(2026, 11, 9, 7, 0, tzinfo=UTC),
        validity_duration_s=365 * 86_400,
        event_type=EventType.GIVEN,
        limits=ConsentLimits(
            fields=("kilometres_by_mode",),
            epsilon_week_micro=1_000_000,
            epsilon_total_micro=52_000_000,
            expires_at=datetime(2027, 11, 9, 7, 0, tzinfo=UTC),
        ),
    )


@pytest.fixture
def sheets(tmp_path):
    """Print a page with the machine's Chromium; return how many sheets it takes."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on this machine to print with")

    def sheets(page):
        pdf = tmp_path / "printed.pdf"
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--print-to-pdf={pdf}",
        ]
        subprocess.run(
            [chromium, *options, page.as_uri()], check=True, capture_output=True, timeout=300
        )
        content = pdf.read_bytes()
        return content.count(b"/Type /Page") - content.count(b"/Type /Pages")

    return sheets
