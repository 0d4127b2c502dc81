"""The resident's own log: every choice with what proves it, and receipts as files to keep.

Files are those that others' tools read: `.tlog-proof` with the leaf inside (`consents verify
receipt`), the opening of each commitment (`consents verify opening`), and the promises and slips as
evidence (`consents audit … --evidence`). Reading and judging need no network.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from consents.receipts.jsonld import to_jsonld
from consents.receipts.personal_receipt import PersonalReceipt
from consents.receipts.printable import to_html
from consents.records.erasure import Opening
from consents.records.notice import Notice
from consents.records.record import Purpose
from consents.tlog.policy import MAX_POLICY_BYTES
from consents.tlog.tlog_proof import SUFFIX, tlog_proof
from consents.verify.wording import Language
from personal_store.choices.proofs import ProofStatus, evidence_lines, proof_status
from personal_store.db import checkpoints, consents, memberships, trust
from personal_store.db.connection import reading
from personal_store.db.consents import KeptEvent
from personal_store.errors import StoreError
from personal_store.store import Store

EVIDENCE_FILE = "evidence.jsonl"


def judged_events(store: Store) -> list[tuple[KeptEvent, ProofStatus]]:
    """Return every event, oldest consent first, each with the state of its proofs now."""
    now = store.clock.now()
    with reading(store.engine) as connection:
        joined = {each.url: each for each in memberships.every(connection)}
        pinned = {url: trust.pinned_for(connection, url) for url in joined}
        chains = [
            (consent.url, consents.chain(connection, consent.cid))
            for consent in consents.every(connection)
        ]
    policies = {url: None if each is None else each.policy for url, each in pinned.items()}
    return [
        (event, proof_status(event, joined[url], policies[url], now=now))
        for url, chain in chains
        for event in chain
    ]


def write_receipts(store: Store, folder: Path) -> list[Path]:
    """Write what proves each event into `folder`; return the files. Raises StoreError."""
    events = [event for event, _ in judged_events(store)]
    files = proof_files(events)
    for event in events:
        files |= receipt_files(store, event)
    return write_files(files | _fork_files(store), folder)


def proof_files(events: Sequence[KeptEvent]) -> dict[str, bytes]:
    """Return what proves events by file name: proofs of logging, openings, promises and slips."""
    files: dict[str, bytes] = {}
    for event in events:
        opening = opening_of(event)
        if opening is not None:
            files[f"{file_stem(event)}.opening.json"] = opening.to_bytes()
        if event.receipt is not None:
            files[file_stem(event) + SUFFIX] = tlog_proof(event.receipt).to_text().encode()
    lines = (json.dumps(line) + "\n" for line in evidence_lines(events))
    return files | {EVIDENCE_FILE: "".join(lines).encode()}


def write_files(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files that tell choices in clear, for their owner alone; raise StoreError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_bytes(content)
    except OSError as error:
        raise StoreError(
            fr="Le dossier des reçus ne peut pas être écrit. Vérifiez le chemin et les droits.",
            en="The folder of receipts cannot be written. Check the path and its permissions.",
        ) from error
    return [folder / name for name in files]


def _fork_files(store: Store) -> dict[str, bytes]:
    """Return what proves a fork: the signed notes, and the proof that did not hold."""
    files: dict[str, bytes] = {}
    with reading(store.engine) as connection:
        found = [
            checkpoints.fork_of(connection, each.url) for each in memberships.every(connection)
        ]
    for evidence in filter(None, found):
        files["fork.json"] = evidence.encode()
        for number, note in enumerate(json.loads(evidence)["checkpoints"], start=1):
            files[f"fork-{number}.checkpoint"] = note.encode()
    return files


def receipt_files(store: Store, event: KeptEvent) -> dict[str, bytes]:
    """Return the receipts of one event by file name, all made from the same bytes.

    The kept file, its JSON-LD, a page to print in each language and the proof of logging: without
    the purpose's text, or before there is a proof, those that need it are missing.
    """
    stem = file_stem(event)
    files: dict[str, bytes] = {}
    kept = personal_receipt(store, event)
    if kept is not None:
        content = kept.to_bytes()
        files[f"{stem}.receipt.json"] = content
        files[f"{stem}.jsonld"] = to_jsonld(content)
        for language in Language:
            files[f"{stem}.{language.value}.html"] = to_html(content, language).encode()
    if event.receipt is not None:
        files[stem + SUFFIX] = tlog_proof(event.receipt).to_text().encode()
    return files


def personal_receipt(store: Store, event: KeptEvent) -> PersonalReceipt | None:
    """Return the receipt of one event, None where the store does not hold its text or body."""
    opening = opening_of(event)
    with reading(store.engine) as connection:
        document = memberships.purpose_document(connection, event.signed.payload.pd)
        told = memberships.notice_document(connection, event.signed.payload.pd)
    if document is None or opening is None:
        return None
    return PersonalReceipt(
        opening=opening,
        purpose=Purpose.parse(document),
        notice=_named_notice(opening, told),
        log_receipt=event.receipt,
    )


def _named_notice(opening: Opening, told: bytes | None) -> Notice | None:
    """Return the notice that the body names; consents of before there were notices name none."""
    notice = None if told is None else Notice.parse(told)
    named = opening.body.privacy_notice.sha256
    return notice if notice is not None and notice.digest == named else None


def opening_of(event: KeptEvent) -> Opening | None:
    """Return what opens an event's commitment, None once erased or where there never was a body."""
    if event.body is None or event.commitment_key is None:
        return None
    return Opening(event=event.signed, body=event.body, key=event.commitment_key)


def file_stem(event: KeptEvent) -> str:
    """Return how the files of an event are called: the start of its consent's id, its number."""
    return f"{event.signed.payload.cid[:8]}-{event.signed.payload.n}"


def read_policy_text(path: Path) -> str:
    """Return a policy file's text; raise StoreError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_POLICY_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            fr="Le fichier de confiance ne peut pas être lu. Vérifiez le chemin.",
            en="The trust file cannot be read. Check the path.",
        ) from error
