"""The one way out of a personal store: a request to the cooperative that the resident joined.

`Transport` has one method, so that tests put the real aggregator behind it without a network.
Whatever fails on the way becomes a `TransportError`; an answer that refuses is an answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from personal_store.errors import TransportError

TIMEOUT_S = 30.0
# The same from every store: nothing in a header may tell one resident from another.
# Plain bytes are asked for, and read as they come: what unpacks depends on the machine, and bombs.
HEADERS = {
    "User-Agent": "personal-store",
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",
}
# The largest honest answer is a list of signed tasks; a hostile server must not fill the disk.
MAX_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer: status, body as received, and the JSON object in it ({} when none)."""

    status: int
    body: bytes

    @property
    def document(self) -> Mapping[str, Any]:
        """Return the JSON object of the body, {} when the body is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class Transport(Protocol):
    """Exchange one request for one answer."""

    def exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        """Send a JSON body (None: no body) to `path` of the cooperative.

        Raises TransportError when no answer comes back.
        """
        ...


class HttpTransport:
    """HTTP to one cooperative, with nothing of the resident in the headers."""

    def __init__(self, url: str) -> None:
        """Aim at the cooperative's address; connect at the first exchange."""
        self._url = url.rstrip("/")

    def exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        """Send one request; follow no redirect, read at most MAX_ANSWER_BYTES."""
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, headers=HEADERS, trust_env=False) as client,
                client.stream(method, self._url + path, content=body) as response,
            ):
                received = bytearray()
                for chunk in response.iter_raw():
                    received += chunk
                    if len(received) > MAX_ANSWER_BYTES:
                        raise _no_answer("réponse trop longue", "answer too long")
                return Answer(status=response.status_code, body=bytes(received))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise _no_answer("adresse mal écrite", "malformed address") from error
        except httpx.HTTPError as error:
            raise _no_answer("connexion impossible", "no connection") from error


def _no_answer(why_fr: str, why_en: str) -> TransportError:
    return TransportError(
        fr=f"La coopérative ne répond pas ({why_fr}). Rien n'est perdu : recommencez plus tard.",
        en=f"The cooperative does not answer ({why_en}). Nothing is lost: try again later.",
    )
