"""Reach the stewards over HTTP: witness, drop-box, second keeper. Every failure is one error.

Not a policy: which witness or keeper to trust is the caller's pinned key. Bodies are signed
messages; what a keeper refuses is told apart from a keeper that does not answer.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Self

import httpx

from contributions.envelope import Role
from coop_aggregator.db.keepers import load_keeper
from coop_aggregator.errors import KeeperFailed, KeeperRefused, RecoveryRefused, WitnessFailed
from coop_aggregator.installation import Leader
from coop_aggregator.jobs.witness import Answer

TIMEOUT_S = 20.0
_MAX_ANSWER_BYTES = 65_536
_MAX_SLIPS_BYTES = 64 * 1024 * 1024
"""Five hundred slips of the longest leaf, each twice in base64."""
KEEPER_TIMEOUT_S = 120.0
"""A job is some hundreds of reports: a second of work, a minute on a busy machine."""
MAX_KEEPER_ANSWER_BYTES = 8_388_608
_SIGNED = "application/jose"
_OK, _LATER, _REFUSED = 200, 202, 409


class _HttpWay:
    """A way to somebody at `url`; close it after use."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """Keep the address; tests pass a `transport` that leads to an application in memory."""
        self._client = httpx.Client(
            timeout=TIMEOUT_S, follow_redirects=False, transport=transport, trust_env=False
        )
        self._url = url.rstrip("/")

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, path: str, body: bytes, *, media_type: str, limit: int) -> Answer:
        headers = {"Content-Type": media_type}
        try:
            with self._client.stream(
                "POST", self._url + path, content=body, headers=headers
            ) as response:
                text = bytearray()
                for part in response.iter_bytes():
                    text += part
                    if len(text) > limit:
                        raise _unreachable()
            return Answer(status=response.status_code, text=text.decode("utf-8"))
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeDecodeError) as error:
            raise _unreachable() from error


class HttpWitness(_HttpWay):
    """A witness; every failure is WitnessFailed."""

    def add_checkpoint(self, body: bytes) -> Answer:
        """POST `body` to the witness. Raises WitnessFailed when it cannot be reached."""
        return self._post("/add-checkpoint", body, media_type="text/plain", limit=_MAX_ANSWER_BYTES)

    def fetch_slips(self, body: bytes) -> Answer:
        """POST `body` to the drop-box. Raises WitnessFailed when it cannot be reached."""
        path, kind = "/v1/dropbox/slips", "application/json"
        return self._post(path, body, media_type=kind, limit=_MAX_SLIPS_BYTES)


class HttpCooperative(_HttpWay):
    """The cooperative, for a steward's commands."""

    def hand_over(self, body: bytes) -> Answer:
        """POST an event. Raises RecoveryRefused when there is no answer."""
        path, kind = "/v1/events", "application/json"
        try:
            return self._post(path, body, media_type=kind, limit=_MAX_ANSWER_BYTES)
        except WitnessFailed as error:
            raise RecoveryRefused(
                fr="La coopérative ne répond pas comme prévu. Vérifiez son adresse (--url) ; rien "
                "n'est perdu, la commande peut être relancée.",
                en="The cooperative does not answer as expected. Check its address (--url); "
                "nothing is lost, the command can be run again.",
                status=502,
            ) from error


Reach = Callable[[str], AbstractContextManager[HttpWitness]]
"""What opens the way to a witness at an address."""


@contextmanager
def witness_ways(leader: Leader, reach: Reach = HttpWitness) -> Iterator[Mapping[str, HttpWitness]]:
    """Yield a way to each of the leader's witnesses, by verifier key."""
    with ExitStack() as opened:
        yield {
            each.vkey: opened.enter_context(reach(each.url)) for each in leader.witnesses.members
        }


@contextmanager
def helper_channel(leader: Leader) -> Iterator["HttpHelper | None"]:
    """Yield a way to the helper whose card this leader took, or None when it took none."""
    with leader.database.read() as connection:
        card = load_keeper(connection, Role.HELPER)
    if card is None:
        yield None
        return
    with HttpHelper(card.url) as channel:
        yield channel


class HttpHelper:
    """The helper at `url`, for the leader's jobs; close it after use. Safe to use in threads."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """Keep the address; tests pass a `transport` that leads to an application in memory."""
        self._client = httpx.Client(
            timeout=KEEPER_TIMEOUT_S, follow_redirects=False, transport=transport, trust_env=False
        )
        self._url = url.rstrip("/") + "/v1/keeper/"

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._client.close()

    def cosign(self, request: bytes) -> bytes | None:
        """Return the helper's signature of a task, or None while its operator has not signed."""
        return self._post("tasks", request)

    def answer_job(self, request: bytes) -> bytes:
        """Return the answer to an aggregation request."""
        return self._expected("jobs", request)

    def collect(self, request: bytes) -> bytes:
        """Return the helper's noised share of a bucket."""
        return self._expected("collections", request)

    def _expected(self, door: str, request: bytes) -> bytes:
        answer = self._post(door, request)
        if answer is None:
            raise _keeper_unreachable()
        return answer

    def _post(self, door: str, request: bytes) -> bytes | None:
        headers = {"Content-Type": _SIGNED}
        body = bytearray()
        try:
            with self._client.stream(
                "POST", self._url + door, content=request, headers=headers
            ) as response:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MAX_KEEPER_ANSWER_BYTES:
                        raise _keeper_unreachable()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _keeper_unreachable() from error
        if response.status_code == _REFUSED:
            raise KeeperRefused(
                fr="L'autre gardien refuse : il ne tient pas les mêmes réponses, la même question "
                "ou la même heure, ou l'une des deux bases a été restaurée d'une copie ancienne. "
                "Rien n'est publié ; comparez les deux installations.",
                en="The other keeper refuses: it does not hold the same answers, question or "
                "clock, or one of the databases was restored from an older copy. Nothing is "
                "published; compare both installations.",
            )
        if response.status_code == _LATER:
            return None
        if response.status_code != _OK:
            raise _keeper_unreachable()
        return bytes(body)


def _keeper_unreachable() -> KeeperFailed:
    return KeeperFailed(
        fr="L'autre gardien ne répond pas comme prévu. Vérifiez qu'il tourne à l'adresse de sa "
        "fiche ; rien n'est perdu, le prochain essai reprendra.",
        en="The other keeper does not answer as expected. Check that it runs at the address of "
        "its card; nothing is lost, the next try will go on.",
    )


def _unreachable() -> WitnessFailed:
    return WitnessFailed(
        fr="Le témoin ne répond pas comme prévu. Vérifiez son adresse (--url) et qu'il tourne ; "
        "rien n'est perdu, le prochain essai reprendra.",
        en="The witness does not answer as expected. Check its address (--url) and that it runs; "
        "nothing is lost, the next try will catch up.",
    )
