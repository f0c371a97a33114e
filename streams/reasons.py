"""The closed sets of reasons. Counters are registered for every member at start, so zero shows."""

from __future__ import annotations

from enum import StrEnum


class SkipReason(StrEnum):
    """Valid input that is not ours to judge."""

    CANARY = "canary"
    DUPLICATE = "duplicate"
    NOT_AN_EDIT = "not_an_edit"
    """A categorize or external event, or a log type that no stage reads."""
    OTHER_WIKI = "other_wiki"
    OTHER_NAMESPACE = "other_namespace"
    NO_REVISION = "no_revision"
    """An edit whose revision id is null or absent: nothing can be tracked or linked."""
    STALE = "stale"
    """A revision at or before the page's folded horizon: resuming repeats events."""
    NOT_A_POST = "not_a_post"
    """Something else that a platform streams: a like, a follow, a change of a handle."""
    NOT_PUBLIC = "not_public"
    """A post to followers or to single people."""
    NO_TEXT = "no_text"
    """A post of pictures only: no text, no link, nothing repeated or quoted."""


class DeadReason(StrEnum):
    """Input that no stage can process. Its bytes are kept."""

    NOT_JSON = "not_json"
    INVALID_UTF8 = "invalid_utf8"
    SCHEMA = "schema"
    """JSON of another shape: `meta` missing, a wrong type, a number out of range."""
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    BAD_TIME = "bad_time"
    """A time that can't be read, or lies further from the event's arrival than any clock error."""
    BAD_TITLE = "bad_title"
    STAGE_FAILED = "stage_failed"
    """A stage raised: our own mistake, caught by the guard around it."""


class Stage(StrEnum):
    """The stages in travel order; also the values of the metric label `stage`."""

    SOURCE = "source"
    NORMALIZE = "normalize"
    DEDUPLICATE = "deduplicate"
    CONTENT = "content"
    PERFORMER = "performer"
    TRACK = "track"
    SCORE = "score"
    DECIDE = "decide"
    MATCH = "match"
    AMPLIFY = "amplify"
    COMMIT = "commit"
