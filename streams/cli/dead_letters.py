"""`factwatch dead-letters`: what could not be processed, with its bytes."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from streams.cli import kafka_dead_letters
from streams.cli.named_files import ReadFile
from streams.cli.output import moment, print_json, safe, say
from streams.cli.places import store_path
from streams.errors import BadInput
from streams.settings import load_settings
from streams.store.dead_letters import DeadLetters

#: SQLite's largest number, and Kafka's.
MOST = (1 << 63) - 1

Id = int | tuple[int, int]
"""Of a state file a number, of Kafka partition and offset."""


class _LetterId(click.ParamType):
    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Id:
        found = re.fullmatch(r"(?:([0-9]{1,9}):)?([0-9]{1,19})", value)
        if found is None or not int(found[1] is None) <= int(found[2]) <= MOST:
            self.fail(
                f"{safe(value)!r} is neither a number nor, with --kafka, PARTITION:OFFSET", param, ctx
            )
        return int(found[2]) if found[1] is None else (int(found[1]), int(found[2]))


_kafka = click.option("--kafka", is_flag=True, help="Those of the workers: FACTWATCH_KAFKA_BOOTSTRAP.")


@click.group("dead-letters", short_help="Look at what could not be processed, and send it back.")
@click.option(
    "--state",
    type=ReadFile(),
    help="A state file other than that of `factwatch run`, such as a replay's.",
)
@click.pass_context
def dead_letters(context: click.Context, state: Path | None) -> None:
    """Records that could not be processed are kept with their bytes and the reason why: by `factwatch run`
    in its state file, by workers in the topic factwatch.dead-letters.v1 (--kafka)."""
    context.obj = state if state is not None else store_path(load_settings(os.environ))


@dead_letters.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@_kafka
@click.pass_obj
def list_(state: Path, limit: int, as_json: bool, kafka: bool) -> None:
    """The newest first: id, time, stage, reason and the first bytes, or with --kafka the message."""
    if kafka:
        kafka_dead_letters.print_newest(load_settings(os.environ), limit, as_json=as_json)
        return
    with DeadLetters(state) as letters:
        found = letters.newest(limit)
        total = letters.count()
    for letter in found:
        if as_json:
            print_json(letter)
        else:
            waits = "  (sent back)" if letter.requeued else ""
            start = safe(letter.raw[:60].decode("utf-8", "replace"), 60)
            click.echo(
                f"{letter.id:>8}  {moment(letter.time)}  {letter.source} {letter.stage}/{letter.reason}"
                f"  {letter.size:,} bytes  {start}{waits}"
            )
    if not as_json:
        say(f"{total:,} dead letters" if total else "no dead letters")


@dead_letters.command("show")
@click.argument("number", metavar="ID", type=_LetterId())
@click.option("--raw", is_flag=True, help="Only the bytes, as they came, on stdout.")
@_kafka
@click.pass_obj
def show(state: Path, number: Id, raw: bool, kafka: bool) -> None:
    """One of them, whole. ID is as `list` gives it: a number, or with --kafka PARTITION:OFFSET."""
    if kafka:
        (place,) = _places([number])
        kafka_dead_letters.show(load_settings(os.environ), place, raw=raw)
        return
    (number,) = _numbers([number])
    with DeadLetters(state) as letters:
        letter = letters.get(number)
    if letter is None:
        raise BadInput(f"no dead letter has the number {number} (see `factwatch dead-letters list`)")
    if raw:
        sys.stdout.buffer.write(letter.raw)
        return
    for name in ("id", "source", "stage", "reason", "message", "position", "size", "requeued"):
        click.echo(f"{name:<9} {safe(str(getattr(letter, name)), 2_000)}")
    click.echo(f"{'bytes':<9} {safe(letter.raw.decode('utf-8', 'backslashreplace'), 20_000)}")


@dead_letters.command("requeue")
@click.argument("numbers", metavar="[ID]...", type=_LetterId(), nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every one there is.")
@click.option(
    "--reason", metavar="REASON", help="With --kafka: those of one reason, as `list` shows it."
)
@_kafka
@click.pass_obj
def requeue(state: Path, numbers: tuple[Id, ...], all_: bool, reason: str | None, kafka: bool) -> None:
    """Send some back: a running `factwatch run` takes them within seconds, else the next one does.
    What fails again becomes a new dead letter.

    With --kafka they are written to factwatch.changes.v1, and workers take them from there; nothing marks
    that they were. --all and --reason leave out what was sent back before and failed again: its first
    dead letter is sent."""
    if bool(numbers) + all_ + (reason is not None) != 1:
        raise click.UsageError("name IDs, or --all, or with --kafka --reason REASON")
    if kafka:
        ids = _places(numbers) if numbers else None
        kafka_dead_letters.requeue(load_settings(os.environ), ids, reason)
        return
    if reason is not None:
        raise click.UsageError("--reason goes with --kafka")
    numbers = _numbers(numbers)
    try:
        with DeadLetters(state, writes=True) as letters:
            sent = letters.requeue(None if all_ else numbers)
    except sqlite3.OperationalError as err:
        raise BadInput(f"{state}: {err}") from err
    if not all_ and sent < len(set(numbers)):
        say(f"{len(set(numbers)) - sent} of those numbers: not there, or sent back before")
    say(f"{sent:,} sent back")
    if not sent and not all_:
        raise BadInput("nothing was sent back (see `factwatch dead-letters list`)")


def _numbers(ids: Sequence[Id]) -> tuple[int, ...]:
    found = tuple(one for one in ids if isinstance(one, int))
    if len(found) < len(ids):
        raise click.UsageError("PARTITION:OFFSET goes with --kafka")
    return found


def _places(ids: Sequence[Id]) -> list[tuple[int, int]]:
    found = [one for one in ids if not isinstance(one, int)]
    if len(found) < len(ids):
        raise click.UsageError("with --kafka an ID is PARTITION:OFFSET")
    return found
