"""Stewards in memory for tests of the store: a drop-box, and the hand that cosigns."""

import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.tlog.checkpoint import NoteKey, cosign
from consents.tlog.merkle import leaf_hash
from consents.tlog.promise import drop_box_slip
from consents.tlog.tlog_proof import TlogProof, tlog_proof
from personal_store.errors import TransportError
from personal_store.transport import Answer

STEWARDS_URL = "https://stewards.example"
STEWARD = "stewards.example"


class Stewards:
    """A drop-box, and the hand that cosigns what it is shown."""

    def __init__(self, clock, seed=b"s"):
        self.key = Ed25519PrivateKey.from_private_bytes(seed * 32)
        self.clock = clock
        self.offline = False

    @property
    def vkey(self):
        return NoteKey.of_witness(STEWARD, self.key.public_key()).vkey

    def cosign(self, note):
        return note + cosign(note, STEWARD, self.key, self.clock.now())

    def exchange(self, method, path, body):
        assert (method, path) == ("POST", "/v1/dropbox")
        if self.offline:
            raise TransportError(fr="Rien.", en="Nothing.")
        leaf = json.loads(body)["leaf"].encode()
        slip = drop_box_slip(leaf, self.key, now=self.clock.now()).decode()
        return Answer(status=201, body=json.dumps({"slip": slip}).encode())


def serve_cosigned_proof(cooperative, stewards):
    """Let the cooperative serve the proofs of its leaves under a cosigned checkpoint."""
    for index, leaf in enumerate(cooperative.leaves.leaves()):
        proof = tlog_proof(cooperative.log.receipt(index))
        text = TlogProof(
            index=proof.index,
            hashes=proof.hashes,
            checkpoint=stewards.cosign(proof.checkpoint),
        ).to_text()
        path = f"/v1/proof/{leaf_hash(leaf).hex()}"
        cooperative.scripted[path] = Answer(status=200, body=text.encode())
