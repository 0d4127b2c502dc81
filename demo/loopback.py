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


def free_port(wanted: int) -> int:
    """Return the wanted port of this machine, or any free one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise SystemExit("expected a free port on 127.0.0.1, found none")
