"""The one way out: one request, no detour, nothing that tells one resident from another."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from personal_store import transport
from personal_store.errors import TransportError
from personal_store.transport import MAX_ANSWER_BYTES, Answer, HttpTransport


class Server(ThreadingHTTPServer):
    """A server on loopback that answers as the test says, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer: Callable[[Handler], None] = lambda handler: handler.say(200, b"{}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: clients that hang up are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        self.server.answer(self)

    do_GET = do_POST = _handle  # noqa: N815 - the names that http.server looks for

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_an_exchange_gives_status_and_body_as_received(server: Server) -> None:
    server.answer = lambda handler: handler.say(201, b' {"a": 1}\n')
    answer = HttpTransport(server.url).exchange("POST", "/v1/reports", b'{"report":"x"}')
    assert answer == Answer(status=201, body=b' {"a": 1}\n')
    assert answer.document == {"a": 1}
    ((method, path, _, body),) = server.seen
    assert (method, path, body) == ("POST", "/v1/reports", b'{"report":"x"}')


def test_a_slash_at_the_end_of_the_address_changes_nothing(server: Server) -> None:
    HttpTransport(server.url + "/").exchange("GET", "/v1/tasks", None)
    assert server.seen[0][1] == "/v1/tasks"


def test_a_refusal_is_an_answer(server: Server) -> None:
    server.answer = lambda handler: handler.say(403, b'{"detail": "non"}')
    answer = HttpTransport(server.url).exchange("GET", "/v1/tasks", None)
    assert (answer.status, answer.document) == (403, {"detail": "non"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Server, status: int) -> None:
    server.answer = lambda handler: handler.say(status, b"", Location=f"{server.url}/elsewhere")
    answer = HttpTransport(server.url).exchange("POST", "/v1/reports", b"{}")
    assert answer.status == status
    assert [path for _, path, _, _ in server.seen] == ["/v1/reports"]


def test_two_stores_send_the_same_headers(server: Server) -> None:
    HttpTransport(server.url).exchange("POST", "/v1/events", b'{"a":1}')
    HttpTransport(server.url).exchange("POST", "/v1/events", b'{"b":2}')
    first, second = (headers for _, _, headers, _ in server.seen)
    assert first == second


def test_no_header_tells_more_than_the_protocol_needs(server: Server) -> None:
    HttpTransport(server.url).exchange("POST", "/v1/events", b"{}")
    headers = {name.lower(): value for name, value in server.seen[0][2].items()}
    expected = {"host", "accept", "accept-encoding", "connection", "content-length"}
    assert set(headers) == expected | {"user-agent", "content-type"}
    assert headers["user-agent"] == "personal-store"
    # What the machine can unpack depends on what is installed beside: ask for plain bytes.
    assert headers["accept-encoding"] == "identity"


def test_no_cookie_is_ever_sent_back(server: Server) -> None:
    server.answer = lambda handler: handler.say(200, b"{}", Set_Cookie="tracker=1; Path=/")
    there = HttpTransport(server.url)
    there.exchange("GET", "/v1/tasks", None)
    there.exchange("GET", "/v1/tasks", None)
    assert all("Cookie" not in headers for _, _, headers, _ in server.seen)


def test_the_environment_does_not_choose_a_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert HttpTransport(server.url).exchange("GET", "/v1/tasks", None).status == 200


def test_the_environment_does_not_choose_credentials(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    HttpTransport(server.url).exchange("GET", "/v1/tasks", None)
    assert "Authorization" not in server.seen[0][2]


def test_the_largest_honest_answer_comes_whole(server: Server) -> None:
    server.answer = lambda handler: handler.say(200, b"x" * MAX_ANSWER_BYTES)
    answer = HttpTransport(server.url).exchange("GET", "/v1/tasks", None)
    assert len(answer.body) == MAX_ANSWER_BYTES


def test_a_longer_answer_is_cut_off(server: Server) -> None:
    server.answer = lambda handler: handler.say(200, b"x" * (MAX_ANSWER_BYTES + 1))
    with pytest.raises(TransportError, match="trop longue"):
        HttpTransport(server.url).exchange("GET", "/v1/tasks", None)


def test_an_answer_without_end_is_cut_off(server: Server) -> None:
    written = []

    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)
            written.append(65536)

    server.answer = endless
    with pytest.raises(TransportError, match="trop longue"):
        HttpTransport(server.url).exchange("GET", "/v1/tasks", None)
    # What the sockets of both ends may hold beside what was read.
    assert sum(written) < MAX_ANSWER_BYTES + 32 * 1024 * 1024


def test_a_compressed_bomb_is_not_unpacked(server: Server) -> None:
    bomb = gzip.compress(b"0" * (8 * MAX_ANSWER_BYTES))
    server.answer = lambda handler: handler.say(200, bomb, Content_Encoding="gzip")
    answer = HttpTransport(server.url).exchange("GET", "/v1/tasks", None)
    assert answer.body == bomb
    assert answer.document == {}


def test_an_answer_that_stops_short_is_no_answer(server: Server) -> None:
    def short(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    server.answer = short
    with pytest.raises(TransportError, match="ne répond pas"):
        HttpTransport(server.url).exchange("GET", "/v1/tasks", None)


def test_something_else_than_http_is_no_answer(server: Server) -> None:
    server.answer = lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")
    with pytest.raises(TransportError, match="ne répond pas"):
        HttpTransport(server.url).exchange("GET", "/v1/tasks", None)


def test_nobody_listening_is_no_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(TransportError) as refusal:
            HttpTransport(url).exchange("GET", "/v1/tasks", None)
    assert "recommencez plus tard" in refusal.value.fr
    assert "try again later" in refusal.value.en


def test_silence_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT_S", 0.05)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(TransportError, match="ne répond pas"):
            HttpTransport(url).exchange("GET", "/v1/tasks", None)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cooperative.example",
        "http://",
        "http://[::1",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999999",
        "http://a b",
        "http://\x00",
        "http://é\ud800",
        "http://xn--\u2603",
        "file:///etc/passwd",
        "ftp://cooperative.example",
        "http://" + "a" * 300,
    ],
    ids=ascii,
)
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(TransportError, match="ne répond pas"):
        HttpTransport(url).exchange("GET", "/v1/tasks", None)


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b"\xff", b"{", b"[" * 10_000])
def test_a_body_that_is_no_object_is_an_empty_document(body: bytes) -> None:
    assert Answer(status=200, body=body).document == {}
