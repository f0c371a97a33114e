"""A broker that is away is tried again for hours: a try that fails must cost nothing that stays."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from streams.kafka.clients import connected

#: The refused socket, which waits for the garbage collector, as pyproject.toml lets it: here its connect may be
#: under way still, so that it has an address. (Not for all tests: a forgotten server looks like that.)
pytestmark = pytest.mark.filterwarnings(
    r"ignore:unclosed <socket\.socket .*laddr=\(.127\.0\.0\.1., \d+\)>$:ResourceWarning"
)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that is taken and refuses."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def event_loops() -> int:
    """Their sockets close with them. (Not the refused ones: those wait for the garbage collector.)"""
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sum("eventpoll" in os.readlink(link) for link in links if os.path.islink(link))


@pytest.mark.parametrize("kind", [KafkaProducer, KafkaConsumer, KafkaAdminClient])
def test_a_client_without_a_broker_leaves_no_thread_and_no_event_loop(
    kind: Callable[..., Any], nobody: str
) -> None:
    loops = event_loops()
    for _ in range(3):
        with pytest.raises(KafkaError, match="Unable to bootstrap"):
            connected(kind, bootstrap_servers=nobody, bootstrap_timeout_ms=100, client_id="nobody's")
    assert event_loops() == loops
    assert not [thread for thread in threading.enumerate() if "nobody's" in thread.name]
