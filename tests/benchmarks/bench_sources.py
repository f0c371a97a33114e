"""How fast the sources give items: run alone with `python -m tests.benchmarks.bench_sources`."""

from __future__ import annotations

import lzma
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from streams.sources.base import Source
from streams.sources.eventstreams import EventStreamsSource
from streams.sources.history import HistorySource
from streams.sources.ndjson import NdjsonSource
from streams.sources.rcfeed import RcFeedSource
from tests.conftest import data_directory

SSE_EVENTS = 100_000
LATENCY_EVENTS = 1_000
LATENCY_PER_S = 500
LINES = 300_000
REVISIONS = 3_000
DATAGRAMS = 20_000


class Figure(NamedTuple):
    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


def change(number: int) -> bytes:
    """About the 1.3 KB of a real recent change."""
    return msgspec.json.encode(
        {
            "$schema": "/mediawiki/recentchange/1.0.0",
            "meta": {
                "id": f"{number:032x}",
                "dt": "2026-03-05T00:57:29.259Z",
                "domain": "en.wikipedia.org",
            },
            "id": number,
            "type": "edit",
            "namespace": 0,
            "title": f"Page {number % 5000}",
            "comment": "typo " * 40,
            "parsedcomment": "typo " * 120,
            "timestamp": 1_772_672_247,
            "user": f"~2026-{number % 99999}-08",
            "length": {"old": 16225, "new": 16253},
            "revision": {"old": number, "new": number + 1},
            "server_name": "en.wikipedia.org",
            "wiki": "enwiki",
        }
    )


#: Serves events as EventStreams does, one a chunk: as fast as they are taken, then at a steady pace
#: with the time of sending in each.
SERVER = f"""
import socket, time
from tests.benchmarks.bench_sources import change
from tests.unit.sources.sse_server import CHUNKED, chunk
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
def event(number, data):
    where = b'[{{"topic":"eqiad.mediawiki.recentchange","partition":0,"timestamp":%d}}]' % number
    return chunk(b"event: message\\nid: %s\\ndata: %s\\n\\n" % (where, data))
body = [event(number, change(number)) for number in range(1000)]
blocks = [b"".join(body[at:at + 20]) for at in range(0, 1000, 20)]
connection, _ = listening.accept()
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
connection.recv(65536)
connection.sendall(CHUNKED)
for _ in range({SSE_EVENTS} // 1000):
    for block in blocks:
        connection.sendall(block)
started = time.monotonic() + 0.5
for number in range({LATENCY_EVENTS}):
    time.sleep(max(0, started + number / {LATENCY_PER_S} - time.monotonic()))
    connection.sendall(event(number, b"%.9f" % time.monotonic()))
connection.recv(1)
"""


def count(source: Source, number: int | None = None) -> float:
    """Items a second, of the first `number` or all."""
    items = source.items(None)
    started = time.perf_counter()
    taken = 0
    for taken, _ in enumerate(items, 1):  # the last number is what counts
        if taken == number:
            break
    return taken / (time.perf_counter() - started)


def sse() -> Iterator[Figure]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/"
            source = EventStreamsSource(url, "factwatch-bench/1", stall_after_s=30.0)
            events = (item.raw for item in source.items(None) if item.raw is not None)
            next(events)
            started = time.perf_counter()
            for _ in range(SSE_EVENTS - 1):
                next(events)
            took = time.perf_counter() - started
            late = []
            for _ in range(LATENCY_EVENTS):
                sent = float(next(events))
                late.append(time.monotonic() - sent)
            late.sort()
            source.close()
        finally:
            server.kill()
    yield Figure("SSE", SSE_EVENTS / took, "events/s", at_least=10_000)
    yield Figure("SSE, sent to yielded, p99", late[LATENCY_EVENTS * 99 // 100] * 1e3, "ms", at_most=20.0)


def ndjson(directory: Path) -> Iterator[Figure]:
    path = directory / "changes.ndjson"
    with path.open("wb") as out:
        for number in range(LINES):
            out.write(change(number) + b"\n")
    yield Figure("NDJSON", count(NdjsonSource(path)), "lines/s", at_least=500_000)


def made_history(path: Path, revisions: int, text_bytes: int) -> None:
    line = (
        "The [[Battle of Example|battle]] was fought in 18{} &amp; won by &lt;b&gt;nobody&lt;/b&gt;.\n"
    )
    with path.open("w") as out:
        out.write('<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11">\n')
        out.write(
            "<siteinfo><dbname>enwiki</dbname></siteinfo>\n<page><title>A</title><ns>0</ns><id>1</id>\n"
        )
        for number in range(revisions):
            text = line.format(number % 100) * (text_bytes // len(line))
            out.write(
                f"<revision><id>{number + 1}</id><timestamp>2020-01-02T03:04:05Z</timestamp><contributor>"
                f'<ip>127.0.0.1</ip></contributor><comment>typo</comment><text xml:space="preserve">{text}'
                "</text></revision>\n"
            )
        out.write("</page></mediawiki>\n")


def histories(directory: Path) -> Iterator[Figure]:
    path = directory / "made.xml"
    made_history(path, REVISIONS, 80_000)
    yield Figure("XML, 80 KB texts", count(HistorySource(path)), "revisions/s", at_least=1_300)
    packed = directory / "made.xml.xz"
    packed.write_bytes(lzma.compress(path.read_bytes(), preset=0))
    yield Figure("XML, 80 KB texts, .xz", count(HistorySource(packed)), "revisions/s", at_least=1_300)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made_history(path, REVISIONS * 20, 4_000)
    yield Figure("XML, 4 KB texts", count(HistorySource(path)), "revisions/s", at_least=10_000)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield Figure("XML, memory grown over 240 MB", grown, "MiB", at_most=50)
    real = data_directory() / "histories" / "enwiki-abraham-lincoln.xml.xz"
    if real.exists():
        yield Figure("XML, Abraham Lincoln", count(HistorySource(real)), "revisions/s", at_least=1_300)


def datagrams() -> Iterator[Figure]:
    """A sender in step with the source: 100 at a time, within what the kernel holds by default."""
    source = RcFeedSource("rcfeed://127.0.0.1:0")
    items = source.items(None)
    host, _, port = source.address.rpartition(":")
    body = msgspec.json.decode(change(1))
    del body["meta"]
    datagram = msgspec.json.encode(body)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((host, int(port)))
        sender.send(datagram)
        next(items)
        started = time.perf_counter()
        for _ in range(DATAGRAMS // 100):
            for _ in range(100):
                sender.send(datagram)
            for _ in range(100):
                next(items)
        took = time.perf_counter() - started
    source.close()
    yield Figure("RCFeed, sending included", DATAGRAMS / took, "datagrams/s", at_least=5_000)


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        yield from sse()
        yield from ndjson(directory)
        yield from histories(directory)
        yield from datagrams()


def rows() -> Iterator[dict[str, object]]:
    """For `make bench`: name, value, unit, what is asked, and whether it holds."""
    for figure in figures():
        asked = (
            f"at least {figure.at_least:,.0f}" if figure.at_least else f"at most {figure.at_most:,.0f}"
        )
        yield {**figure._asdict(), "asked": asked, "ok": figure.holds}


def main() -> int:
    failed = 0
    for figure in figures():
        bound = (
            f"at least {figure.at_least:,.0f}" if figure.at_least else f"at most {figure.at_most:,.0f}"
        )
        verdict = "" if figure.holds else "  <-- missed"
        print(f"{figure.name:<32}{figure.value:>14,.1f} {figure.unit:<13}{bound}{verdict}", flush=True)
        failed += not figure.holds
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
