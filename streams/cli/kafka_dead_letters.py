"""`factwatch dead-letters … --kafka`: the same over the topic of the workers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from streams.cli.output import moment, print_json, safe, say, set_up_logging
from streams.cli.without_extra import kafka_extra
from streams.clock import SystemClock
from streams.errors import BadInput
from streams.settings import Settings
from streams.sources.base import SourceItem
from streams.stages.normalize import Normalizer

if TYPE_CHECKING:
    from streams.kafka.dead_letters import KafkaDeadLetter, Place
    from streams.kafka.records import OutRecord
    from streams.kafka.security import Connection

_LIST = "see `factwatch dead-letters list --kafka`"
#: Bytes of a value, and of a header, that are shown.
_SHOWN = 20_000
_HEADER_SHOWN = 2_000


def print_newest(settings: Settings, limit: int, *, as_json: bool) -> None:
    connection = _connection(settings)
    from streams.kafka.dead_letters import dead_letter_topic

    with dead_letter_topic(connection) as topic:
        found = topic.newest(limit)
    for letter in found:
        if as_json:
            print_json(_as_json(letter))
        else:
            click.echo(_line(letter))
    if not as_json:
        say(f"the newest {len(found):,} dead letters" if found else "no dead letters")


def show(settings: Settings, place: tuple[int, int], *, raw: bool) -> None:
    connection = _connection(settings)
    from streams.kafka.dead_letters import dead_letter_topic

    with dead_letter_topic(connection) as topic:
        letter = topic.get(*place)
    if letter is None:
        raise BadInput(f"no dead letter has the id {place[0]}:{place[1]} ({_LIST})")
    if raw:
        sys.stdout.buffer.write(letter.value or b"")
        return
    click.echo(f"id   {letter.id}  {moment(letter.time)}")
    for name, value in letter.headers:
        click.echo(f"{safe(name, 100)}  {_text(value, _HEADER_SHOWN)}")
    click.echo(f"key    {_text(letter.key, _HEADER_SHOWN)}")
    click.echo(f"size   {letter.size:,} bytes")
    click.echo(f"bytes  {_text(letter.value, _SHOWN)}")


def requeue(settings: Settings, ids: Sequence[tuple[int, int]] | None, reason: str | None) -> None:
    """`ids` None: all, or all of one reason."""
    connection = _connection(settings)
    from streams.kafka.admin import shared_partitions
    from streams.kafka.dead_letters import (
        dead_letter_topic,
        is_of_posts,
        original,
        send_back,
        wanted,
    )

    partitions = shared_partitions(connection)
    place = _place(partitions)
    of_post = _of_post(settings, partitions)

    def records() -> Iterator[OutRecord]:
        for letter in wanted(topic, ids, reason):
            if is_of_posts(letter):
                yield from of_post(letter)
            else:
                yield original(letter, place)

    with dead_letter_topic(connection) as topic:
        sent = send_back(connection, records())
    if ids is not None and sent < len(set(ids)):
        say(f"{len(set(ids)) - sent} of those ids: not there")
    say(f"{sent:,} sent back")
    if not sent and (ids is not None or reason is not None):
        raise BadInput(f"nothing was sent back ({_LIST})")


def _connection(settings: Settings) -> Connection:
    set_up_logging(settings.log_level)
    with kafka_extra():
        from streams.kafka.complaints import listen
        from streams.kafka.security import connection_of
    listen(shown=settings.log_level == "debug")
    return connection_of(settings)


def _place(partitions: int) -> Place:
    """Where ingest would have put it: records of a performer meet."""
    from streams.runners.ingest_batch import BatchMaker

    def normalizer_at(now: Callable[[], float]) -> Normalizer:
        return Normalizer(now=now)

    def place(value: bytes) -> tuple[bytes | None, int]:
        in_changes = BatchMaker(normalizer_at, partitions, SystemClock())([SourceItem("", value)])
        return in_changes.sendings[0].key, in_changes.sendings[0].partition

    return place


def _of_post(settings: Settings, partitions: int) -> Callable[[KafkaDeadLetter], list[OutRecord]]:
    """As ingest would write it now: where it can be read at last, without the platform's id of its
    author."""
    from streams.cli.compose_posts import post_normalizer
    from streams.runners.ingest_posts import sent_back

    normalizer = post_normalizer(settings)

    def of_post(letter: KafkaDeadLetter) -> list[OutRecord]:
        was_in_posts = bool(letter.told("partition"))
        return sent_back(letter.value or b"", normalizer, partitions, was_in_posts=was_in_posts)

    return of_post


def _line(letter: KafkaDeadLetter) -> str:
    again = "  (was sent back)" if letter.requeued else ""
    why = f"{safe(letter.told('stage'), 40)}/{safe(letter.told('reason'), 40)}"
    return (
        f"{letter.id:>10}  {moment(letter.time)}  {why}  {safe(letter.origin, 120)}"
        f"  {letter.size:,} bytes  {safe(letter.told('message'), 120)}{again}"
    )


def _as_json(letter: KafkaDeadLetter) -> dict[str, object]:
    """With the names that those of a state file have, where they mean the same."""
    return {
        "id": letter.id,
        "time": letter.time,
        **{name: letter.told(name) for name in ("stage", "reason", "exception", "message")},
        "position": letter.origin,
        "key": (letter.key or b"").decode("utf-8", "replace"),
        "requeued": letter.requeued,
        "size": letter.size,
        "raw": letter.value or b"",
    }


def _text(value: bytes | None, limit: int) -> str:
    return safe(value.decode("utf-8", "backslashreplace"), limit) if value is not None else "(none)"
