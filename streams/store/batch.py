"""What one micro-batch changes: committed together or not at all."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.posts import Match, Post
from streams.records import Alert, DeadLetter, Grade, LabelKind
from streams.state.amplification import AmplificationState
from streams.state.episode import EpisodeState
from streams.state.hot_page import HotPage
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.watermark import Watermark
from streams.state.words import WordMemory
from streams.store.own_rows import Key, OwnDay

#: Bits of `EditRow.flags`.
ANONYMOUS, WITH_CONTENT, ALERTED = 1, 2, 4
#: While a challenger runs in shadow: what either would alert on by its own thresholds.
CHAMPION_ALERTS, CHALLENGER_ALERTS = 8, 16
#: An edit that stood so long in event time is labelled as kept; a later revert changes nothing.
KEPT_AFTER_S = 48 * 3_600.0


class EditRow(msgspec.Struct, frozen=True, gc=False):
    """One edit as scored at the time."""

    row: int
    page: int
    rev_id: int
    event_time: float
    risk: float
    flags: int
    key: str = ""
    """`wiki:title`."""
    model_risk: float | None = None
    """Before the wiki's own shift; None: the same."""
    challenger_risk: float | None = None
    """Of a challenger in shadow."""

    @property
    def by_model(self) -> float:
        """What the model alone gave."""
        return self.risk if self.model_risk is None else self.model_risk


class TrainingRow(msgspec.Struct, frozen=True, gc=False):
    """What the model knew of the edit `row` when it scored it."""

    row: int
    wiki: str
    page: int
    event_time: float
    risk: float
    """By the model alone."""
    flags: int
    weight: float
    """How many edits it stands for."""
    model: str
    """Version of who gave `risk`."""
    feature_set: str
    """What the numbers mean: rows of another one are not comparable."""
    features: bytes
    """float32, little-endian, in the order of the columns; missing ones at the end are left out."""


class LabelRow(msgspec.Struct, frozen=True, gc=False):
    """What the community did with the edit `row`. `label` None takes a label back."""

    row: int
    label: LabelKind | None
    labelled_time: float
    reverted_by: int
    evidence: str
    key: str = ""
    rev_id: int = 0
    event_time: float = 0.0
    """Of the edit."""
    passed: float = 0.0
    """Event time that had passed when it was given."""


class Requeued(msgspec.Struct, frozen=True, gc=False):
    """A dead letter that an operator sent back."""

    id: int
    source: str
    position: str
    raw: bytes


class StoredPost(msgspec.Struct, frozen=True, gc=False):
    """A post that bears on hot facts, and how."""

    post: Post
    matches: tuple[Match, ...]


class PostChanges(msgspec.Struct):
    """What a batch changes of posts and of the facts they are held against."""

    hot_pages: dict[int, HotPage | None] = {}
    """By `state_id`; None: nothing is hot there any more."""
    spreads: dict[str, tuple[AmplificationState, float | None] | None] = {}
    """By hot_id, with the event time at which to look at it again; None: the fact is hot no more."""
    posts: dict[int, StoredPost | None] = {}
    """By `state_id` of their keys; None: whatever is stored of the post goes."""
    handed_in: list[bytes] = []
    """Posts to be worked on later, as submitted."""
    worked_on: list[int] = []
    """Of those handed in earlier."""
    gone: bool = False
    """A post was deleted, whether anything was known of it or not."""
    watermark: Watermark | None = None

    def __bool__(self) -> bool:
        return bool(self.hot_pages or self.spreads or self.posts or self.handed_in or self.worked_on)


class KeptRows(NamedTuple):
    """Edits of these rows that have no label yet, and are not later than `latest`, are labelled as
    kept; none of the rows is looked at again."""

    first: int
    below: int
    latest: float


class Batch(msgspec.Struct):
    """Everything to commit. Ids are `state_id` of the key that the state carries."""

    source: str
    cursor: str | None = None
    outcomes: dict[str, int] = {}
    """Records taken in, by outcome: adds up to the records of the batch."""
    event_ids: list[str] = []
    pages: dict[int, PageState] = {}
    words: dict[int, WordMemory] = {}
    performers: dict[int, PerformerState] = {}
    episodes: dict[int, EpisodeState | None] = {}
    """None: nothing is open any more, the row goes."""
    dropped_pages: set[int] = set()
    edits: list[EditRow] = []
    training_rows: list[TrainingRow] = []
    """Of some of these edits."""
    labels: list[LabelRow] = []
    own_model: str = ""
    own_edits: dict[Key, OwnDay | None] = {}
    """What wikis' own edits teach of this model, by wiki and day; None: no longer there."""
    alerts: list[Alert] = []
    dead_letters: list[DeadLetter] = []
    requeued: list[int] = []
    """Dead letters that were processed again in this batch: they go."""
    kept_rows: KeptRows | None = None
    watermark: Watermark | None = None
    next_row: int = 1
    newest_arrival: float | None = None
    """Arrival time of the newest record or canary in it."""
    stage_seconds: dict[str, float] = {}
    matched: dict[Grade, int] = {}
    """Posts by what they do with a hot fact."""
    of_posts: PostChanges = msgspec.field(default_factory=PostChanges)
