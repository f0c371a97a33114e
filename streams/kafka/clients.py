"""kafka-python's clients, made so that one that reaches no broker leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kafka import KafkaConsumer

Client = TypeVar("Client")


def connected(kind: Callable[..., Client], /, **arguments: Any) -> Client:
    """`kind(**arguments)`; `kind` is `KafkaProducer`, `KafkaConsumer` or `KafkaAdminClient`. Their
    constructors connect, and one that raises leaves its thread running and its event loop open: whoever
    tries again until the broker is there would run out of descriptors within an hour or two.

    (The socket whose connect was refused is out of reach: it closes when garbage is collected.)"""
    made: list[Any] = []

    def remembered(**configs: Any) -> Any:
        made.append(KafkaConsumer.DEFAULT_CONFIG["kafka_client"](**configs))
        return made[-1]

    try:
        return kind(**arguments, kafka_client=remembered)
    except BaseException:  # Ctrl-C too: what was begun is closed, and it goes on
        for client in made:
            client.close()
        raise
