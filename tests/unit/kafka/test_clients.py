"""A broker that is away is tried again for hours: a try that fails must cost nothing that stays."""

from __future__ import annotations

import gc
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from streams.kafka.clients import connected


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that is taken and refuses."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def open_descriptors() -> int:
    gc.collect()  # the refused socket
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("kind", [KafkaProducer, KafkaConsumer, KafkaAdminClient])
def test_a_client_without_a_broker_leaves_no_thread_and_no_descriptor(
    kind: Callable[..., Any], nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "kafka")  # a captured line holds its error, and that the socket
    before = set(threading.enumerate()), open_descriptors()
    for _ in range(3):
        with pytest.raises(KafkaError, match="Unable to bootstrap"):
            connected(kind, bootstrap_servers=nobody, bootstrap_timeout_ms=100)
    assert (set(threading.enumerate()), open_descriptors()) == before
