"""What commands print: text for a person, JSON lines with `--json` for a machine. Results go to stdout,
progress and messages to stderr."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from streams.records import Alert, AlertKind, AlertStatus
from streams.stages.normalize import quote_untrusted

errors = Console(stderr=True, highlight=False)


def safe(text: str, limit: int = 300) -> str:
    """Untrusted text for a terminal: one line, bounded, no control, direction or invisible characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return quote_untrusted(cut, limit)


def say(text: str) -> None:
    """A message for a person, on stderr."""
    click.echo(text, err=True)


@contextmanager
def said_if_slow(text: str, after_s: float = 1.0) -> Iterator[None]:
    """A sign of life on a terminal, where something takes longer than one expects."""
    timer = threading.Timer(after_s, say if sys.stderr.isatty() else str, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def print_json(record: object) -> None:
    click.echo(msgspec.json.encode(record).decode())


def moment(time: float) -> str:
    """Whole, as it may be years ago: of a history, or of a feed that is caught up with."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def alert_lines(alert: Alert) -> str:
    """An alert for a terminal: a headline with the time of the edit, the first changed sentence before and after, and of one about a
    post what that says."""
    risk = f"  risk {alert.revert_risk:.2f}" if alert.revert_risk is not None else ""
    state = "" if alert.kind is AlertKind.FACT_CORRECTED else f"  {alert.status}"
    lines = [f"{moment(alert.event_time)}  {alert.severity:<8} {safe(alert.summary)}{risk}{state}"]
    if alert.status is not AlertStatus.RESOLVED or alert.kind is AlertKind.FACT_CORRECTED:
        for fact in alert.fact_changes[:2]:
            lines += [f"    - {safe(fact.before, 200)}"] if fact.before else []
            lines += [f"    + {safe(fact.after, 200)}"] if fact.after else []
        if alert.kind is AlertKind.POST_REPEATS:
            lines += [f"    > {safe(post.statement, 200)}" for post in alert.posts[:1]]
        if alert.diff_url:
            lines.append(f"    {safe(alert.diff_url)}")
    return "\n".join(lines)


class ShareDone:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, progress: Progress | None, what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=1.0, note="") if progress is not None else None

    def update(self, share: float | None, note: str) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=share or 0.0, note=note)


@contextmanager
def share_done(what: str, *, shown: bool) -> Iterator[ShareDone]:
    if not (shown and sys.stderr.isatty()):
        yield ShareDone(None, what)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=errors, transient=True) as progress:
        yield ShareDone(progress, what)


class _OneLine(logging.Formatter):
    """Untrusted text in a message can't make a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(safe(line, 2_000) for line in super().format(record).split("\n"))

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's own name
        return super().formatMessage(record).replace("\n", "\\n").replace("\r", "\\r")


def set_up_logging(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("factwatch").setLevel(level.upper())
