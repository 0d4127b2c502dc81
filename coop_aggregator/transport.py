"""Reach the stewards over HTTP: witness and drop-box. Every failure becomes one error.

Not a policy: which witness to trust is the caller's pinned key.
"""

from types import TracebackType
from typing import Self

import httpx

from coop_aggregator.errors import WitnessFailed
from coop_aggregator.jobs.witness import Answer

TIMEOUT_S = 20.0
_MAX_ANSWER_BYTES = 65_536
_MAX_SLIPS_BYTES = 64 * 1024 * 1024
"""Five hundred slips of the longest leaf, each twice in base64."""


class HttpWitness:
    """A witness at `url`; close it after use."""

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

    def add_checkpoint(self, body: bytes) -> Answer:
        """POST `body` to the witness. Raises WitnessFailed when it cannot be reached."""
        return self._post("/add-checkpoint", body, media_type="text/plain", limit=_MAX_ANSWER_BYTES)

    def fetch_slips(self, body: bytes) -> Answer:
        """POST `body` to the drop-box. Raises WitnessFailed when it cannot be reached."""
        path, kind = "/v1/dropbox/slips", "application/json"
        return self._post(path, body, media_type=kind, limit=_MAX_SLIPS_BYTES)

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


def _unreachable() -> WitnessFailed:
    return WitnessFailed(
        fr="Le témoin ne répond pas comme prévu. Vérifiez son adresse (--url) et qu'il tourne ; "
        "rien n'est perdu, le prochain essai reprendra.",
        en="The witness does not answer as expected. Check its address (--url) and that it runs; "
        "nothing is lost, the next try will catch up.",
    )
