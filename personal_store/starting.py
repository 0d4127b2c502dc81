"""What a server needs before it starts, so that what is missing is said and nothing half runs.

It looks and leaves no trace: another program may still take the port in the moment that follows.
"""

import errno
import socket
from pathlib import Path
from typing import Final

from personal_store.errors import CannotServe

_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""A name may stand for addresses of a family that this machine lacks; one that works is enough."""


def check_watched(folder: Path | None) -> None:
    """Raise CannotServe when the watched folder is named and is not there."""
    if folder is not None and not folder.is_dir():
        raise CannotServe(
            fr=f"Le dossier surveillé {folder} n'existe pas : créez-le, ou corrigez "
            "PERSONAL_STORE_WATCH.",
            en=f"The watched folder {folder} does not exist: make it, or correct "
            "PERSONAL_STORE_WATCH.",
        )


def check_address(host: str, port: int) -> None:
    """Raise CannotServe when nobody can listen on that port, or at that address, now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        usable = [_can_bind(each[0], each[4]) for each in found]
    except OSError as error:
        raise _refusal(host, port, error) from None
    if not any(usable):
        raise _refusal(host, port, OSError(errno.EADDRNOTAVAIL, ""))


def _can_bind(family: int, address: tuple[object, ...]) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server does: the connections of one that has just ended do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno in _NOT_HERE:
            return False
        raise
    return True


def _refusal(host: str, port: int, error: OSError) -> CannotServe:
    if error.errno == errno.EADDRINUSE:
        return CannotServe(
            fr=f"Le port {port} est déjà pris par un autre programme : arrêtez-le, ou choisissez "
            "un autre port avec --port.",
            en=f"Port {port} is already taken by another program: stop it, or choose another "
            "port with --port.",
        )
    return CannotServe(
        fr=f"Impossible d'écouter sur {host}, port {port} : vérifiez --host et --port.",
        en=f"Cannot listen on {host}, port {port}: check --host and --port.",
    )
