"""Wikimedia's EventStreams (https://wikitech.wikimedia.org/wiki/Event_Platform/EventStreams)."""

from __future__ import annotations

import random
from collections.abc import Iterator

from streams.sources.backoff import Backoff
from streams.sources.base import SourceItem, SourceStatus
from streams.sources.sse import SseClient
from streams.stages.normalize import MAX_EVENT_BYTES


class EventStreamsSource:
    """Live recent changes by SSE; several streams of one host may be joined by commas in `url`.

    The cursor is the Last-Event-ID as the server gave it: there, a JSON array of a position for each
    topic. Resuming repeats some events, out of order, and loses none of the last 7 to 31 days. The
    server cuts each connection after about 15 minutes; the next one goes on where it was.
    """

    name = "eventstreams"

    def __init__(
        self,
        url: str,
        user_agent: str,
        *,
        stall_after_s: float,
        max_event_bytes: int = MAX_EVENT_BYTES,
        rng: random.Random | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        if backoff is None:
            backoff = Backoff(rng or random.Random())  # noqa: S311  # spreads load, keeps no secret
        self._client = SseClient(
            url,
            user_agent,
            stall_after_s=stall_after_s,
            max_event_bytes=max_event_bytes,
            backoff=backoff,
        )

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        """Ends after `close` only. An event without data counts as a sign of life."""
        client = self._client
        for event in client.events(cursor or ""):
            if event is None or not event.data:
                yield SourceItem(client.last_id)
            else:
                yield SourceItem(event.last_id, event.raw, too_large=event.too_large)

    def status(self) -> SourceStatus:
        return self._client.status()

    def close(self) -> None:
        self._client.close()
