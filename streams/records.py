"""The records that travel between stages: one definition each, immutable, typed.

Times are Unix seconds as float and carry their base in the name: `event_time` is when the change was
made on the wiki, `arrival_time` when the feed carried it. Optional fields are None where the source
does not tell; only `meta` is required in a recent change.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from streams.reasons import DeadReason, SkipReason


class PerformerKind(StrEnum):
    REGISTERED = "registered"
    TEMPORARY = "temporary"
    IP = "ip"
    HIDDEN = "hidden"
    """The name was suppressed."""


class RevisionText(msgspec.Struct, frozen=True, gc=False):
    """One revision as the wiki holds it. `text` is None where it is hidden, missing or too large."""

    rev_id: int
    text: str | None
    sha1: str | None = None
    """Hex digest of the text's UTF-8 bytes; given by the API or computed by `content_digest`."""
    tags: tuple[str, ...] = ()
    page_id: int | None = None
    parent_id: int | None = None
    text_hidden: bool = False
    user_hidden: bool = False
    comment_hidden: bool = False
    content_model: str = "wikitext"


class Content(msgspec.Struct, frozen=True, gc=False):
    """The texts of an edit: its revision and that revision's parent (None for a new page)."""

    revision: RevisionText
    parent: RevisionText | None


class Edit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One revision made. Key of a page: `(wiki, title)`; of a performer: `(wiki, performer)`."""

    event_id: str
    """`meta.id`, or a digest of wiki and rev_id where the source has none."""
    wiki: str
    server_name: str
    title: str
    namespace: int
    rev_id: int
    parent_id: int | None
    performer: str
    performer_kind: PerformerKind
    event_time: float
    arrival_time: float
    comment: str = ""
    minor: bool = False
    bot: bool = False
    is_new: bool = False
    old_len: int | None = None
    """Bytes of the parent text."""
    new_len: int | None = None
    page_id: int | None = None
    content: Content | None = None
    """None until the content stage, or for good when it could not be had."""
    script_path: str = "/w"


class LogEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A protection, move or deletion: what bears on a page's state without being a revision."""

    event_id: str
    wiki: str
    server_name: str
    title: str
    namespace: int
    log_type: str
    """protect, move or delete."""
    log_action: str
    performer: str
    performer_kind: PerformerKind
    event_time: float
    arrival_time: float
    comment: str = ""
    target_title: str | None = None
    """Of a move: the new title."""
    restrictions: tuple[str, ...] = ()
    """Of a protection: `edit=sysop`, `move=autoconfirmed` …"""
    log_id: int | None = None


class TagsChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tags given to a revision later (`mediawiki.revision-tags-change`): `mw-reverted` is a label."""

    event_id: str
    wiki: str
    rev_id: int
    title: str
    tags: tuple[str, ...]
    event_time: float
    arrival_time: float


class Skip(msgspec.Struct, frozen=True, gc=False):
    reason: SkipReason
    arrival_time: float | None = None
    """Of a canary: a sign of life at this time."""


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """What could not be processed, with its bytes."""

    raw: bytes
    reason: DeadReason
    stage: str
    message: str = ""
    """At most 500 characters, control characters escaped: untrusted text quoted in a log."""
    position: str = ""
    """Where it was read: the source's own cursor, for a person."""


class ChangeType(StrEnum):
    NUMBER = "number"
    DATE = "date"
    QUANTITY = "quantity"
    NAME = "name"
    NEGATION = "negation"
    WORDING = "wording"
    INSERTION = "insertion"
    DELETION = "deletion"
    PROPERTY = "property"
    """Of Wikidata: a statement's value, a label, a description or an alias."""


class FactChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One statement before and after an edit."""

    fact_key: str
    """Digest of wiki, title and the statement's stable part (section and unchanged words, or
    property): the same fact edited again has the same key."""
    change_type: ChangeType
    section: str
    """Heading the sentence stands under, "" for the lead; of Wikidata the property id."""
    before: str
    """Plain text, "" for an insertion."""
    after: str
    """Plain text, "" for a deletion."""
    before_values: tuple[str, ...] = ()
    """The numbers, dates or names that went, normalized."""
    after_values: tuple[str, ...] = ()


class Reason(msgspec.Struct, frozen=True, gc=False):
    """A feature that made a score, in words."""

    feature: str
    value: float | None
    contribution: float
    """Change of the score's log-odds against the reference value of that feature."""
    text: str


class Score(msgspec.Struct, frozen=True, gc=False):
    """`revert_risk` is the calibrated probability that the edit is reverted: never a "truth"."""

    revert_risk: float
    model_version: str
    threshold: float
    """revert_risk from which this edit is suspect, by what is known of its page."""
    model_risk: float | None = None
    """What the model alone gives, where the wiki's own reverts shift `revert_risk`: thresholds are held
    against it. None: the same."""
    own_shift: float = 0.0
    """In log-odds."""

    @property
    def decides(self) -> float:
        return self.revert_risk if self.model_risk is None else self.model_risk


class LabelKind(StrEnum):
    REVERTED = "reverted"
    KEPT = "kept"


class Verdict(StrEnum):
    """What a person says of an edit that alerted."""

    DAMAGING = "damaging"
    GOOD = "good"
    UNSURE = "unsure"
    """Takes an earlier one back: what the community does counts."""


class JudgedEdit(msgspec.Struct, frozen=True, gc=False):
    rev_id: int
    event_time: float
    """Of the edit."""


class EditsVerdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a person says of edits that alerted. On each the newest counts, before what the wiki's
    community does."""

    verdict_id: str
    """Given by who sent it: the same one again changes nothing."""
    alert_id: str
    wiki: str
    title: str
    """Of the page, as the alert first named it."""
    verdict: Verdict
    edits: tuple[JudgedEdit, ...]
    """Of that alert, those that are meant."""
    given_time: float
    """When it was taken, by the clock there."""
    given_by: str = ""
    note: str = ""


class SeenFeatures(msgspec.Struct, frozen=True, gc=False):
    """What the model knew of an edit when it scored it, to learn from once there is a label."""

    weight: float
    """How many edits this one stands for: some are kept."""
    model: str
    """Version of who scored it."""
    feature_set: str
    """What the numbers mean: rows of another one are not comparable."""
    features: bytes
    """float32, little-endian, base64; missing ones at the end are left out."""


class Label(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the wiki's community did with an edit, beside what was said of it at the time."""

    wiki: str
    title: str
    rev_id: int
    label: LabelKind | None
    """None takes an earlier label back: what reverted the edit was found to be no revert."""
    event_time: float
    """Of the edit."""
    labelled_time: float
    """Of the revert, or when the edit had stood for 48 h."""
    reverted_by: int = 0
    """rev_id, 0 if it was kept or only a tag says that it was reverted."""
    evidence: str = ""
    """How it is known: identity, undo, rollback or tag; "" for what was kept."""
    revert_risk: float | None = None
    """The score given at the time; None if it had not been given yet."""
    model_risk: float | None = None
    """What the model alone gave, where the wiki's own reverts shift `revert_risk`; None: the same."""
    alerted: bool = False
    anonymous: bool = False
    with_content: bool = False
    seen: SeenFeatures | None = None
    """Of a sample of the edits."""


class PageStatusKind(StrEnum):
    CONTESTED = "contested"
    SUSPECT = "suspect"


class PageStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is open on a page. A page without anything open has no status."""

    wiki: str
    title: str
    status: PageStatusKind
    """Contested wins over suspect."""
    event_time: float
    """Of the change that made it so."""
    alert_ids: tuple[str, ...]
    """Alerts that are open, oldest first."""
    rev_ids: tuple[int, ...] = ()
    """Suspect revisions that nobody undid yet."""
    last_good_rev_id: int | None = None
    """The revision to use meanwhile."""
    last_good_url: str = ""
    fact_changes: tuple[FactChange, ...] = ()
    """Statements of this page that are in doubt."""


class AlertKind(StrEnum):
    EDIT_SUSPECT = "edit.suspect"
    PAGE_CONTESTED = "page.contested"
    FACT_CORRECTED = "fact.corrected"
    POST_REPEATS = "post.repeats"
    FACT_AMPLIFIED = "fact.amplified"


class AlertStatus(StrEnum):
    OPEN = "open"
    UPDATED = "updated"
    RESOLVED = "resolved"


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Grade(StrEnum):
    """What a post does with a hot fact. Only the first two are ever alerts."""

    REPEATS_VANDALISED = "repeats-vandalised"
    REPEATS_CONTESTED = "repeats-contested"
    STATES_GOOD = "states-good"
    """It says what stood before the edit."""
    SUGGESTED = "suggested"
    """It may be about the fact: for a person to look at."""


class PostRef(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A post that an alert names. When the post is deleted, it goes from stored alerts too."""

    platform: str
    post_id: str
    """The platform's own."""
    author: str
    """A keyed hash, by default; "" where the platform does not tell."""
    url: str
    event_time: float
    grade: Grade
    probability: float
    """Calibrated, that it repeats what the fact change says after the edit; 0 to 1."""
    statement: str = ""
    """The sentence that does, as written. Untrusted."""
    reasons: tuple[str, ...] = ()
    """Why, in words."""
    reach: int | None = None
    """How many may see it, where the platform tells."""


class Alert(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=False):
    """One state change of an alert. `alert_id` names the episode, `ce_id` this state change; both are
    digests of what happened, so a replay gives the same ones."""

    alert_id: str
    ce_id: str
    kind: AlertKind
    status: AlertStatus
    severity: Severity
    wiki: str
    server_name: str
    title: str
    namespace: int
    page_id: int | None
    rev_id: int
    """The revision that caused this state change."""
    parent_id: int | None
    performer: str
    performer_kind: PerformerKind
    event_time: float
    """Of the change that caused it."""
    episode_start: float
    summary: str
    """One line for a person. Contains untrusted text: escape it where you show it."""
    comment: str = ""
    revert_risk: float | None = None
    with_content: bool = False
    model_version: str = ""
    reasons: tuple[Reason, ...] = ()
    fact_changes: tuple[FactChange, ...] = ()
    page_url: str = ""
    diff_url: str = ""
    last_good_rev_id: int | None = None
    last_good_url: str = ""
    related: tuple[str, ...] = ()
    """alert_ids this one bears on: a correction names the alerts it settles."""
    posts: tuple[PostRef, ...] = ()
    """Of `post.repeats` the post; of `fact.amplified` and `fact.corrected` some of those that repeat the
    fact, the widest reach first."""
    evidence: dict[str, float | int | str | list[str]] = {}
    """What was observed, by name: mutual_reverts, controversy, editors, reverted_by …"""
