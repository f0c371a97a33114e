"""`factwatch dead-letters`: what could not be processed, with its bytes."""

from __future__ import annotations

import os
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from streams.cli.compose import store_path
from streams.cli.output import print_json, safe, say
from streams.errors import BadInput
from streams.settings import load_settings
from streams.store.dead_letters import DeadLetters

#: SQLite's largest number.
MOST = (1 << 63) - 1


@click.group("dead-letters", short_help="Look at what could not be processed, and send it back.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A state file other than that of `factwatch run`, such as a replay's.",
)
@click.pass_context
def dead_letters(context: click.Context, state: Path | None) -> None:
    """Records that could not be processed are kept with their bytes and the reason why."""
    context.obj = state if state is not None else store_path(load_settings(os.environ))


@dead_letters.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(state: Path, limit: int, as_json: bool) -> None:
    """The newest first: number, time, stage, reason and the first bytes."""
    with DeadLetters(state) as letters:
        found = letters.newest(limit)
        total = letters.count()
    for letter in found:
        if as_json:
            print_json(letter)
        else:
            when = datetime.fromtimestamp(letter.time, UTC).strftime("%Y-%m-%d %H:%M:%S")
            waits = "  (sent back)" if letter.requeued else ""
            start = safe(letter.raw[:60].decode("utf-8", "replace"), 60)
            click.echo(
                f"{letter.id:>8}  {when}  {letter.source} {letter.stage}/{letter.reason}"
                f"  {letter.size:,} bytes  {start}{waits}"
            )
    if not as_json:
        say(f"{total:,} dead letters" if total else "no dead letters")


@dead_letters.command("show")
@click.argument("number", type=click.IntRange(1, MOST))
@click.option("--raw", is_flag=True, help="Only the bytes, as they came, on stdout.")
@click.pass_obj
def show(state: Path, number: int, raw: bool) -> None:
    """One of them, whole."""
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
@click.argument("numbers", type=click.IntRange(1, MOST), nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every one there is.")
@click.pass_obj
def requeue(state: Path, numbers: tuple[int, ...], all_: bool) -> None:
    """Send some back: a running `factwatch run` takes them within seconds, else the next one does.
    What fails again becomes a new dead letter."""
    if bool(numbers) == all_:
        raise click.UsageError("name numbers, or --all")
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
