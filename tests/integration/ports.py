"""Ports for the servers of tests."""

from __future__ import annotations

import contextlib
import random
import socket

#: pytest-randomly has every process of a run draw the same numbers from the common one.
_chance = random.SystemRandom()


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports of loopback that were free a moment ago, all different, below those that the system gives
    to outgoing connections: one of these could take it while the server is down."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = _chance.randrange(15_000, 30_000)
            with contextlib.suppress(OSError):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(port)
    return found
