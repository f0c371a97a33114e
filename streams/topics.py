"""The table of topics, as data: what `factwatch topics create` makes and everything else names.

Names are a contract. Topics of `Partitions.SHARED` have one number of partitions, P: partition n of
all of them belongs together, and to one worker.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

DAY_S = 86_400
MIB = 1 << 20

#: P where `factwatch topics create` is told nothing: as many workers can share the work.
DEFAULT_PARTITIONS = 6


class Key(StrEnum):
    """What the records of a topic are keyed by."""

    PERFORMER = "wiki:performer"
    PAGE = "wiki:title"
    POST = "platform and the post's id"
    FACT = "hot_id of a fact"
    SOURCE = "the source's name"
    DAY = "partition and day"
    ORIGINAL = "the key of the record that could not be processed"
    STATE = "binary, the worker's own"


class Partitions(StrEnum):
    SHARED = "shared"
    """P, the same for all of these, and placed by `streams.partitions`."""
    ONE = "one"
    """A handful of keys."""


class Topic(msgspec.Struct, frozen=True):
    name: str
    key: Key
    holds: str
    retention_s: int | None
    """None: compacted, the newest record of each key stays."""
    partitions: Partitions = Partitions.SHARED
    max_message_bytes: int = 2 * MIB
    """An event may have 1 MiB (`MAX_EVENT_BYTES`), its key and headers come on top."""
    internal: bool = False
    """Between our own processes: of no use to others, and may change."""
    segment_s: int = 3_600
    """Of a compacted topic: what is newer than the last closed segment is not compacted."""
    compacted_within_s: int | None = None
    """Of a compacted topic that may name posts: what was overwritten is gone after so long, whatever
    share of the topic it is."""

    @property
    def config(self) -> dict[str, str]:
        """The broker's properties of this topic."""
        common = {"max.message.bytes": str(self.max_message_bytes)}
        if self.retention_s is not None:
            return common | {
                "cleanup.policy": "delete",
                "retention.ms": str(self.retention_s * 1_000),
            }
        if self.compacted_within_s is not None:
            common["max.compaction.lag.ms"] = str(self.compacted_within_s * 1_000)
        return common | {
            "cleanup.policy": "compact",
            # Who reads along sees every change, as long as it is not further behind than this.
            "min.compaction.lag.ms": str(60_000),
            # By default a segment is closed after a week or a GiB: until then nothing is compacted,
            # and whoever starts reads all of it.
            "segment.ms": str(self.segment_s * 1_000),
            "segment.bytes": str(64 * MIB),
        }


CHANGES = Topic("factwatch.changes.v1", Key.PERFORMER, "raw recent changes", 7 * DAY_S)
EDITS = Topic("factwatch.edits.v1", Key.PAGE, "the same, those that are ours to judge", 7 * DAY_S)
PERFORMERS = Topic(
    "factwatch.performers.v1", Key.PAGE, "what is known of an edit's performer", DAY_S, internal=True
)
FEEDBACK = Topic(
    "factwatch.feedback.v1", Key.PERFORMER, "reverted edits, marks of progress", DAY_S, internal=True
)
PAGE_STATUS = Topic("factwatch.page-status.v1", Key.PAGE, "what is open on a page", None)
ALERTS = Topic("factwatch.alerts.v1", Key.PAGE, "alerts, as CloudEvents", 30 * DAY_S)
LABELS = Topic("factwatch.labels.v1", Key.PAGE, "what became of edits", 30 * DAY_S)
VERDICTS = Topic("factwatch.verdicts.v1", Key.PAGE, "what people say of alerts", 30 * DAY_S)
POSTS = Topic("factwatch.posts.v1", Key.POST, "social posts, and their deletions", 7 * DAY_S)
#: As long as alerts, and longer: an archive that is made anew must not bring deleted posts back.
POSTS_GONE = Topic("factwatch.posts-gone.v1", Key.POST, "deletions alone", 31 * DAY_S)
HOT_FACTS = Topic("factwatch.hot-facts.v1", Key.PAGE, "what posts are held against", None)
SPREADS = Topic(
    "factwatch.spreads.v1",
    Key.FACT,
    "how far hot facts have spread",
    None,
    internal=True,
    compacted_within_s=DAY_S,
)
MATCHES = Topic(
    "factwatch.matches.v1", Key.PAGE, "posts and the hot facts they bear on", DAY_S, internal=True
)
OWN_EDITS = Topic(
    "factwatch.own-edits.v1",
    Key.DAY,
    "how often each wiki's own edits were reverted",
    None,
    Partitions.ONE,
    max_message_bytes=8 * MIB,  # of all wikis in one record
    internal=True,
)
DEAD_LETTERS = Topic(
    "factwatch.dead-letters.v1", Key.ORIGINAL, "what could not be processed", 30 * DAY_S
)
CURSORS = Topic(
    "factwatch.cursors.v1",
    Key.SOURCE,
    "how far sources have been read",
    None,
    Partitions.ONE,
    segment_s=600,  # one record a flush, of which only the last counts
)
PERFORMER_STATE = Topic(
    "factwatch.performer-state.v1", Key.STATE, "changelog of performers", None, internal=True
)
PAGE_STATE = Topic(
    "factwatch.page-state.v1",
    Key.STATE,
    "changelog of pages",
    None,
    max_message_bytes=8 * MIB,  # a page's memory of words can take megabytes
    internal=True,
    compacted_within_s=DAY_S,
)
POST_STATE = Topic("factwatch.post-state.v1", Key.STATE, "changelog of posts", None, internal=True)

TOPICS = (
    CHANGES, EDITS, PERFORMERS, FEEDBACK, PAGE_STATUS, ALERTS, LABELS, VERDICTS, POSTS, POSTS_GONE,
    HOT_FACTS, SPREADS, MATCHES, OWN_EDITS, DEAD_LETTERS, CURSORS, PERFORMER_STATE, PAGE_STATE, POST_STATE,
)  # fmt: skip


class Header:
    """Names of the headers on changes, edits, posts, hot facts and what goes with them."""

    ROUTED = "factwatch.routed"
    """On changes: a copy is in edits already."""
    WATERMARK = "factwatch.watermark"
    """The event time that had passed after this record, Unix seconds as `repr` of a float: of edits, or
    of posts. In hot facts: up to which edits have been decided."""
    TOO_LARGE = "factwatch.too_large"
    """The value is only the first bytes of what came."""
    REQUEUED = "factwatch.requeued"
    """An operator sent it back: whether it was seen before does not matter. In edits, the value says
    which time it was sent back, so that an earlier answer is not taken for the one to come."""


HEARTBEAT_KEY = b""
"""Of a record without a value that only carries the watermark."""
