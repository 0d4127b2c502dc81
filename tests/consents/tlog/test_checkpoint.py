"""Signed notes, checkpoints and cosignatures, to the byte."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from consents.errors import ForgedNote, MalformedNote, UntrustedNote
from consents.tlog.checkpoint import (
    Checkpoint,
    NoteKey,
    SignatureType,
    cosign,
    read_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)

# The worked examples of the C2SP specifications (signed-note, tlog-cosignature).
NOTE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE_TEXT = "This is an example message.\n"
NOTE_SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)
COSIGNED_BODY = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
)
COSIGNED_EXAMPLE = (
    COSIGNED_BODY + "\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeO"
    "oRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLE"
    "ZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

AT = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)


@pytest.fixture
def checkpoint(origin):
    return Checkpoint(origin=origin, size=3, root=hashlib.sha256(b"root").digest())


@pytest.fixture
def log_key(new_key):
    return new_key("log")


@pytest.fixture
def log_vkey(origin, log_key):
    return NoteKey.of_log(origin, log_key.public_key()).vkey


@pytest.fixture
def note(checkpoint, origin, log_key):
    return sign_checkpoint(checkpoint, origin, log_key)


@pytest.fixture
def witness_vkey(new_key):
    return NoteKey.of_witness("steward.example/w1", new_key("witness").public_key()).vkey


@pytest.fixture
def cosigned(note, new_key):
    return note + cosign(note, "steward.example/w1", new_key("witness"), AT)


def test_the_specification_s_verifier_key_is_written_as_it_is_read():
    assert NoteKey.parse(NOTE_VKEY).vkey == NOTE_VKEY


def test_the_specification_s_signature_carries_the_key_id_we_compute():
    assert base64.b64decode(NOTE_SIGNATURE)[:4] == NoteKey.parse(NOTE_VKEY).key_id


def test_the_specification_s_signature_verifies_before_the_text_is_judged():
    """It is no checkpoint, so only the reason of the refusal can show that it verified."""
    with pytest.raises(MalformedNote, match="origin, size and root"):
        verify_checkpoint(f"{NOTE_TEXT}\n— example.com/foo {NOTE_SIGNATURE}\n", NOTE_VKEY)


def test_the_specification_s_signature_does_not_verify_for_a_changed_text():
    with pytest.raises(ForgedNote):
        verify_checkpoint(f"T{NOTE_TEXT}\n— example.com/foo {NOTE_SIGNATURE}\n", NOTE_VKEY)


def test_the_specification_s_cosigned_checkpoint_is_read_to_the_byte():
    assert read_checkpoint(COSIGNED_EXAMPLE).to_text() == COSIGNED_BODY


def test_a_cosignature_has_the_layout_of_the_specification_s_example(cosigned):
    ours = base64.b64decode(cosigned.splitlines()[-1].split(" ")[2])
    example = base64.b64decode(COSIGNED_EXAMPLE.splitlines()[-1].split(" ")[2])
    assert len(ours) == len(example) == 4 + 8 + 64
    assert int.from_bytes(example[4:12], "big") == 1679315147  # the time its page names
    assert int.from_bytes(ours[4:12], "big") == int(AT.timestamp())


def test_a_cosignature_signs_header_time_and_body(cosigned, note, new_key):
    signature = base64.b64decode(cosigned.splitlines()[-1].split(" ")[2])[12:]
    body = note[: note.index("\n\n") + 1]
    message = f"cosignature/v1\ntime {int(AT.timestamp())}\n{body}".encode()
    new_key("witness").public_key().verify(signature, message)


def test_a_witness_key_id_hashes_name_newline_type_and_key(new_key):
    public = new_key("witness").public_key()
    raw = public.public_bytes_raw()
    expected = hashlib.sha256(b"steward.example/w1\n\x04" + raw).digest()[:4]
    assert NoteKey.of_witness("steward.example/w1", public).key_id == expected


def test_a_checkpoint_text_is_origin_size_and_root(checkpoint):
    root = base64.b64encode(checkpoint.root).decode()
    assert checkpoint.to_text() == f"aggregator.example/consents/2026\n3\n{root}\n"


def test_a_signed_checkpoint_comes_back_as_it_was(note, log_vkey, checkpoint):
    assert verify_checkpoint(note, log_vkey) == checkpoint


def test_a_cosigned_checkpoint_still_verifies_for_the_log(cosigned, log_vkey, checkpoint):
    assert verify_checkpoint(cosigned, log_vkey) == checkpoint


def test_a_cosignature_tells_when(cosigned, witness_vkey):
    assert verify_cosignature(cosigned, witness_vkey) == AT


def test_the_latest_of_two_cosignatures_counts(cosigned, witness_vkey, new_key):
    later = AT + timedelta(hours=1)
    twice = cosigned + cosign(cosigned, "steward.example/w1", new_key("witness"), later)
    assert verify_cosignature(twice, witness_vkey) == later


def test_a_checkpoint_by_another_key_is_untrusted(note, new_key, origin):
    other = NoteKey.of_log(origin, new_key("other log").public_key()).vkey
    with pytest.raises(UntrustedNote):
        verify_checkpoint(note, other)


def test_a_checkpoint_of_another_origin_is_untrusted(checkpoint, log_key, log_vkey, origin):
    other = Checkpoint(origin="other.example/log", size=checkpoint.size, root=checkpoint.root)
    with pytest.raises(UntrustedNote, match="another log"):
        verify_checkpoint(sign_checkpoint(other, origin, log_key), log_vkey)


def test_an_origin_unlike_the_key_name_passes_only_when_expected(checkpoint, new_key, origin):
    key = new_key("log")
    note = sign_checkpoint(checkpoint, "key.example/2026", key)
    vkey = NoteKey.of_log("key.example/2026", key.public_key()).vkey
    assert verify_checkpoint(note, vkey, origin=origin) == checkpoint


def test_a_missing_cosignature_is_untrusted(note, witness_vkey):
    with pytest.raises(UntrustedNote):
        verify_cosignature(note, witness_vkey)


def test_a_valid_signature_beside_a_forged_one_of_the_same_key_is_refused(note, log_vkey, log_key):
    blob = NoteKey.parse(log_vkey).key_id + log_key.sign(b"another text")
    line = f"— {NoteKey.parse(log_vkey).name} {base64.b64encode(blob).decode()}\n"
    with pytest.raises(ForgedNote):
        verify_checkpoint(note + line, log_vkey)


def test_a_cosignature_moved_in_time_is_forged(cosigned, witness_vkey):
    head, _, line = cosigned[:-1].rpartition("\n")
    blob = bytearray(base64.b64decode(line.split(" ")[2]))
    blob[11] ^= 1
    moved = f"{head}\n— steward.example/w1 {base64.b64encode(blob).decode()}\n"
    with pytest.raises(ForgedNote):
        verify_cosignature(moved, witness_vkey)


def test_a_log_key_does_not_verify_cosignatures(cosigned, log_vkey):
    with pytest.raises(MalformedNote, match="witness's"):
        verify_cosignature(cosigned, log_vkey)


def test_a_witness_key_does_not_verify_checkpoints(cosigned, witness_vkey):
    with pytest.raises(MalformedNote, match="log's"):
        verify_checkpoint(cosigned, witness_vkey)


def test_every_flipped_bit_of_the_signed_text_is_refused(note, log_vkey):
    body_length = len(note[: note.index("\n\n") + 1].encode())
    raw = note.encode()
    for bit in range(body_length * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((ForgedNote, MalformedNote)):
            verify_checkpoint(changed.decode("utf-8", "surrogateescape"), log_vkey)


ROOT = base64.b64encode(bytes(32)).decode()
SPOILED_BODIES = {
    "no root": "log\n3\n",
    "an empty origin": f"\n3\n{ROOT}\n",
    "a size with a leading zero": f"log\n03\n{ROOT}\n",
    "a size in other digits": f"log\n٣\n{ROOT}\n",
    "a negative size": f"log\n-3\n{ROOT}\n",
    "a size beyond 63 bits": f"log\n{2**63}\n{ROOT}\n",
    "a root of 31 bytes": f"log\n3\n{base64.b64encode(bytes(31)).decode()}\n",
    "a root without padding": f"log\n3\n{ROOT.rstrip('=')}\n",
    "a root with stray bits": f"log\n3\n{ROOT[:-2]}B=\n",
    "an empty extension line": f"log\n3\n{ROOT}\n\n",
    "no last newline": f"log\n3\n{ROOT}",
}


@pytest.mark.parametrize("body", SPOILED_BODIES.values(), ids=SPOILED_BODIES)
def test_a_checkpoint_body_that_breaks_the_format_is_malformed(body):
    with pytest.raises(MalformedNote):
        Checkpoint.parse(body)


def test_extension_lines_of_other_logs_are_kept():
    body = f"log\n3\n{ROOT}\nsomething else\n"
    assert Checkpoint.parse(body).to_text() == body


SPOILED_NOTES = {
    "no signature": "log\n3\nroot\n",
    "no last newline": "log\n\n— a AAAAAAAA",
    "a hyphen for the dash": "log\n\n- a AAAAAAAA\n",
    "a key name with plus": "log\n\n— a+b AAAAAAAA\n",
    "a signature of four bytes": "log\n\n— a AAAAAA==\n",
    "a signature that is not base64": "log\n\n— a AAAAAA!!\n",
    "a control character": "lo\tg\n\n— a AAAAAAAA\n",
    "a lone surrogate": "lo\udc80g\n\n— a AAAAAAAA\n",
    "more than can be read": "log" * 100_000 + "\n\n— a AAAAAAAA\n",
}


@pytest.mark.parametrize("text", SPOILED_NOTES.values(), ids=SPOILED_NOTES)
def test_a_note_that_breaks_the_format_is_malformed(text):
    with pytest.raises(MalformedNote):
        verify_checkpoint(text, NOTE_VKEY)


SPOILED_VKEYS = {
    "empty": "",
    "no parts": "example.com/foo",
    "a wrong id": NOTE_VKEY.replace("530d903a", "530d903b"),
    "an id in capitals": NOTE_VKEY.replace("530d903a", "530D903A"),
    "another name": NOTE_VKEY.replace("foo", "bar"),
    "an unknown type": "a+00000000+" + base64.b64encode(b"\x06" + bytes(32)).decode(),
    "a short key": "a+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(),
    "a name with a space": "a b+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(),
    "not base64": "a+00000000+!!",
}


@pytest.mark.parametrize("vkey", SPOILED_VKEYS.values(), ids=SPOILED_VKEYS)
def test_a_verifier_key_that_breaks_the_format_is_malformed(vkey):
    with pytest.raises(MalformedNote):
        NoteKey.parse(vkey)


def test_sixteen_unknown_signatures_do_not_hide_the_log_s(note, log_vkey, checkpoint, new_key):
    for number in range(16):
        note += cosign(note, f"w{number}.example", new_key(f"w{number}"), AT)
    assert verify_checkpoint(note, log_vkey) == checkpoint


@pytest.mark.parametrize("at", [AT.replace(tzinfo=None), datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_cosignature_needs_a_real_time(note, new_key, at):
    with pytest.raises(MalformedNote, match="aware time"):
        cosign(note, "steward.example/w1", new_key("witness"), at)


def test_a_cosignature_time_beyond_the_calendar_is_malformed(note, new_key, witness_vkey):
    seconds = 2**62
    body = note[: note.index("\n\n") + 1]
    signature = new_key("witness").sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
    key = NoteKey.parse(witness_vkey)
    blob = key.key_id + seconds.to_bytes(8, "big") + signature
    line = f"— {key.name} {base64.b64encode(blob).decode()}\n"
    with pytest.raises(MalformedNote, match="calendar"):
        verify_cosignature(note + line, witness_vkey)


def test_the_type_bytes_are_those_of_the_specification():
    assert [int(kind) for kind in SignatureType] == [0x01, 0x04]
