"""Ports of this machine for servers that tests start, and waiting until one of them answers.

A port that is looked for and let go again may be taken by anybody before the server listens, even
by a client that asks that port until it answers, as the near end of its own connection.
"""

import socket
import time

PATIENCE_S = 300
"""How long a condition may take on a machine that does other work: no test measures it."""


def reserve_port():
    """Return a bound socket that does not listen: its port is refused, and given to nobody else.

    A server that allows the address to be reused, as asyncio's and `http.server`'s do, can listen
    on the port for as long as this socket is open.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def port_of(held):
    """Return the port of a socket."""
    return held.getsockname()[1]


def wait_until(done, *, patience_s=PATIENCE_S):
    """Ask again and again until `done()` is true, and return what it says."""
    end = time.monotonic() + patience_s
    while not (answer := done()):
        assert time.monotonic() < end, f"not yet true after {patience_s} s"
        time.sleep(0.02)
    return answer
