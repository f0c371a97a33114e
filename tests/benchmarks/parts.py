"""The parts of `make bench`, each run in a process of its own by `run.py`."""

from __future__ import annotations

import models.threads  # noqa: F401  # isort: skip  # before NumPy

import argparse
import gc
import itertools
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from prometheus_client import CollectorRegistry

from models.classifier import Classifier, load_classifier
from models.evaluate import EvaluateReport, Figure, evaluate
from models.train import train
from streams.cli.compose import build_processor, training_sample
from streams.clock import SystemClock
from streams.content.wiki_facts import WikiFacts
from streams.metrics import Metrics
from streams.runners.embedded import EmbeddedRunner
from streams.runners.micro_batches import BATCH_ITEMS
from streams.runners.performers import LocalPerformers
from streams.runners.processor import Processor
from streams.runners.states import States
from streams.settings import Settings
from streams.sources.base import Source, SourceItem, SourceStatus
from streams.sources.history import HistorySource
from streams.sources.ndjson import NdjsonSource
from streams.stages.decide import AlertPolicy, Decider
from streams.stages.deduplicate import RecentIds
from streams.stages.links import Links
from streams.stages.normalize import Normalizer
from streams.state.watermark import Watermark
from streams.store.reader import StoredAlert
from streams.store.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
import bench_facts
import bench_sources
from events import recent_changes
from nowhere import Nowhere
from texts import TextWorld


def row(name: str, value: str, asked: str = "", ok: bool | None = None, beside: str = "") -> None:
    print(
        json.dumps({"name": name, "value": value, "asked": asked, "ok": ok, "beside": beside}),
        flush=True,
    )


class Memory:
    """A source of items that are there already."""

    def __init__(self, name: str, items: Iterator[SourceItem]) -> None:
        self.name = name
        self._items = items

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        return self._items

    def status(self) -> SourceStatus:
        return SourceStatus("connected")

    def close(self) -> None:
        pass


def runner_of(
    store: SqliteStore,
    source: Source,
    model: Classifier,
    *,
    history: bool,
    threshold: float | None = None,
) -> EmbeddedRunner:
    settings = Settings(alert_threshold=threshold)
    return EmbeddedRunner(
        source=source,
        store=store,
        processor=build_processor(
            settings,
            store,
            model,
            WikiFacts(),
            history=history,
            all_wikis=True,
            sample=None if history else training_sample(settings, model),
        ),
        metrics=Metrics(CollectorRegistry()),
        clock=SystemClock(),
    )


def metadata(data: Path, directory: Path) -> None:
    count = 300_000
    lines = directory / "events.ndjson"
    with lines.open("wb") as file:
        file.writelines(line + b"\n" for line in recent_changes(count))
    model = load_classifier()
    with lines.open("rb") as file:
        some = [line.rstrip(b"\n") for line in itertools.islice(file, 100_000)]
    normalize = Normalizer()
    started = time.perf_counter()
    for line in some:
        normalize(line)
    decode = len(some) / (time.perf_counter() - started)
    bound = in_memory([SourceItem("", line) for line in some], model)
    del some
    gc.collect()
    store = SqliteStore(directory / "metadata.sqlite")
    runner = runner_of(store, NdjsonSource(lines), model, history=False)
    marks: list[tuple[int, float]] = [(0, time.perf_counter())]

    def committed(alerts: Sequence[StoredAlert]) -> None:
        marks.append((runner.progress.records, time.perf_counter()))

    runner.on_commit = committed
    runner.run_file()
    whole = count / (marks[-1][1] - marks[0][1])
    tenth = count // 10
    first, last = _rate(marks, 0, tenth), _rate(marks, count - tenth, count)
    warm = _rate(marks, 2 * tenth, 3 * tenth)
    store.close()
    beside = f"decode alone {decode:,.0f}/s; decode, features, classifier in memory {bound:,.0f}/s"
    row("metadata-only, durable commits", f"{whole:,.0f}/s", "12,000/s", whole >= 12_000, beside)
    row("  share of the in-memory bound", f"{whole / bound:.2f}", "0.45", whole / bound >= 0.45)
    row(
        "  last tenth of 300,000 against first",
        f"{last / first:.2f}",
        "0.90",
        last / first >= 0.9,
        f"first {first:,.0f}/s, last {last:,.0f}/s",
    )
    # A start on nothing has no states to load and little to write: this tells whether it goes on falling.
    row("  last tenth against the third", f"{last / warm:.2f}", "", None, f"third {warm:,.0f}/s")


def in_memory(items: list[SourceItem], model: Classifier) -> float:
    """Items a second through decode, features (from states in memory) and the classifier: what the
    same stages do without a store."""
    facts = WikiFacts()
    states = States(Nowhere())
    processor = Processor(
        states=states,
        performers=LocalPerformers(states.performers, by_page=False, retention_s=math.inf),
        normalizer=Normalizer(),
        recent=RecentIds(),
        scorer=model,
        decider=Decider(AlertPolicy(), Links()),
        match_revert=facts.match_revert,
        watermark=Watermark(),
        next_row=1,
    )
    started = time.perf_counter()
    for at in range(0, len(items), BATCH_ITEMS):
        processor.process("ndjson", processor.intake(items[at : at + BATCH_ITEMS]), None)
        processor.committed()
    return len(items) / (time.perf_counter() - started)


def _rate(marks: list[tuple[int, float]], first: int, last: int) -> float:
    inside = [(n, at) for n, at in marks if first <= n <= last]
    (n0, t0), (n1, t1) = inside[0], inside[-1]
    return (n1 - n0) / (t1 - t0)


def text(data: Path, directory: Path) -> None:
    count = 12_000
    world = TextWorld(pages=1_500)
    items = [SourceItem(str(n), None, edit) for n, edit in enumerate(world.edits(count))]
    model = load_classifier()
    store = SqliteStore(directory / "text.sqlite")
    runner = runner_of(store, Memory("ndjson", iter(items)), model, history=False)
    started = time.perf_counter()
    runner.run_file()
    rate = count / (time.perf_counter() - started)
    store.close()
    row(
        "full-text edits, 2 to 8 KB",
        f"{rate:,.0f}/s",
        "1,000/s",
        rate >= 1_000,
        f"{len(world._texts)} pages",
    )


def lincoln(data: Path, directory: Path) -> None:
    path = data / "histories" / "enwiki-abraham-lincoln.xml.xz"
    if not path.exists():
        row("Lincoln replay", "left out: no data", "600/s")
        return
    started = time.perf_counter()
    revisions = sum(1 for _ in HistorySource(path).items(None))
    parsing = revisions / (time.perf_counter() - started)
    store = SqliteStore(directory / "lincoln.sqlite")
    runner = runner_of(store, HistorySource(path), load_classifier(), history=True)
    started = time.perf_counter()
    runner.run_file()
    rate = revisions / (time.perf_counter() - started)
    store.close()
    row(
        "Abraham Lincoln, 10.7k revisions of 80 KB",
        f"{rate:,.0f}/s",
        "600/s",
        rate >= 600,
        f"parsing alone {parsing:,.0f}/s",
    )


def memory(data: Path, directory: Path) -> None:
    count = 1_000_000
    store = SqliteStore(directory / "memory.sqlite")
    events = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "events.py"), str(count)], stdout=subprocess.PIPE
    )
    assert events.stdout is not None
    items = (SourceItem(str(n), line) for n, line in enumerate(events.stdout))
    runner = runner_of(store, Memory("ndjson", items), load_classifier(), history=False)
    sizes: list[tuple[int, float]] = []
    marks: list[tuple[int, float]] = []
    statm = Path("/proc/self/statm")
    page_bytes = resource.getpagesize()

    def committed(alerts: Sequence[StoredAlert]) -> None:
        records = runner.progress.records
        if not sizes or records - sizes[-1][0] >= 10_000:
            sizes.append((records, int(statm.read_text().split()[1]) * page_bytes / 1e6))
            marks.append((records, time.process_time()))

    runner.on_commit = committed
    runner.run_file()
    events.wait()
    store.close()
    after = [size for records, size in sizes if records >= 200_000]
    spread = max(abs(size / after[0] - 1) for size in after)
    row(
        "resident set from event 200,000 to 1,000,000",
        f"±{spread:.1%}",
        "±10 %",
        spread <= 0.10,
        f"{after[0]:,.0f} MB at 200,000, {after[-1]:,.0f} MB at the end",
    )
    # Of processor time, as the events are made on the other core meanwhile.
    warm, late = _rate(marks, 300_000, 400_000), _rate(marks, 900_000, count)
    beside = f"{warm:,.0f}/s of processor time from 300,000 on, {late:,.0f}/s from 900,000 on"
    row("  last of its tenths against the fourth", f"{late / warm:.2f}", "", None, beside)


class Paced:
    """Events at a steady rate; each is a blatant one where `every` says so."""

    name = "ndjson"

    def __init__(self, lines: list[bytes], per_s: float) -> None:
        self._lines = lines
        self._per_s = per_s
        self.sent: list[float] = []

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        begin = time.perf_counter()
        for number, line in enumerate(self._lines):
            wait_s = begin + number / self._per_s - time.perf_counter()
            if wait_s > 0:
                time.sleep(wait_s)  # the pace is the point
            self.sent.append(time.perf_counter())
            yield SourceItem(str(number), line)

    def status(self) -> SourceStatus:
        return SourceStatus("connected")

    def close(self) -> None:
        pass


def latency(data: Path, directory: Path) -> None:
    """From the item read to its alert committed. The threshold is set so low that many edits alert."""
    lines = list(recent_changes(3_000, seed=5))
    model = load_classifier()
    source = Paced(lines, 100.0)
    store = SqliteStore(directory / "latency.sqlite")
    runner = runner_of(store, source, model, history=False, threshold=0.02)
    place = {json.loads(line)["revision"]["new"]: number for number, line in enumerate(lines)}
    waits: list[float] = []

    def committed(alerts: Sequence[StoredAlert]) -> None:
        now = time.perf_counter()
        waits.extend(
            now - source.sent[place[stored.alert.rev_id]]
            for stored in alerts
            if (alert := stored.alert) and alert.revert_risk is not None and alert.status != "resolved"
        )

    runner.on_commit = committed
    thread = threading.Thread(target=runner.run_live)
    thread.start()
    thread.join()
    store.close()
    if len(waits) < 100:
        row("edit to alert at 100 events/s", f"only {len(waits)} alerts", "p99 300 ms", False)
        return
    quantiles = statistics.quantiles(waits, n=100)
    row(
        "edit to alert at 100 events/s, p99",
        f"{quantiles[98] * 1e3:,.0f} ms",
        "300 ms",
        quantiles[98] < 0.3,
        f"p50 {quantiles[49] * 1e3:,.0f} ms, of {len(waits):,} alerts",
    )


def sources(data: Path, directory: Path) -> None:
    for figure in bench_sources.rows():
        value = f"{figure['value']:,.1f} {figure['unit']}"
        row(f"source: {figure['name']}", value, str(figure["asked"]), bool(figure["ok"]))


def facts(data: Path, directory: Path) -> None:
    for figure in bench_facts.measure():
        row(
            f"fact changes: {figure['name']}",
            f"{figure['median_ms']} ms",
            f"{figure['asked_ms']} ms",
            bool(figure["ok"]),
            f"worst {figure['worst_ms']} ms",
        )


def classifier(data: Path, directory: Path) -> None:
    histories = data / "histories"
    if not histories.exists():
        row("classifier, article-blind", "left out: no data")
        return
    asked = {"enwiki-abraham-lincoln": 0.96, "enwiki-holy-grail": 0.90}
    # Some minutes each, and no figure of time: side by side, each in a process that shares nothing.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        reports = pool.map(_left_out, itertools.repeat(data), asked, itertools.repeat(directory))
        for name, report in zip(asked, reports, strict=True):
            quality = report.everybody
            row(
                f"{name} left out, {report.label}: ROC-AUC",
                _figure(quality.roc_auc),
                f"{asked[name]:.2f}",
                (quality.roc_auc.value or 0.0) >= asked[name],
                f"anonymous only {_figure(report.anonymous.roc_auc)};"
                f" the anonymous flag alone {quality.baseline_roc_auc:.3f}",
            )
            if report.label == "damaging":
                row("  r1p", _figure(report.r1p), "0.60", (report.r1p.value or 0.0) >= 0.60)


def _left_out(data: Path, name: str, directory: Path) -> EvaluateReport:
    """An article judged by a model that never saw it, by people's labels where there are."""
    history = data / "histories" / f"{name}.xml.xz"
    labels = data / "histories" / f"{name}.human.csv"
    out = directory / name
    train(data, out, leave_out=[name])
    return evaluate([history], labels if labels.exists() else None, None, out)


def _figure(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=sorted(_PARTS))
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    # Beside the checkout, not in a tmpfs: the commits must meet a real disk.
    with tempfile.TemporaryDirectory(dir=Path(__file__).resolve().parents[3]) as directory:
        _PARTS[arguments.part](arguments.data, Path(directory))


_PARTS = {
    "metadata": metadata,
    "text": text,
    "lincoln": lincoln,
    "memory": memory,
    "latency": latency,
    "sources": sources,
    "facts": facts,
    "classifier": classifier,
}

if __name__ == "__main__":
    main()
