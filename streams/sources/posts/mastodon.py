"""The public stream of a Mastodon server (https://docs.joinmastodon.org/methods/streaming/)."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator

import msgspec
import urllib3

from streams.errors import BadInput, SourceUnavailable
from streams.sources.backoff import Backoff
from streams.sources.base import SourceItem, SourceStatus
from streams.sources.posts.bounded_get import BadAnswer
from streams.sources.posts.interruptible import interruptibly
from streams.sources.posts.mastodon_api import FetchedStatus, MastodonApi
from streams.sources.posts.standing import Standing
from streams.sources.sse import SseClient
from streams.stages.normalize import quote_untrusted
from streams.stages.posts.mastodon import BACKFILL, wrapped
from streams.stages.posts.normalize import MAX_POST_BYTES

log = logging.getLogger(__name__)
#: 10,000 statuses, some 50 MB: five minutes of the largest server. What was missed before them is lost,
#: and said to be. A server answers 300 calls in 5 minutes.
MAX_PAGES = 250
#: A status that came late from another server has the id of when it was made: a back-fill begins this
#: much earlier than where the stream was cut.
REWIND_S = 30
#: Mastodon's ids: milliseconds since 1970, then 16 bits. One below is of another program.
_FIRST_TIME_ID = 10**16
#: Answers that asking again does not change.
_FINAL = frozenset({400, 401, 403, 404, 410, 422})


class MastodonSource:
    """Posts, edits and deletions as one server sees them. `raw` is an event wrapped with its host,
    name and time of arrival.

    The stream can't be resumed: after each cut what came meanwhile is fetched from the public timeline.
    Edits and deletions made during the cut are not told by any interface, and are missed.

    The cursor is `HOST ID`, the newest status up to which nothing is missing. While something is, it
    stays: a restart then repeats some statuses (as the seam of a back-fill does).
    """

    name = "mastodon"

    def __init__(
        self,
        spec: str,
        user_agent: str,
        token: str | None,
        *,
        stall_after_s: float,
        max_event_bytes: int = MAX_POST_BYTES,
        backoff: Backoff | None = None,
    ) -> None:
        """Raises `BadSetting` for an address that is none."""
        self._api = MastodonApi(spec, user_agent, token)
        self._user_agent = user_agent
        self._stall_after_s = stall_after_s
        self._max_bytes = max_event_bytes
        self._backoff = backoff or Backoff(random.Random())  # noqa: S311  # spreads load, keeps no secret
        self._newest = ""
        self._gap_from = ""
        """The newest status before what was missed and is not fetched yet; "" for nothing missing."""
        self._fetch_after = 0.0
        self._fetches = Backoff(random.Random())  # noqa: S311
        self._standing = Standing(self._api.host)
        self._lock = threading.Lock()
        self._client: _Stream | None = None

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        """Ends after `close` only; never raises for an outage. Raises `BadInput` for the cursor of
        another source. An event without data counts as a sign of life."""
        self._newest = self._start(cursor)
        try:
            client = self._find_stream()
            if client is not None:
                yield from self._follow(client)
        finally:
            self._api.close()

    def _follow(self, client: _Stream) -> Iterator[SourceItem]:
        connections = 0
        for event in client.events(""):
            if client.connections != connections:
                connections = client.connections
                self._gap_from = self._gap_from or _earlier(self._newest)
                self._fetch_after = 0.0
            if self._gap_from and time.monotonic() >= self._fetch_after:
                yield from self._backfill()
            if self._standing.closing.is_set():
                return
            if event is None or not event.data:
                yield SourceItem(self._text())
                continue
            raw = event.raw
            name = event.event
            if event.too_large:
                yield SourceItem(self._text(), raw, too_large=True)
                continue
            if name == "update":
                self._seen(_status_id(raw))
            yield SourceItem(self._text(), wrapped(self._api.host, name, raw, time.time()))

    def status(self) -> SourceStatus:
        client = self._client
        return self._standing.status(None if client is None else client.status())

    def close(self) -> None:
        """Ends a blocked read, wait, call or connect of the iterating thread within a second."""
        with self._lock:
            self._standing.close()
            if self._client is not None:
                self._client.close()

    def _start(self, cursor: str | None) -> str:
        if not cursor:
            return ""
        host, _, status_id = cursor.partition(" ")
        if not host or not status_id or " " in status_id:
            raise BadInput(f"{cursor[:80]!r} is no place in a Mastodon: it was left by another source")
        if host != self._api.host:
            self._standing.lost(f"begins anew: the ids of {quote_untrusted(host, 80)} mean nothing here")
            return ""
        return status_id

    def _find_stream(self) -> _Stream | None:
        """The client of the stream, which asks the server where that is; None once closed."""
        while not self._standing.closing.is_set():
            try:
                url = interruptibly(self._api.stream_url, self._standing.closing)
            except SourceUnavailable as err:
                self._standing.wait(str(err), self._backoff.after_failure(err.retry_after_s))
                continue
            if url is None:
                return None
            self._backoff.alive()
            client = _Stream(
                url,
                self._user_agent,
                stall_after_s=self._stall_after_s,
                max_event_bytes=self._max_bytes,
                backoff=self._backoff,
            )
            client.authorization = self._api.headers.get("Authorization")
            with self._lock:
                self._client = client
                return None if self._standing.closing.is_set() else client
        return None

    def _backfill(self) -> Iterator[SourceItem]:
        """What was missed, the oldest first. Where it can't be had now, it is tried again later."""
        since = self._gap_from
        try:
            found = interruptibly(lambda: self._fetch(since), self._standing.closing)
        except BadAnswer as err:
            if err.status in _FINAL:
                self._standing.lost(f"what was missed can't be fetched: {err}")
                self._gap_from = ""
            else:
                self._later(err)
            return
        except SourceUnavailable as err:
            self._later(err)
            return
        if found is None:
            return
        self._fetches.alive()
        now = time.time()
        for status in reversed(found):
            self._gap_from = status.status_id
            yield SourceItem(self._text(), wrapped(self._api.host, BACKFILL, status.raw, now))
            self._seen(status.status_id)
        self._gap_from = ""

    def _fetch(self, since_id: str) -> list[FetchedStatus]:
        """All that is newer, the newest first."""
        found: list[FetchedStatus] = []
        before: str | None = None
        for _ in range(MAX_PAGES):
            if self._standing.closing.is_set():
                return []
            page = self._api.newer_than(since_id, before)
            page = [
                status
                for status in page
                if _order(status.status_id) > _order(since_id)
                and (before is None or _order(status.status_id) < _order(before))
            ]
            if not page:
                return found
            found += page
            before = min((status.status_id for status in page), key=_order)
        self._standing.lost(f"more than {len(found):,} statuses were missed: the older ones stay so")
        return found

    def _later(self, err: SourceUnavailable) -> None:
        wait_s = self._fetches.after_failure(err.retry_after_s)
        self._fetch_after = time.monotonic() + wait_s
        log.warning("%s: what was missed can't be fetched yet: %s", self._api.host, err)

    def _seen(self, status_id: str) -> None:
        if _order(status_id) > _order(self._newest):
            self._newest = status_id

    def _text(self) -> str:
        found = self._gap_from or self._newest
        return f"{self._api.host} {found}" if found else ""


class _Stream(SseClient):
    """With a token, which goes into a header and never into an address; counts its connections."""

    connections = 0
    authorization: str | None = None

    def _headers(self) -> dict[str, str]:
        headers = super()._headers()
        if self.authorization is not None:
            headers["Authorization"] = self.authorization
        return headers

    def _connect(self) -> urllib3.BaseHTTPResponse | None:
        response = super()._connect()
        if response is not None:
            self.connections += 1
        return response


class _Id(msgspec.Struct, gc=False):
    id: str = ""


_decode_id = msgspec.json.Decoder(_Id).decode


def _status_id(data: bytes) -> str:
    """ "" where there is none: `normalize` says what is wrong with it."""
    try:
        found = _decode_id(data).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return found if found.isascii() and found.isalnum() and len(found) <= 64 else ""


def _earlier(status_id: str) -> str:
    if status_id.isdecimal() and int(status_id) > _FIRST_TIME_ID:
        return str(int(status_id) - (REWIND_S * 1_000 << 16))
    return status_id


def _order(status_id: str) -> tuple[int, str]:
    """Ids are numbers that grow with time, as text; those of relatives sort as text of one length."""
    return len(status_id), status_id
