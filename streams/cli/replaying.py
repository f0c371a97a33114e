"""What `factwatch replay` does: a file through the whole pipeline, and what came of it."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.table import Table

from streams.cli.compose import build_processor, load_model
from streams.cli.output import print_json, safe, say, share_done
from streams.cli.pages_report import pages_of, print_report
from streams.clock import SystemClock
from streams.content.wiki_facts import WikiFacts
from streams.errors import BadInput
from streams.metrics import Metrics
from streams.runners.embedded import EmbeddedRunner
from streams.runners.summary import ReplaySummary, summarize
from streams.settings import Settings, variable_of
from streams.sinks.ndjson import NdjsonSink
from streams.sources.history import HistorySource
from streams.sources.ndjson import NdjsonSource
from streams.stages.paging_policy import PagingPolicy
from streams.store.reader import StoredAlert
from streams.store.sqlite import SqliteStore


def replay_file(
    settings: Settings,
    source: HistorySource | NdjsonSource,
    name: str,
    *,
    alerts: Path | None,
    as_json: bool,
    fresh: bool,
    state: Path | None,
    pages_per_day: int | None,
) -> None:
    """`state`: None for a directory below that of the settings. `pages_per_day`: also say what a pager with
    that budget would have sent. Raises `BadInput` for damage, after what came before it was summed up."""
    file = Path(name)
    model = load_model(settings)
    directory = state or _state_of(settings, file)
    if fresh or (directory / _DONE).exists() or str(file) == "-":
        shutil.rmtree(directory, ignore_errors=True)
    store = SqliteStore(directory / _STATE)
    begun = store.cursor(source.name) is not None
    if begun:
        say("going on where an interrupted replay was (--fresh begins anew)")
    elif alerts is not None:
        alerts.unlink(missing_ok=True)
    sink = NdjsonSink(alerts, store) if alerts is not None else None
    processor = build_processor(
        settings,
        store,
        model,
        WikiFacts(),
        history=isinstance(source, HistorySource),
        all_wikis=variable_of("wikis") not in os.environ,
    )
    runner = EmbeddedRunner(
        source=source,
        store=store,
        processor=processor,
        metrics=Metrics(CollectorRegistry()),
        clock=SystemClock(),
        dead_letter_limit=settings.dead_letter_limit,
        dead_letter_command=_letters_in(directory),
        on_commit=lambda _: None,
    )
    started = time.perf_counter()
    failure: BadInput | None = None
    with share_done("replay", shown=not as_json) as bar:

        def committed(batch_alerts: Sequence[StoredAlert]) -> None:
            if sink is not None and batch_alerts:
                sink.write_new()
            progress = runner.progress
            speed = progress.records / max(time.perf_counter() - started, 1e-9)
            bar.update(
                source.status().position,
                f"{progress.records:,} events, {progress.alerts:,} alerts, {speed:,.0f}/s",
            )

        runner.on_commit = committed
        interrupted: list[int] = []

        def stop(signum: int, frame: object) -> None:
            interrupted.append(signum)
            runner.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if sink is not None:
            sink.write_new()
        runner.take_requeued()
        try:
            runner.run_file()
        except BadInput as err:
            failure = err  # everything before the damage counts: sum up, then say so
    if sink is not None:
        sink.write_new()
        sink.close()
    elapsed_s = time.perf_counter() - started
    summary = summarize(store, source.name, taken=runner.progress.records, elapsed_s=elapsed_s)
    pages = None
    if pages_per_day is not None and not interrupted:
        policy = PagingPolicy(pages_per_day=pages_per_day)
        pages = pages_of(store, policy, history=isinstance(source, HistorySource))
    store.close()
    if interrupted:
        say("interrupted: the same command goes on from here")
        sys.exit(130)
    (directory / _DONE).touch()
    if failure is not None and not summary.events:
        raise failure
    if as_json and pages is not None:
        print_json(msgspec.structs.asdict(summary) | {"paging": pages})
    elif as_json:
        print_json(summary)
    else:
        _print(summary, str(file))
        if pages is not None:
            print_report(pages, Console(highlight=False))
    if not summary.events and not as_json:
        say(f"{safe(name)}: no events in it")
    if summary.dead_letters:
        say(f"look at them: {_letters_in(directory)}")
    if failure is not None:
        raise failure


_DONE = "done"
_STATE = "replay.sqlite"


def _letters_in(directory: Path) -> str:
    return f"factwatch dead-letters --state {shlex.quote(str(directory / _STATE))} list"


def _state_of(settings: Settings, file: Path) -> Path:
    """By path and size: another file of the same name begins anew."""
    if str(file) == "-":
        return settings.data_dir / "replays" / f"stdin-{os.getpid()}"
    size = file.stat().st_size if file.exists() else 0
    name = hashlib.blake2b(f"{file.resolve()}\0{size}".encode(), digest_size=8).hexdigest()
    return settings.data_dir / "replays" / name


def _print(summary: ReplaySummary, name: str) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    speed = f", {summary.events_per_s:,.0f}/s" if summary.events_per_s else ""
    took = f" in {summary.elapsed_s:,.1f} s" if summary.elapsed_s is not None else ""
    table.add_row("events", f"{summary.events:,}{took}{speed}")
    table.add_row("processed", f"{summary.processed:,} ({summary.edits:,} edits scored)")
    table.add_row("skipped", _counts(summary.skipped))
    table.add_row("dead letters", _counts(summary.dead_letters))
    table.add_row("alerts", _counts(summary.alerts))
    table.add_row(
        "the community",
        f"reverted {summary.edits_reverted:,}, kept {summary.edits_kept:,},"
        f" not known {summary.edits - summary.edits_reverted - summary.edits_kept:,}",
    )
    table.add_row(
        "edit alerts",
        f"{summary.edits_alerted:,} edits: precision {_share(summary.precision)},"
        f" recall {_share(summary.recall)} (reverts in 48 h)",
    )
    table.add_row(
        "median time",
        f"to alert {_seconds(summary.median_s_to_alert)},"
        f" to revert {_seconds(summary.median_s_to_revert)} (event time)",
    )
    console = Console(highlight=False)
    console.print(f"Replay of {name}", markup=False)
    console.print(table)


def _counts(counts: dict[str, int]) -> str:
    shown = [f"{name} {n:,}" for name, n in counts.items() if n]
    return ", ".join(shown) if shown else "none"


def _share(share: float | None) -> str:
    return "not known" if share is None else f"{share:.3f}"


def _seconds(seconds: float | None) -> str:
    return "not known" if seconds is None else f"{seconds:,.0f} s"
