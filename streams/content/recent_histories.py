"""Recent histories of pages met cold: two calls a page, one of metadata and one of some texts, bounded in
number, time and bytes. No fault of a wiki raises: what can't be had is left out, and counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from enum import StrEnum

from streams.content.action_api import ActionApi, Key
from streams.content.api_transport import AT_ONCE, POLL_S
from streams.content.outcomes import FetchFailure, FetchOutcome
from streams.content.page_history import HistoryAnswer, asked_of, past_of, texts_wanted, with_texts
from streams.content.throttle import TokenBucket
from streams.records import Edit

log = logging.getLogger("factwatch.content")

PAUSE_S = 60.0
"""After a wiki did not answer in time it is not asked for histories: the next would wait as long."""
TEXTS_AHEAD_S = 0.3
"""The texts' deadline lies so much before the whole one: without them the metadata still count."""


class HistoryOutcome(StrEnum):
    """What became of a page asked about; the values are those of `metrics.HISTORY_OUTCOMES`."""

    FETCHED = "fetched"
    MISSING = "missing"
    """The wiki has no revision of the page before the edit: deleted, or merged elsewhere."""
    LIMITED = "limited"
    """Past the bound a minute, or while a wiki that was too slow is left alone."""
    DEADLINE = "deadline"
    REFUSED = "refused"
    ERROR = "error"
    NOT_LISTED = "not_listed"


_OUTCOMES = {
    FetchOutcome.DEADLINE: HistoryOutcome.DEADLINE,
    FetchOutcome.REFUSED: HistoryOutcome.REFUSED,
    FetchOutcome.NOT_LISTED: HistoryOutcome.NOT_LISTED,
}


class RecentHistories:
    """Asks through the transport of `api`: its hosts, rate and bounds hold. `per_minute`: pages, over all
    wikis. `count` takes the outcome of each page asked about. For one thread."""

    def __init__(
        self,
        api: ActionApi,
        is_temporary: Callable[[str, str], bool],
        *,
        per_minute: float,
        count: Callable[[HistoryOutcome], object] = lambda outcome: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._is_temporary = is_temporary
        self._count = count
        self._now = now
        self._bucket = TokenBucket(per_minute, now())
        self._paused: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="histories")

    def before(self, edits: Sequence[Edit], wait_s: float) -> Mapping[str, Sequence[Edit]]:
        """By event_id, the revisions of the edit's page before it, oldest first."""
        deadline = self._now() + wait_s
        try:
            found = self._metadata(edits, deadline)
            return self._with_texts(found, deadline - TEXTS_AHEAD_S)
        except Exception:  # a wiki's answer that we did not foresee must not stop us
            log.exception("histories: these edits are decided without")
            return {}

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _metadata(self, edits: Sequence[Edit], deadline: float) -> dict[str, tuple[Edit, list[Edit]]]:
        asked: dict[Future[HistoryAnswer | FetchFailure], Edit] = {}
        for edit in edits:
            now = self._now()
            if not self._api.transport.lists(edit.wiki):
                self._count(HistoryOutcome.NOT_LISTED)
            elif now < self._paused.get(edit.wiki, now) or self._bucket.reserve(now, 0.0) is None:
                self._count(HistoryOutcome.LIMITED)
            else:
                asked[self._pool.submit(self._ask, edit, deadline)] = edit
        pending = set(asked)
        while pending and not self._api.transport.closed and self._now() < deadline:
            _, pending = wait(pending, timeout=POLL_S)
        found: dict[str, tuple[Edit, list[Edit]]] = {}
        for future, edit in asked.items():
            answer: HistoryAnswer | FetchFailure = FetchFailure(FetchOutcome.DEADLINE)
            if future in pending:
                future.cancel()
            else:
                answer = future.result()
            if isinstance(answer, FetchFailure):
                outcome = _OUTCOMES.get(answer.reason, HistoryOutcome.ERROR)
                if outcome is HistoryOutcome.DEADLINE:
                    self._paused[edit.wiki] = self._now() + PAUSE_S
                self._count(outcome)
                continue
            past = past_of(answer, edit, self._is_temporary)
            if past is None:
                self._count(HistoryOutcome.MISSING)
                continue
            self._count(HistoryOutcome.FETCHED)
            found[edit.event_id] = edit, past
        return found

    def _ask(self, edit: Edit, deadline: float) -> HistoryAnswer | FetchFailure:
        return self._api.transport.ask(edit.wiki, asked_of(edit), HistoryAnswer, deadline)

    def _with_texts(
        self, found: Mapping[str, tuple[Edit, list[Edit]]], deadline: float
    ) -> dict[str, Sequence[Edit]]:
        held = {
            event_id: edit.content.parent
            for event_id, (edit, _) in found.items()
            if edit.content is not None and edit.content.parent is not None
        }
        wanted: list[list[Key]] = []
        for event_id, (edit, past) in found.items():
            parent = held.get(event_id)
            ids = texts_wanted(past, () if parent is None else (parent.rev_id,))
            wanted.append([(edit.wiki, rev_id) for rev_id in ids])
        texts = self._api.texts(wanted, deadline)
        whole: dict[str, Sequence[Edit]] = {}
        for event_id, (edit, past) in found.items():
            here = {rev_id: text for (wiki, rev_id), text in texts.items() if wiki == edit.wiki}
            parent = held.get(event_id)
            if parent is not None:
                here[parent.rev_id] = parent
            whole[event_id] = with_texts(past, here)
        return whole
