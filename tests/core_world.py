"""Histories told as a story, and the real stages and store to send them through.

world = EditWorld()
good = world.edit("Alice", "The tower is 300 m high.")
bad = world.edit("192.0.2.7", "The tower is 3 m high.", risk=0.95)
world.revert("Bob", to=good)
alerts = replay(world, tmp_path)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry

from streams.content.wiki_facts import WikiFacts
from streams.metrics import Metrics
from streams.records import (
    Alert,
    AlertKind,
    Content,
    Edit,
    LogEvent,
    Reason,
    RevisionText,
    TagsChange,
)
from streams.runners.cold_pages import RecentHistories
from streams.runners.embedded import EmbeddedRunner
from streams.runners.own_shifts import OwnShifts
from streams.runners.performers import LocalPerformers
from streams.runners.processor import Processor
from streams.runners.scorer import Scorer
from streams.runners.shadow import Shadow
from streams.runners.states import States
from streams.runners.training_sample import TrainingSample
from streams.sources.base import SourceItem, SourceStatus
from streams.stages.decide import AlertPolicy, Decider
from streams.stages.deduplicate import RecentIds
from streams.stages.diff import TextDelta
from streams.stages.links import Links
from streams.stages.normalize import Normalized, Normalizer
from streams.stages.performer_kinds import performer_kind
from streams.state.page import PageState, PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory
from streams.store.keys import state_id
from streams.store.sqlite import SqliteStore

#: 1 January 2026.
START = 1_767_225_600.0
HOUR = 3_600.0
DAY = 24 * HOUR
POLICY = AlertPolicy(threshold=0.8, warning_share=0.5)
HOST = "en.wikipedia.org"

Record = Edit | LogEvent | TagsChange


class EditWorld:
    """One wiki. Each call makes what happened next, a minute after the last thing."""

    def __init__(self, title: str = "Tower", wiki: str = "enwiki", step_s: float = 60.0) -> None:
        self.title = title
        self.wiki = wiki
        self.step_s = step_s
        self.now = START
        self.records: list[Record] = []
        self.risks: dict[int, float] = {}
        self._rev_id = 1_000
        self._latest: dict[str, RevisionText] = {}

    def wait(self, seconds: float) -> None:
        """Let time pass beside the usual minute."""
        self.now += seconds

    def edit(
        self,
        performer: str,
        text: str | None,
        *,
        risk: float = 0.1,
        title: str | None = None,
        comment: str = "",
        bot: bool = False,
        tags: tuple[str, ...] = (),
    ) -> Edit:
        """`text` None: it could not be fetched."""
        title = title if title is not None else self.title
        self._rev_id += 1
        rev_id = self._rev_id
        parent = self._latest.get(title)
        digest = sha1(text.encode(), usedforsecurity=False).hexdigest() if text is not None else None
        revision = RevisionText(rev_id, text, digest, tags, 7, parent.rev_id if parent else None)
        self._latest[title] = revision
        edit = Edit(
            event_id=f"edit-{rev_id}",
            wiki=self.wiki,
            server_name=HOST,
            title=title,
            namespace=0,
            rev_id=rev_id,
            parent_id=parent.rev_id if parent else None,
            performer=performer,
            performer_kind=performer_kind(performer),
            event_time=self.now,
            arrival_time=self.now + 1,
            comment=comment,
            bot=bot,
            is_new=parent is None,
            page_id=7,
            content=Content(revision, parent) if text is not None else None,
        )
        self.risks[rev_id] = risk
        return self._happened(edit)

    def revert(self, performer: str, to: Record, **changes: Any) -> Edit:
        """Bring the text of `to`, an edit, back."""
        assert isinstance(to, Edit)
        assert to.content is not None
        return self.edit(performer, to.content.revision.text, title=to.title, **changes)

    def undo(self, performer: str, what: Edit, **changes: Any) -> Edit:
        """By the wiki's own tool, of which only the summary is seen."""
        summary = f"Undid revision {what.rev_id} by [[Special:Contributions/{what.performer}|{what.performer}]]"
        return self.edit(performer, None, title=what.title, comment=summary, **changes)

    def rollback(self, performer: str, whom: str, **changes: Any) -> Edit:
        summary = (
            f"Reverted edits by [[Special:Contributions/{whom}|{whom}]] ([[User talk:{whom}|talk]])"
            " to last version by Somebody"
        )
        return self.edit(performer, None, comment=summary, **changes)

    def log(self, log_type: str, action: str, *, title: str | None = None, target: str | None = None,
            performer: str = "Admin") -> LogEvent:  # fmt: skip
        title = title if title is not None else self.title
        event = LogEvent(
            event_id=f"log-{len(self.records)}",
            wiki=self.wiki,
            server_name=HOST,
            title=title,
            namespace=0,
            log_type=log_type,
            log_action=action,
            performer=performer,
            performer_kind=performer_kind(performer),
            event_time=self.now,
            arrival_time=self.now + 1,
            target_title=target,
        )
        return self._happened(event)

    def move(self, to: str, title: str | None = None) -> LogEvent:
        title = title if title is not None else self.title
        event = self.log("move", "move", title=title, target=to)
        if title in self._latest:
            self._latest[to] = self._latest.pop(title)
        self.title = to
        return event

    def tag(self, edit: Edit, *tags: str) -> TagsChange:
        change = TagsChange(
            event_id=f"tags-{len(self.records)}",
            wiki=edit.wiki,
            rev_id=edit.rev_id,
            title=edit.title,
            tags=tags or ("mw-reverted",),
            event_time=self.now,
            arrival_time=self.now + 1,
        )
        return self._happened(change)

    def war(self, one: str = "Ann", other: str = "Ben", reverts: int = 4, risk: float = 0.1) -> None:
        """Two editors bring their own texts back in turn: `reverts` of them undo the other's."""
        base = self.edit("Zoe", "It is a tower.", risk=0.1)
        mine = self.edit(one, f"It is a tower. {one} says tall.", risk=risk)
        for turn in range(reverts):
            if turn % 2 == 0:
                self.revert(other, base, risk=risk)
            else:
                self.revert(one, mine, risk=risk)

    def _happened(self, record: Any) -> Any:
        self.records.append(record)
        self.now += self.step_s
        return record


class MarkedScorer:
    """The risk that the story gave each edit, whatever else is known of it."""

    version = "story"

    def __init__(self, risks: dict[int, float]) -> None:
        self._risks = risks

    def row(
        self,
        edit: Edit,
        delta: TextDelta | None,
        page: PageView | None,
        performer: PerformerView | None,
        words: WordMemory | None,
    ) -> list[float]:
        return [self._risks.get(edit.rev_id, 0.1)]

    def matrix(self, rows: Sequence[list[float]]) -> npt.NDArray[np.float64]:
        return np.array(rows)

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return matrix[:, 0]

    def thresholds(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.full(len(matrix), 0.5)

    def asked_thresholds(
        self, met: npt.NDArray[np.float64], known: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        return self.thresholds(known)

    def reasons_of(self, rows: Sequence[list[float]]) -> list[tuple[Reason, ...]]:
        return [(Reason("story", row[0], 1.0, "the story says so"),) for row in rows]


class TouchyScorer:
    """A risk that depends on every number an edit meets: any difference in a state shows in it."""

    version = "touchy"

    def row(
        self,
        edit: Edit,
        delta: TextDelta | None,
        page: PageView | None,
        performer: PerformerView | None,
        words: WordMemory | None,
    ) -> list[float]:
        assert page is not None
        assert performer is not None
        numbers = [
            *(float(value or 0) for value in msgspec.structs.astuple(page)),
            *(float(value or 0) for value in msgspec.structs.astuple(performer)),
        ]
        if words is not None:
            numbers += [words.ordinal, words.total, words.present, words.thrown_total, words.rev_id]
            numbers += [sum(words.life_revs), sum(words.since_rev), sum(words.thrown)]
        mixed = sum((at + 1) * 0.618034 * value for at, value in enumerate(numbers)) + edit.rev_id * 0.37
        return [mixed % 1.0]

    def matrix(self, rows: Sequence[list[float]]) -> npt.NDArray[np.float64]:
        return np.array(rows)

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return matrix[:, 0]

    def thresholds(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.full(len(matrix), 0.5)

    def asked_thresholds(
        self, met: npt.NDArray[np.float64], known: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        return self.thresholds(known)

    def reasons_of(self, rows: Sequence[list[float]]) -> list[tuple[Reason, ...]]:
        return [() for _ in rows]


class ToldHistories:
    """Implements `RecentHistories` as a wiki would that has exactly these edits: before an edit are those
    that its parents lead to. Nothing is had of those whose rev_id is in `gone`."""

    def __init__(self, records: Iterable[Record], gone: Iterable[int] = ()) -> None:
        self._by_rev = {record.rev_id: record for record in records if isinstance(record, Edit)}
        self._gone = frozenset(gone)
        self.asked: list[int] = []

    def before(self, edits: Sequence[Edit], wait_s: float) -> dict[str, list[Edit]]:
        self.asked += [edit.rev_id for edit in edits]
        return {edit.event_id: self._past(edit) for edit in edits if edit.rev_id not in self._gone}

    def _past(self, edit: Edit) -> list[Edit]:
        past: list[Edit] = []
        parent = self._by_rev.get(edit.parent_id or 0)
        while parent is not None and len(past) < 50:
            past.insert(0, parent)
            parent = self._by_rev.get(parent.parent_id or 0)
        return past


class ListSource:
    """Items in memory; its cursor is the number of the last one."""

    def __init__(self, items: Sequence[SourceItem], name: str = "ndjson") -> None:
        self.name = name
        self._items = [
            msgspec.structs.replace(item, cursor=str(number)) for number, item in enumerate(items, 1)
        ]
        self.given = 0
        self.closed = False

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        for item in self._items[int(cursor or 0) :]:
            if self.closed:
                return
            self.given += 1
            yield item

    def status(self) -> SourceStatus:
        return SourceStatus("ended")

    def close(self) -> None:
        self.closed = True


class StillClock:
    def __init__(self, now: float = START) -> None:
        self.time = now

    def now(self) -> float:
        return self.time


class Core:
    """The real stages around a real store, opened as the program opens them. Opened anew on the same
    path it goes on where it was, like a restarted program."""

    def __init__(
        self,
        directory: Path,
        scorer: Scorer,
        *,
        policy: AlertPolicy = POLICY,
        source: str = "ndjson",
        history: bool = False,
        normalizer: Normalizer | None = None,
        own: bool = False,
        histories: RecentHistories | None = None,
        shadow: Shadow | None = None,
        sample: TrainingSample | None = None,
    ) -> None:
        """`own`: follow each wiki's own reverts."""
        self.store = SqliteStore(directory / "core.sqlite")
        self.states = States(self.store)
        self.recent = RecentIds(200_000, self.store.recent_ids())
        self.source = source
        facts = WikiFacts()
        self.processor = Processor(
            states=self.states,
            performers=LocalPerformers(self.states.performers, by_page=history, retention_s=math.inf),
            normalizer=normalizer or Normalizer(),
            recent=self.recent,
            scorer=scorer,
            decider=Decider(policy, Links({"enwiki": HOST})),
            match_revert=facts.match_revert,
            watermark=self.store.watermark(),
            next_row=self.store.next_row(),
            deadlines=self.store.deadlines(),
            time_by_page=history,
            own_shifts=OwnShifts(self.store, scorer.version) if own else None,
            histories=histories,
            shadow=shadow,
            sample=sample,
        )

    def take(self, records: Iterable[Record | bytes]) -> list[Alert]:
        """One micro-batch, committed."""
        items, taken = [], []
        raws: list[SourceItem] = []
        for record in records:
            if isinstance(record, Edit | bytes):
                raws.append(SourceItem("c", record) if isinstance(record, bytes)
                            else SourceItem("c", edit=record))  # fmt: skip
                continue
            items += self.processor.intake(raws)
            raws = []
            known: Normalized = record
            if not self.recent.add(record.event_id):
                continue
            taken.append(record.event_id)
            items.append((SourceItem("c", msgspec.json.encode(record)), known))
        items += self.processor.intake(raws)
        batch = self.processor.process(self.source, items, None)
        self.store.commit(batch, 0.0)
        self.processor.committed()
        return batch.alerts

    def finish(self) -> list[Alert]:
        """The source has ended."""
        batch = self.processor.expire_all(self.source, self.processor.final_time)
        self.store.commit(batch, 0.0)
        self.processor.committed()
        return batch.alerts

    def runner(self, source: ListSource, **changes: Any) -> EmbeddedRunner:
        return EmbeddedRunner(
            source=source,
            store=self.store,
            processor=self.processor,
            metrics=Metrics(CollectorRegistry()),
            clock=changes.pop("clock", StillClock()),
            **changes,
        )

    def alerts(self) -> list[Alert]:
        return [stored.alert for stored in self.store.log(0, 1_000_000)]

    def page(self, title: str = "Tower", wiki: str = "enwiki") -> PageState:
        key_id = state_id(f"{wiki}:{title}")
        return self.store.load_pages([key_id])[key_id]

    def labels(self) -> dict[int, tuple[str | None, int | None]]:
        """rev_id -> (label, reverted_by)."""
        rows = self.store.query("SELECT rev_id, label, reverted_by FROM edits")
        return {rev_id: (label, by) for rev_id, label, by in rows}  # type: ignore[misc]  # columns of a query

    def edit_rows(self) -> list[tuple[object, ...]]:
        return self.store.query("SELECT * FROM edits ORDER BY row")

    def outcomes(self) -> dict[str, int]:
        return {outcome: n for (_, outcome), n in self.store.outcomes().items() if n}

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Core:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def replay(
    world: EditWorld,
    directory: Path,
    *,
    policy: AlertPolicy = POLICY,
    batch: int = 1_000,
    end: bool = False,
    restart: bool = False,
) -> list[Alert]:
    """The alerts that the story gives, in batches of `batch`; with `restart` by a new program for
    each. With `end`, what its end makes due is settled too."""
    records = world.records
    scorer = MarkedScorer(world.risks)
    core = Core(directory, scorer, policy=policy)
    for at in range(0, len(records), batch):
        if restart:
            core.close()
            core = Core(directory, scorer, policy=policy)
        core.take(records[at : at + batch])
    if end:
        core.finish()
    alerts = core.alerts()
    core.close()
    return alerts


def told(alerts: Iterable[Alert], kind: AlertKind | None = None) -> list[str]:
    """Each state change in two words, as `edit.suspect open`."""
    return [f"{alert.kind} {alert.status}" for alert in alerts if kind is None or alert.kind is kind]


def change(**fields: Any) -> dict[str, Any]:
    """A recent change as Wikimedia sends it today; None takes a field away. `meta` is merged."""
    meta = {
        "uri": "https://en.wikipedia.org/wiki/Tower",
        "id": "5f1c0c3e-0000-4000-8000-000000000001",
        "domain": HOST,
        "stream": "mediawiki.recentchange",
        "dt": "2026-01-01T00:00:01.250Z",
        "topic": "eqiad.mediawiki.recentchange",
        "partition": 0,
        "offset": 5_000_000_001,
    }
    meta.update(fields.pop("meta", {}))
    body: dict[str, Any] = {
        "$schema": "/mediawiki/recentchange/1.0.0",
        "meta": {name: value for name, value in meta.items() if value is not None},
        "id": 1_900_000_001,
        "type": "edit",
        "namespace": 0,
        "title": "Tower",
        "comment": "/* History */ typo",
        "timestamp": int(START),
        "user": "Alice",
        "bot": False,
        "minor": True,
        "length": {"old": 100, "new": 120},
        "revision": {"old": 1_000, "new": 1_001},
        "server_url": f"https://{HOST}",
        "server_name": HOST,
        "server_script_path": "/w",
        "wiki": "enwiki",
    }
    body.update(fields)
    return {name: value for name, value in body.items() if value is not None}


def items_of_edits(records: Iterable[Any]) -> list[SourceItem]:
    """As a history gives them."""
    return [SourceItem("", edit=record) for record in records]


def raw_change(**fields: Any) -> bytes:
    return json.dumps(change(**fields), ensure_ascii=False).encode("utf-8", "surrogatepass")


def raw_of(record: Record) -> bytes:
    """A record of a story as the feed would carry it: without texts."""
    meta = {"id": record.event_id, "dt": stamp(record.arrival_time)}
    if isinstance(record, Edit):
        return raw_change(
            meta=meta,
            wiki=record.wiki,
            title=record.title,
            user=record.performer,
            bot=record.bot,
            comment=record.comment,
            timestamp=int(record.event_time),
            type="new" if record.is_new else "edit",
            revision={"old": record.parent_id, "new": record.rev_id},
        )
    if isinstance(record, LogEvent):
        return raw_change(
            meta=meta,
            wiki=record.wiki,
            title=record.title,
            user=record.performer,
            timestamp=int(record.event_time),
            type="log",
            log_type=record.log_type,
            log_action=record.log_action,
            log_params={"target": record.target_title} if record.target_title else [],
            revision=None,
            length=None,
        )
    return json.dumps(
        {
            "meta": meta,
            "database": record.wiki,
            "page_title": record.title,
            "rev_id": record.rev_id,
            "tags": list(record.tags),
        }
    ).encode()


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


MakeCore = Callable[..., Core]
