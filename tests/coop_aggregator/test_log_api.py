"""The log over HTTP: tiles to the byte, proofs that others can read, entries for stewards only."""

import pytest

from consents.canonical import sha256_hex, utc_text
from consents.jws import thumbprint
from consents.records.receipt import EventType, LeafPayload, leaf_sha256, sign_event
from consents.tlog.checkpoint import verify_checkpoint
from consents.tlog.merkle import leaf_hash
from consents.tlog.tile_folder import read_entries, write_tiles
from consents.tlog.tiles import ENTRIES, Tile, tiles_of
from consents.tlog.tlog_proof import TlogProof
from consents.verify.verification import Verdict, verify_receipt
from coop_aggregator.db import events
from coop_aggregator.db.log import SqlLog, leaf_range

TILE_LEAVES = 600
"""Two full tiles and a partial one."""


@pytest.fixture
def merge_many(private_key, clock):
    """Return a function that merges `count` first choices of as many consents."""
    key = private_key("many")

    def merge(coop, count, *, first=0):
        with coop.leader.database.write() as connection:
            for number in range(first, first + count):
                payload = LeafPayload(
                    t=EventType.GIVEN,
                    o=coop.leader.who.origin,
                    cid=sha256_hex(b"%d" % number)[:32],
                    n=0,
                    p="",
                    pd=coop.purpose_digest,
                    c="00" * 32,
                    at=utc_text(clock.now()),
                    kid=thumbprint(key.public_key()),
                )
                leaf = sign_event(payload, key)
                events.add_pending(
                    connection,
                    leaf=leaf,
                    leaf_sha256=leaf_sha256(leaf),
                    cid=payload.cid,
                    received_at=clock.now(),
                )
            return coop.leader.log(connection).merge()

    return merge


def steward(coop):
    return {"Authorization": f"Bearer {coop.leader.keys.steward_token}"}


def test_every_tile_is_served_as_a_static_server_would(light_coop, client, merge_many, tmp_path):
    merge_many(light_coop, TILE_LEAVES)
    with light_coop.leader.database.read() as connection:
        storage = SqlLog(connection, now=light_coop.clock.now())
        note = light_coop.leader.log(connection).checkpoint()
        write_tiles(storage, tmp_path / "static", checkpoint=note)
    assert client.get("/checkpoint").text == note
    for tile in tiles_of(TILE_LEAVES + 1):
        served = client.get(f"/{tile.path}", headers=steward(light_coop))
        assert served.status_code == 200
        assert served.content == (tmp_path / "static" / tile.path).read_bytes()


def test_the_served_tiles_give_the_leaves_and_the_signed_root(
    light_coop, client, merge_many, tmp_path
):
    merge_many(light_coop, TILE_LEAVES)
    checkpoint = verify_checkpoint(client.get("/checkpoint").text, light_coop.leader.who.log_vkey)
    for tile in tiles_of(checkpoint.size):
        path = tmp_path / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(client.get(f"/{tile.path}", headers=steward(light_coop)).content)
    with light_coop.leader.database.read() as connection:
        kept = leaf_range(connection, start=0, end=checkpoint.size)
    assert [leaf.decode() for leaf in read_entries(tmp_path, size=checkpoint.size)] == list(kept)


def test_entries_are_for_stewards_and_hashes_for_everybody(light_coop, client):
    light_coop.resident()
    assert client.get("/tile/0/000.p/2").status_code == 200
    refused = client.get("/tile/entries/000.p/2")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert client.get("/tile/entries/000.p/2", headers=steward(light_coop)).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["0/000", "0/000.p/3", "1/000", "0/001.p/1", "0/0", "0/000.p/0", "63/000", "0/x999/999", "x"],
)
def test_a_tile_that_the_tree_does_not_have_is_not_found(light_coop, client, path):
    light_coop.resident()
    assert client.get(f"/tile/{path}").status_code == 404


def test_a_full_tile_is_cached_for_ever_and_a_partial_one_is_not(light_coop, client, merge_many):
    merge_many(light_coop, 300)
    assert "immutable" in client.get("/tile/0/000").headers["cache-control"]
    assert "immutable" in client.get("/tile/0/001.p/45").headers["cache-control"]
    bundle = client.get("/tile/entries/000", headers=steward(light_coop))
    assert bundle.headers["cache-control"].startswith("private")


def test_who_holds_a_tile_is_told_so(client):
    first = client.get("/tile/0/000.p/1")
    again = client.get("/tile/0/000.p/1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_checkpoint_that_moved_on_is_sent_anew(light_coop, client):
    first = client.get("/checkpoint")
    light_coop.resident()
    again = client.get("/checkpoint", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200


def test_the_proof_of_a_leaf_verifies_with_nothing_but_the_log_s_key(light_coop, client):
    resident = light_coop.resident()
    leaf = resident.leaves[0]
    text = client.get(f"/v1/proof/{leaf_hash(leaf).hex()}").text
    proof = TlogProof.parse(text)
    proof.receipt(leaf).verify(light_coop.leader.who.log_vkey)
    verified = verify_receipt(
        TlogProof(index=proof.index, hashes=proof.hashes, checkpoint=proof.checkpoint, extra=leaf)
        .to_text()
        .encode(),
        vkey=light_coop.leader.who.log_vkey,
    )
    assert verified.verdict is Verdict.OK


def test_a_proof_gives_no_leaf_away(light_coop, client):
    resident = light_coop.resident()
    text = client.get(f"/v1/proof/{leaf_hash(resident.leaves[0]).hex()}").text
    assert TlogProof.parse(text).extra is None
    assert resident.cid not in text


@pytest.mark.parametrize("digest", ["00" * 32, "zz", "A" * 64])
def test_a_leaf_that_is_not_logged_has_no_proof(client, digest):
    assert client.get(f"/v1/proof/{digest}").status_code == 404


def test_roots_follow_the_leaves_however_they_were_batched(coop, merge_many, clock):
    for first, count in ((0, 1), (1, 7), (8, 57)):
        merge_many(coop, count, first=first)
    with coop.leader.database.read() as connection:
        storage = SqlLog(connection, now=clock.now())
        for tile in tiles_of(storage.size()):
            assert coop.leader.log(connection).tile(tile) is not None
        whole = Tile(level=0, index=0, width=storage.size())
        hashes = coop.leader.log(connection).tile(whole)
        assert hashes == b"".join(leaf_hash(leaf) for leaf in storage.leaves())
        assert coop.leader.log(connection).tile(Tile(level=ENTRIES, index=1, width=1)) is None
