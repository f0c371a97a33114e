"""What the page's header, /readyz and /v1/status are told; the runner implements both protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from streams.sources.base import SourceStatus


class Part(msgspec.Struct, frozen=True):
    """One part of the program, as /readyz shows it."""

    ok: bool
    detail: str = ""
    """One line for a person; no untrusted text, no addresses with secrets."""
    needed: bool = True
    """False: its failure is told, but the program still does its job (a webhook that is down)."""


class Health(Protocol):
    def parts(self) -> Mapping[str, Part]:
        """By name: source, store, model, webhook, posts_NAME of each source of posts. Thread-safe and quick: nothing is probed here."""
        ...


class PostSource(msgspec.Struct, frozen=True):
    name: str
    """jetstream, mastodon or ndjson."""
    source: SourceStatus


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the program for a person. Times are Unix seconds of processing time."""

    version: str
    started_time: float
    now: float
    """The program's clock, so that a browser with a wrong one shows the right ages."""
    source_name: str
    """eventstreams, rcfeed, ndjson or history."""
    source: SourceStatus
    stale_after_s: float | None = 60.0
    """Silence after which a live source counts as stale; None for files."""
    events: dict[str, int] = {}
    """Records taken in by outcome, as in `factwatch_events_consumed_total`."""
    events_per_s: float = 0.0
    """Over the last minute."""
    freshness_s: float | None = None
    alerts_open: int | None = None
    """Alerts whose latest state is open or updated; None: not counted."""
    model_version: str = ""
    wikis: tuple[str, ...] = ()
    post_sources: tuple[PostSource, ...] = ()
    posts: int = 0
    """Posts taken in since the start, handed-in ones too."""
    posts_per_s: float = 0.0
    """Over the last minute."""
    hot_facts: int | None = None
    """Facts that posts are held against now; None where none are."""
    takes_verdicts: bool = False
    """`POST /v1/alerts/{alert_id}/verdict` is there."""


class StatusProvider(Protocol):
    def status(self) -> Status:
        """Thread-safe and quick."""
        ...
