"""Ports that are kept for a server until it serves."""

import socket
from contextlib import closing

from held_ports import held_port


def test_a_held_port_is_given_to_nobody_else():
    with closing(held_port(0)) as held:
        port = held.getsockname()[1]
        with closing(held_port(port)) as other:
            assert other.getsockname()[1] != port


def test_a_server_serves_on_the_port_that_is_held_for_it():
    with closing(held_port(0)) as held, socket.create_server(held.getsockname()) as server:
        with socket.create_connection(server.getsockname()):
            peer, _ = server.accept()
            peer.close()
        with closing(held_port(server.getsockname()[1])) as other:
            assert other.getsockname()[1] != server.getsockname()[1]
