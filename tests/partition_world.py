"""Topics as lists, and the partitions of work around them: the distributed program without Kafka, one
step at a time, in whatever order a test wants, with a crash wherever it wants one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from streams.content.wiki_facts import WikiFacts
from streams.kafka.cloud_events import from_event
from streams.kafka.records import Headers, OutRecord
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher
from streams.partitions import key_bytes, place_in_changes, places_in_edits, places_in_posts
from streams.posts import Post, PostsGone, encode_record
from streams.records import Alert, DeadLetter, Label, PageStatus, Skip
from streams.runners.cold_pages import RecentHistories
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.ids import RememberedIds
from streams.runners.partitions.own_edits import OwnEdits
from streams.runners.partitions.own_sums import OwnSumsReplica
from streams.runners.partitions.page_partition import Attach, MakeProcessor, PagePartition
from streams.runners.partitions.performer_partition import PerformerPartition
from streams.runners.partitions.post_partition import PostPartition
from streams.runners.partitions.remote import RemoteMoves, RemotePerformers
from streams.runners.partitions.replicated_facts import ReplicatedFacts, SpreadReplica
from streams.runners.partitions.wire import Work
from streams.runners.processor import Processor
from streams.runners.scorer import Scorer
from streams.runners.states import States
from streams.runners.training_sample import TrainingSample
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.amplify import Amplifier
from streams.stages.decide import AlertPolicy, Decider
from streams.stages.links import Links
from streams.stages.normalize import Normalizer
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from streams.state.amplification import AmplificationState
from streams.state.watermark import Watermark
from streams.store.facts_query import FactNow, FactsQuery
from streams.store.partitions import PartitionFile, PartitionStore
from streams.topics import (
    ALERTS,
    CHANGES,
    DEAD_LETTERS,
    EDITS,
    FEEDBACK,
    HOT_FACTS,
    LABELS,
    MATCHES,
    OWN_EDITS,
    PAGE_STATE,
    PAGE_STATUS,
    PERFORMER_STATE,
    PERFORMERS,
    POST_STATE,
    POSTS,
    SPREADS,
    Header,
)
from tests.core_world import HOST, POLICY
from tests.post_core_world import pair_model


class Record(NamedTuple):
    """Implements `InRecord`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


Unit = PerformerPartition | PagePartition | PostPartition
Place = tuple[str, int]
"""`(hop, partition)`."""

READS = {
    "performers": (CHANGES.name, FEEDBACK.name),
    "pages": (EDITS.name, PERFORMERS.name, MATCHES.name),
    "posts": (POSTS.name,),
}
CHANGELOGS = {
    "performers": PERFORMER_STATE.name,
    "pages": PAGE_STATE.name,
    "posts": POST_STATE.name,
}
AMPLIFICATION = AmplificationPolicy(posts=3, authors=2, reach=1_000)


class Cluster:
    """`ingest` what a source gave, then `run`."""

    def __init__(
        self,
        directory: Path,
        scorer: Scorer,
        *,
        partitions: int = 3,
        policy: AlertPolicy = POLICY,
        delay_s: float = 10.0,
        patience_s: float = math.inf,
        retention_s: float = math.inf,
        attach: Attach = list,
        histories: RecentHistories | None = None,
        sample: TrainingSample | None = None,
        own: bool = False,
    ) -> None:
        """`own`: the risk that is told is shifted by each wiki's own reverts."""
        self._sample = sample
        self._own = own
        self.partitions = partitions
        self._directory = directory
        self._scorer = scorer
        self._policy = policy
        self._delay_s = delay_s
        self._patience_s = patience_s
        self._retention_s = retention_s
        self._attach = attach
        self._histories = histories
        self.topics: dict[tuple[str, int], list[Record]] = {}
        self._ends: dict[tuple[str, int], int] = {}
        self.watermark = Watermark()
        self.posts_watermark = Watermark()
        self._normalize = Normalizer()
        self._files = itertools.count()
        self._file = PartitionFile(directory / "rocks-0")
        self.now = 0.0
        self.units: dict[Place, Unit] = {}
        self.stores: dict[Place, PartitionStore] = {}
        self.replicas: dict[int, tuple[FactReplica, dict[int, int]]] = {}
        """Of each post partition, as if it were in a process of its own: with the next offsets."""
        self.own_sums: dict[int, OwnSumsReplica] = {}
        """Of each page partition, likewise."""
        self._own_read: dict[int, int] = {}
        self.slowest = -math.inf
        """How far all page partitions have worked, as page partitions are told."""
        for place in itertools.product(READS, range(partitions)):
            self.take_over(place)

    # -- topics ------------------------------------------------------------------------------------

    def append(
        self, topic: str, partition: int, key: bytes, value: bytes | None, headers: Headers
    ) -> None:
        log = self.topics.setdefault((topic, partition), [])
        offset = self._ends.get((topic, partition), 0)
        self._ends[topic, partition] = offset + 1
        log.append(Record(topic, partition, offset, int(self.now * 1_000), key, value, headers))

    def ingest(self, raws: Iterable[bytes], *, routed: bool = True) -> None:
        """As `factwatch ingest changes` does; not `routed`: as somebody else's producer does."""
        for raw in raws:
            known = self._normalize(raw)
            if isinstance(known, Skip | DeadLetter):
                self.append(CHANGES.name, len(raw) % self.partitions, b"", raw, [])
                continue
            self.watermark.advance(known.event_time)
            key, place = place_in_changes(known, self.partitions)
            stamp = (Header.WATERMARK, repr(self.watermark.time).encode())
            headers = [stamp, (Header.ROUTED, b"1")] if routed else []
            self.append(CHANGES.name, place, key_bytes(key), raw, headers)
            if routed:
                for key, place in places_in_edits(known, self.partitions):
                    self.append(EDITS.name, place, key_bytes(key), raw, [stamp])

    def heartbeat(self) -> None:
        stamp = (Header.WATERMARK, repr(self.watermark.time).encode())
        for partition in range(self.partitions):
            self.append(EDITS.name, partition, b"", None, [stamp])

    def ingest_posts(self, records: Iterable[Post | PostsGone]) -> None:
        """As `factwatch ingest posts` does."""
        for record in records:
            self.posts_watermark.advance(record.event_time)
            stamp = (Header.WATERMARK, repr(self.posts_watermark.time).encode())
            for key, place in places_in_posts(record, self.partitions):
                self.append(POSTS.name, place, key_bytes(key), encode_record(record), [stamp])

    def post_heartbeat(self, newest: float = 0.0) -> None:
        self.posts_watermark.newest = max(self.posts_watermark.newest, newest)
        stamp = (Header.WATERMARK, repr(self.posts_watermark.time).encode())
        for partition in range(self.partitions):
            self.append(POSTS.name, partition, b"", None, [stamp])

    # -- work --------------------------------------------------------------------------------------

    def take_over(self, place: Place, *, lost_disk: bool = False) -> None:
        """By a worker that knows only what is in the changelog, and what its disk may still have."""
        hop, partition = place
        store = self._file.store(hop[:2], partition)
        if lost_disk:
            store.clear()
            store = self._file.store(hop[:2], partition)
        log = self.topics.get((CHANGELOGS[hop], partition), [])
        new = [(record.key or b"", record.value) for record in log[store.offset :]]
        store.apply(new, len(log))
        self.stores[place] = store
        make = {"performers": self._performers, "pages": self._pages, "posts": self._posts}[hop]
        self.units[place] = make(store, partition)

    def _performers(self, store: PartitionStore, partition: int) -> PerformerPartition:
        return PerformerPartition(
            store,
            partition=partition,
            partitions=self.partitions,
            normalizer=Normalizer(),
            now=lambda: self.now,
            delay_s=self._delay_s,
            patience_s=self._patience_s,
            retention_s=self._retention_s,
        )

    def _pages(self, store: PartitionStore, partition: int) -> PagePartition:
        sums = OwnSumsReplica(self._scorer.version, self.partitions, lambda: self.slowest)
        self.own_sums[partition] = sums
        self._own_read[partition] = 0
        self.read_own(partition)
        sums.complete = True
        return PagePartition(
            store,
            partition=partition,
            partitions=self.partitions,
            make_processor=self._processor(),
            amplifier=Amplifier(AMPLIFICATION),
            own_sums=sums,
            shifts=self._own,
            attach=self._attach,
            now=lambda: self.now,
            patience_s=self._patience_s,
            retention_s=self._retention_s,
        )

    def _posts(self, store: PartitionStore, partition: int) -> PostPartition:
        index = HotFactIndex()
        replica = FactReplica(index, self.partitions)
        self.replicas[partition] = (replica, {})
        self.read_hot_facts(partition)
        replica.complete = True
        return PostPartition(
            store,
            partition=partition,
            partitions=self.partitions,
            replica=replica,
            matcher=Matcher(index, pair_model()),
            normalizer=PostNormalizer(Authors(None)),
            now=lambda: self.now,
            join_s=self._patience_s,
        )

    def read_hot_facts(self, partition: int, most: int = 1_000_000) -> bool:
        """The replica beside that post partition, at most `most` records of each partition."""
        replica, offsets = self.replicas[partition]
        got = False
        for of in range(self.partitions):
            first = offsets.get(of, 0)
            records = self.topics.get((HOT_FACTS.name, of), [])[first : first + most]
            replica.take(of, records)
            offsets[of] = first + len(records)
            got |= bool(records)
        return got

    def read_own(self, partition: int, most: int = 1_000_000) -> bool:
        """What page partitions tell of own edits, beside that one."""
        first = self._own_read[partition]
        records = self.topics.get((OWN_EDITS.name, 0), [])
        new = [record for record in records if record.offset >= first][:most]
        self.own_sums[partition].take(0, new)
        if new:
            self._own_read[partition] = new[-1].offset + 1
        return bool(new)

    def compact(self, topic: str, below: int) -> None:
        """Of each key only what was said last stays, of the records before that offset; not even a tombstone."""
        for place, log in self.topics.items():
            if place[0] == topic:
                last = {record.key: record.offset for record in log if record.offset < below}
                self.topics[place] = [
                    record
                    for record in log
                    if record.offset >= below
                    or (record.value is not None and last[record.key] == record.offset)
                ]

    def _processor(self) -> MakeProcessor:
        def make(
            states: States,
            performers: RemotePerformers,
            moves: RemoteMoves,
            ids: RememberedIds,
            own: OwnEdits,
            store: PartitionStore,
        ) -> Processor:
            return Processor(
                states=states,
                performers=performers,
                normalizer=Normalizer(),
                recent=ids.recent,
                scorer=self._scorer,
                decider=Decider(self._policy, Links({"enwiki": HOST})),
                match_revert=WikiFacts().match_revert,
                watermark=msgspec.structs.replace(store.meta.watermark),
                next_row=store.meta.next_row,
                deadlines=store.deadlines(),
                moves=moves,
                own_shifts=own,
                histories=self._histories,
                sample=self._sample,
            )

        return make

    def feed(self, place: Place, most: int = 1_000_000) -> bool:
        """Give a unit the next records of each topic that it reads, at most `most`."""
        hop, partition = place
        unit = self.units[place]
        got = self.read_hot_facts(partition, most) if hop == "posts" else False
        if hop == "pages":
            got = self.read_own(partition, most)
        for topic in READS[hop]:
            log = self.topics.get((topic, partition), [])
            first = unit.positions.get(topic, 0)
            if log[first : first + most]:
                unit.take(topic, log[first : first + most])
                got = True
        return got

    def work(self, place: Place, most: int = 1_000_000, *, crash: str = "") -> bool:
        """One unit of work. `crash`: "before" it is written, or "between" Kafka and the disk."""
        work = self.units[place].work(most)
        if work is None:
            return False
        if crash == "before":
            self.take_over(place)
            return True
        self.write(place, work)
        if crash == "between":
            self.take_over(place)
            return True
        hop, partition = place
        self.stores[place].apply(work.changes, len(self.topics[CHANGELOGS[hop], partition]))
        self.units[place].done()
        return True

    def write(self, place: Place, work: Work) -> None:
        hop, partition = place
        for out in work.outputs:
            assert isinstance(out, OutRecord)
            self.append(out.topic, out.partition, out.key, out.value, out.headers)
        for key, value in work.changes:
            self.append(CHANGELOGS[hop], partition, key, value, [])

    def run(self, most: int = 1_000_000) -> None:
        """Until nobody has anything to do."""
        busy = True
        while busy:
            busy = False
            for place in list(self.units):
                busy |= self.feed(place, most)
                busy |= self.work(place, most)

    # -- what came of it ---------------------------------------------------------------------------

    def values(self, topic: str) -> list[Record]:
        return [
            record for (name, _), log in sorted(self.topics.items()) if name == topic for record in log
        ]

    def alerts(self) -> list[Alert]:
        return [from_event(r.key, r.value or b"", r.headers) for r in self.values(ALERTS.name)]

    def spreads(self) -> dict[str, AmplificationState]:
        """By hot_id, of all page partitions."""
        return {
            state.hot_id: state
            for (hop, _), store in self.stores.items()
            if hop == "pages"
            for state, _ in store.spreads()
        }

    def facts(self) -> list[FactNow]:
        """As `factwatch api` tells them, from the topics alone."""
        replica, spreads = FactReplica(HotFactIndex(), self.partitions), SpreadReplica()
        for (topic, partition), log in self.topics.items():
            if topic == HOT_FACTS.name:
                replica.take(partition, log)
            elif topic == SPREADS.name:
                spreads.take(partition, log)
        return ReplicatedFacts(replica, spreads).facts(FactsQuery(1_000_000)).facts

    def labels(self) -> dict[int, tuple[str | None, int | None]]:
        """rev_id -> (label, reverted_by), the last that was said."""
        found = [msgspec.json.decode(r.value or b"", type=Label) for r in self.values(LABELS.name)]
        return {label.rev_id: (label.label, label.reverted_by or None) for label in found}

    def statuses(self) -> dict[str, PageStatus]:
        found: dict[str, PageStatus] = {}
        for record in self.values(PAGE_STATUS.name):
            key = (record.key or b"").decode()
            found.pop(key, None)
            if record.value is not None:
                found[key] = msgspec.json.decode(record.value, type=PageStatus)
        return found

    def dead_letters(self) -> list[Record]:
        return self.values(DEAD_LETTERS.name)

    def outcomes(self, hop: str) -> dict[str, int]:
        total: dict[str, int] = {}
        for (name, _), store in self.stores.items():
            if name == hop:
                for outcome, n in store.meta.outcomes.items():
                    total[outcome] = total.get(outcome, 0) + n
        return total

    def close(self) -> None:
        self._file.close()


def per_page(alerts: Sequence[Alert]) -> dict[str, list[Alert]]:
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        found.setdefault(f"{alert.wiki}:{alert.title}", []).append(alert)
    return found
