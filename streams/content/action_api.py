"""Texts of edits and their parents from a wiki's Action API, 50 revisions a call.

`prop=revisions` by revision id gives about 25 edits a call with their parents; `action=compare` would
be a call an edit. An edit never waits past its deadline and no fault of a wiki raises: an edit whose
texts can't be had goes on without, with the reason.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from streams.content.api_transport import AT_ONCE, MAX_ANSWER_BYTES, PER_MINUTE, POLL_S, ApiTransport
from streams.content.outcomes import FetchFailure, FetchOutcome
from streams.content.revisions import MAX_TEXT_BYTES, RevisionsAnswer, revisions_of
from streams.content.text_cache import TextCache
from streams.records import Content, Edit, RevisionText

IDS_A_CALL = 50
CACHE_BYTES = 64 * 1024 * 1024  # a parent is usually the page's revision fetched last
MISSING_AGAIN_S = 1.0
"""A revision just made may not have reached the replica asked: one more try after this long."""
REVISION_FIELDS = "ids|timestamp|user|comment|size|sha1|tags|flags|content"

Found = tuple[RevisionText, FetchOutcome] | FetchFailure
"""A revision and how it was had, or why it was not."""
Key = tuple[str, int]
Results = dict[Key, Found]


class ActionApi:
    """Batched, bounded, thread-safe. `hosts` maps a wiki to its host, `template` is the API's address
    with `{server_name}`: never a host that an event names. `count` takes an outcome and how many
    revisions had it: each revision that a `fetch` needs is counted once."""

    def __init__(
        self,
        hosts: Mapping[str, str],
        template: str,
        user_agent: str,
        *,
        count: Callable[[FetchOutcome, int], object] = lambda outcome, revisions: None,
        per_minute: float = PER_MINUTE,
        at_once: int = AT_ONCE,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_text_bytes: int = MAX_TEXT_BYTES,
        cache_bytes: int = CACHE_BYTES,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.transport = ApiTransport(
            hosts,
            template,
            user_agent,
            per_minute=per_minute,
            at_once=at_once,
            max_answer_bytes=max_answer_bytes,
            now=now,
            sleep=sleep,
        )
        self._now = now
        self._count = count
        self._max_text_bytes = max_text_bytes
        self._cache = TextCache(cache_bytes)
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="content")

    def fetch(self, edits: Sequence[Edit], deadline_s: float) -> dict[str, Content | FetchFailure]:
        """By event_id. Returns when everything is there or `deadline_s` has passed. An edit whose
        parent alone is gone has a parent with text None; a new page has none."""
        deadline = self._now() + deadline_s
        results: Results = {}
        self._get([_ids(edit) for edit in edits], results, deadline)
        # a feed may leave the parent out: the revision itself names it
        parents = {edit.event_id: _parent_of(edit, results) for edit in edits}
        late = [
            [(edit.wiki, parent)]
            for edit in edits
            if (parent := parents[edit.event_id]) and (edit.wiki, parent) not in results
        ]
        if late:
            self._get(late, results, deadline)
        self._tally(results.values())
        return {edit.event_id: _content(edit, parents[edit.event_id], results) for edit in edits}

    def texts(self, wanted: Iterable[list[Key]], deadline: float) -> dict[Key, RevisionText]:
        """Revisions by themselves, as far as they are there by `deadline` (on the clock `now`). Those of
        one group share a call where possible."""
        results: Results = {}
        self._get((group for group in wanted if group), results, deadline)
        self._tally(results.values())
        return {key: found[0] for key, found in results.items() if not isinstance(found, FetchFailure)}

    def status(self) -> str:
        """One line for a person: serving, or which host we back off from, why and how long."""
        return self.transport.status()

    def close(self) -> None:
        """Ends a `fetch` under way soon; a later one gives failures at once."""
        self.transport.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _get(self, wanted: Iterable[list[Key]], results: Results, deadline: float) -> None:
        """Fills `results` for every key. Keys of one group (a revision and its parent) share a call
        where possible."""
        batches = self._batches(wanted, results)
        arrived: Results = {}
        pending: set[Future[None]] = set()
        for wiki, ids in batches:
            if not self.transport.lists(wiki):
                found = FetchFailure(FetchOutcome.NOT_LISTED)
                results.update({(wiki, rev_id): found for rev_id in ids})
                continue
            try:
                pending.add(self._pool.submit(self._ask, wiki, ids, arrived, deadline))
            except RuntimeError:  # closed: the pool takes nothing more
                break
        while pending and not self.transport.closed and self._now() < deadline:
            done, pending = wait(pending, timeout=POLL_S)
            for future in done:
                if not future.cancelled():
                    future.result()  # only a mistake of ours raises here
        for future in pending:
            future.cancel()
        missed = FetchFailure(FetchOutcome.ERROR if self.transport.closed else FetchOutcome.DEADLINE)
        with self._lock:  # a call that ends later fills the cache, no more
            for wiki, ids in batches:
                for rev_id in ids:
                    key = (wiki, rev_id)
                    if key not in results:
                        results[key] = arrived.get(key, missed)

    def _batches(self, wanted: Iterable[list[Key]], results: Results) -> list[tuple[str, list[int]]]:
        """Ids to ask for, at most 50 each, what the cache holds put into `results`."""
        batches: list[tuple[str, list[int]]] = []
        filling: dict[str, list[int]] = {}
        asked: set[Key] = set()
        for group in wanted:
            new: list[int] = []
            for key in group:
                if key in results or key in asked:
                    continue
                cached = self._cache.get(*key)
                if cached is not None:
                    results[key] = (cached, FetchOutcome.CACHED)
                else:
                    asked.add(key)
                    new.append(key[1])
            if not new:
                continue
            wiki = group[0][0]
            ids = filling.get(wiki)
            if ids is None or len(ids) + len(new) > IDS_A_CALL:
                ids = filling[wiki] = []
                batches.append((wiki, ids))
            ids += new
        return batches

    def _ask(self, wiki: str, ids: list[int], arrived: Results, deadline: float) -> None:
        """Asks until each id has an answer: a wiki cuts what is too large, we halve what passes our
        own bound."""
        todo = [ids]
        gone: list[int] = []
        asked_again = False
        while todo or (gone and not asked_again and self._now() + MISSING_AGAIN_S < deadline):
            if todo:
                ids = todo.pop()
            else:
                self.transport.pause(MISSING_AGAIN_S)
                ids, gone, asked_again = gone, [], True
            answer = self.transport.ask(
                wiki,
                {
                    "action": "query",
                    "prop": "revisions",
                    "revids": "|".join(map(str, ids)),
                    "rvprop": REVISION_FIELDS,
                    "rvslots": "main",
                },
                RevisionsAnswer,
                deadline,
            )
            if isinstance(answer, FetchFailure):
                if answer.reason is FetchOutcome.TOO_LARGE and len(ids) > 1:
                    todo += [ids[len(ids) // 2 :], ids[: len(ids) // 2]]
                    continue
                self._arrive(wiki, dict.fromkeys(ids, answer), arrived)
                continue
            said = revisions_of(answer, self._max_text_bytes)
            got: dict[int, Found] = {}
            for rev_id in ids:
                match said.get(rev_id):
                    case (revision, outcome):
                        got[rev_id] = (revision, outcome)
                    case FetchOutcome() as outcome:
                        got[rev_id] = FetchFailure(outcome)
                        gone.append(rev_id)
                    case None:
                        pass
            self._arrive(wiki, got, arrived)
            rest = [rev_id for rev_id in ids if rev_id not in got]
            if not rest:
                continue
            if got:
                todo.append(rest)
            elif answer.continue_ is not None and len(rest) > 1:
                todo += [rest[len(rest) // 2 :], rest[: len(rest) // 2]]
            else:
                # asked for alone it is not given: larger than the wiki's own limit, or not loadable
                reason = FetchOutcome.TOO_LARGE if answer.continue_ else FetchOutcome.MISSING
                self._arrive(wiki, dict.fromkeys(rest, FetchFailure(reason)), arrived)
                if reason is FetchOutcome.MISSING:
                    gone += rest

    def _arrive(self, wiki: str, got: dict[int, Found], arrived: Results) -> None:
        for found in got.values():
            if not isinstance(found, FetchFailure):
                self._cache.put(wiki, found[0])
        with self._lock:
            arrived.update({(wiki, rev_id): found for rev_id, found in got.items()})

    def _tally(self, found: Iterable[Found]) -> None:
        counts: dict[FetchOutcome, int] = {}
        for one in found:
            outcome = one.reason if isinstance(one, FetchFailure) else one[1]
            counts[outcome] = counts.get(outcome, 0) + 1
        for outcome, revisions in counts.items():
            self._count(outcome, revisions)


def _ids(edit: Edit) -> list[Key]:
    ids = [(edit.wiki, edit.rev_id)]
    if edit.parent_id:
        ids.append((edit.wiki, edit.parent_id))
    return ids


def _parent_of(edit: Edit, results: Results) -> int | None:
    if edit.parent_id or edit.is_new:
        return edit.parent_id or None
    found = results.get((edit.wiki, edit.rev_id))
    return None if found is None or isinstance(found, FetchFailure) else found[0].parent_id


def _content(edit: Edit, parent_id: int | None, results: Results) -> Content | FetchFailure:
    revision = results[edit.wiki, edit.rev_id]
    if isinstance(revision, FetchFailure):
        if revision.reason is not FetchOutcome.TOO_LARGE:
            return revision
        revision = (RevisionText(rev_id=edit.rev_id, text=None), FetchOutcome.TOO_LARGE)
    if parent_id is None:
        return Content(revision[0], None)
    parent = results[edit.wiki, parent_id]
    if isinstance(parent, FetchFailure):
        if parent.reason not in (FetchOutcome.MISSING, FetchOutcome.TOO_LARGE):
            return parent
        return Content(revision[0], RevisionText(rev_id=parent_id, text=None))
    return Content(revision[0], parent[0])
