"""The demo's wikis in memory: a step goes in, events come out, revisions can be asked for. Bounded, so
that the demo can run for ever."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from streams.demo.api import MESSAGES, answer_query
from streams.demo.articles import ARTICLES, DATA_WIKI
from streams.demo.feed import edited, logged, tagged
from streams.demo.pages import Json, Page, Revision
from streams.demo.pasts import BEGUN_S, FIRST_AUTHOR, first_text, past_steps
from streams.demo.scenario import AnyStep, Move, Protect, Replace, Rollback, Undo, Write

MAX_REVISIONS = 3_000  # some 10 MB of texts; about two hours


class DemoWiki:
    """Thread-safe. `now` is Unix seconds; revisions begin a year before it."""

    def __init__(self, now: float) -> None:
        self._lock = threading.Lock()
        self._next_id = 88_000_000
        self._revisions: dict[int, Revision] = {}
        self._pages: dict[tuple[str, str], Page] = {}
        self._by_id: dict[int, Page] = {}
        for number, (wiki, title) in enumerate(ARTICLES):
            page = self._pages[wiki, title] = Page(wiki, title, 9_000 + number)
            self._by_id[page.page_id] = page
            self._add(page, first_text(wiki, title), FIRST_AUTHOR, "first version", now + BEGUN_S)
        for step in past_steps():
            self.apply(step, now + step.at_s)

    def apply(self, step: AnyStep, now: float) -> list[tuple[str, Json]]:
        """Jsons by stream, in order; none where the step finds nothing to do."""
        with self._lock:
            page = self._pages.get((step.wiki, step.title))
            if page is None:
                return []
            match step:
                case Replace() if step.old in page.top.text:
                    text = page.top.text.replace(step.old, step.new)
                    return self._edit(page, text, step, now)
                case Replace():
                    return []
                case Write():
                    return self._edit(page, step.text, step, now)
                case Rollback():
                    return self._rollback(page, step.by, now)
                case Undo():
                    return self._undo(page, step, now)
                case Protect():
                    return [self._protected(page, step, now)]
                case Move():
                    return self._move(page, step, now)

    def _edit(self, page: Page, text: str, step: Replace | Write, now: float) -> list[tuple[str, Json]]:
        old = page.top
        made = self._add(page, text, step.by, step.comment, now)
        if isinstance(step, Replace):
            made.hidden, made.minor = step.hidden, step.minor
        if any(earlier.text == text for earlier in list(page.history)[:-1]):
            made.tags.append("mw-manual-revert")
        return [edited(made, old, self._id(), now)]

    def _rollback(self, page: Page, by: str, now: float) -> list[tuple[str, Json]]:
        old = page.top
        undone = [old]
        target = None
        for revision in list(page.history)[-2::-1]:
            if revision.by != old.by:
                target = revision
                break
            undone.append(revision)
        if target is None or by == old.by:
            return []
        name = "revertpage-nouser" if old.hidden else "revertpage"
        comment = _fill(MESSAGES[name], target.by, old.by)
        return self._revert(page, target.text, undone, by, comment, "mw-rollback", now)

    def _undo(self, page: Page, step: Undo, now: float) -> list[tuple[str, Json]]:
        if len(page.history) < 2 or step.by == page.top.by:
            return []
        old, target = page.history[-1], page.history[-2]
        if page.wiki == DATA_WIKI:
            comment = f"/* undo:0||{old.rev_id}|{old.by} */"
        else:
            comment = _fill(MESSAGES["undo-summary"], str(old.rev_id), old.by)
        comment += f": {step.comment}" if step.comment else ""
        return self._revert(page, target.text, [old], step.by, comment, "mw-undo", now)

    def _revert(
        self,
        page: Page,
        text: str,
        undone: Sequence[Revision],
        by: str,
        comment: str,
        tag: str,
        now: float,
    ) -> list[tuple[str, Json]]:
        old = page.top
        made = self._add(page, text, by, comment, now)
        made.tags.append(tag)
        events = [edited(made, old, self._id(), now)]
        for revision in undone:
            before = list(revision.tags)
            revision.tags.append("mw-reverted")
            events.append(tagged(revision, before, now))
        return events

    def _protected(self, page: Page, step: Protect, now: float) -> tuple[str, Json]:
        params = {
            "description": "[edit=sysop] (expires in 1 day)",
            "cascade": False,
            "details": [{"type": "edit", "level": "sysop", "cascade": False}],
        }
        return logged(page, "protect", params, step.by, step.comment, self._id(), now)

    def _move(self, page: Page, step: Move, now: float) -> list[tuple[str, Json]]:
        if (page.wiki, step.to) in self._pages:
            return []
        params: Json = {"target": step.to, "noredir": "1"}
        event = logged(page, "move", params, step.by, step.comment, self._id(), now)
        del self._pages[page.wiki, page.title]
        page.title = step.to
        self._pages[page.wiki, page.title] = page
        return [event]

    def _add(self, page: Page, text: str, by: str, comment: str, at: float) -> Revision:
        parent = page.top if page.history else None
        made = Revision(self._id(), parent, page, text, by, comment, at)
        page.history.append(made)
        self._revisions[made.rev_id] = made
        if len(self._revisions) > MAX_REVISIONS:
            oldest = next(iter(self._revisions))
            kept = self._revisions.pop(oldest)
            if kept.page.top is kept:
                self._revisions[oldest] = kept  # the only text of its page: to the end of the queue
        return made

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    def top(self, wiki: str, title: str) -> Revision:
        """The page's current revision. KeyError where there is no such page."""
        return self._pages[wiki, title].top

    def revision(self, rev_id: int) -> Revision:
        return self._revisions[rev_id]

    @property
    def revisions_held(self) -> int:
        return len(self._revisions)

    def api(self, params: dict[str, str]) -> Json:
        """The Action API's answer to a query."""
        with self._lock:
            return answer_query(params, self._revisions, self._by_id)


def _fill(template: str, *values: str) -> str:
    for number, value in enumerate(values, 1):
        template = template.replace(f"${number}", value)
    return template
