"""Ports of this machine for the demonstration's servers, and whether one answers there."""

import contextlib
import socket

import httpx


def answers(url: str) -> bool:
    """Tell whether a server answers at an address."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def held_port(wanted: int) -> socket.socket:
    """Return a socket that keeps the wanted port of this machine, or any free one, for a server.

    Bound without listening it keeps everybody away but a server that reuses addresses, as ours do:
    two demonstrations that start at once never speak to each other's. Source: socket(7).
    """
    for port in (wanted, 0):
        held = socket.socket()
        with contextlib.suppress(OSError):
            held.bind(("127.0.0.1", port))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return held
        held.close()
    raise SystemExit("expected a free port on 127.0.0.1, found none")
