"""Query strings, parsed once: a name or value that can't be used is refused by name, never ignored."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import QueryParams

from streams.records import AlertKind, AlertStatus
from streams.store.reader import AlertFilter
from streams.web.problems import Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_TEXT = 512
MAX_VALUES = 32
Word = TypeVar("Word", bound=StrEnum)


class Query:
    """The parameters of one request. Every one must be taken before `done`, or it is unknown."""

    def __init__(self, params: QueryParams) -> None:
        self._params = params
        self._known: list[str] = []

    def done(self) -> None:
        for name in self._params:
            if name not in self._known:
                known = ", ".join(self._known) or "none"
                raise Problem(400, f"{_quoted(name)}: no parameter has this name; known here: {known}.")

    def _values(self, name: str) -> list[str]:
        self._known.append(name)
        return self._params.getlist(name)

    def _one(self, name: str) -> str | None:
        values = self._values(name)
        if len(values) > 1:
            raise Problem(400, f"{name}: given {len(values)} times; give it once.")
        return values[0] if values else None

    def words(self, name: str, kind: type[Word]) -> tuple[Word, ...]:
        """Values of a closed set, repeated or joined by commas."""
        found: list[Word] = []
        parts = [part for value in self._values(name) for part in value.split(",", MAX_VALUES)]
        for part in parts[:MAX_VALUES]:
            try:
                found.append(kind(part))
            except ValueError:
                allowed = ", ".join(kind)
                raise Problem(400, f"{name}: {_quoted(part)} is none of {allowed}.") from None
        return tuple(dict.fromkeys(found))

    def text(self, name: str) -> str | None:
        value = self._one(name)
        if value is not None and not 0 < len(value) <= MAX_TEXT:
            raise Problem(400, f"{name}: wants 1 to {MAX_TEXT} characters.")
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self._one(name)
        return None if value is None else whole_number(name, value, low, high)


def whole_number(name: str, value: str, low: int, high: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 19 and low <= int(value) <= high):
        raise Problem(400, f"{name}: {_quoted(value)} is no whole number from {low} to {high}.")
    return int(value)


#: `seq` is a 64-bit rowid in the store.
MAX_SEQ = 2**63 - 1


class ListQuery:
    """GET /v1/alerts"""

    def __init__(self, params: QueryParams) -> None:
        query = Query(params)
        statuses = query.words("status", AlertStatus)
        if AlertStatus.OPEN in statuses and AlertStatus.UPDATED not in statuses:
            # Who asks what is open must not miss what was told twice.
            statuses = (*statuses, AlertStatus.UPDATED)
        self.where = AlertFilter(
            statuses=statuses,
            kinds=query.words("kind", AlertKind),
            wiki=query.text("wiki"),
            title=query.text("title"),
        )
        self.before = query.whole("before", 1, MAX_SEQ)
        self.limit = query.whole("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT
        query.done()


class StreamQuery:
    """GET /v1/alerts/stream. The state changes of the log, so there is no `status`."""

    def __init__(self, params: QueryParams, last_event_id: str | None) -> None:
        query = Query(params)
        self.where = AlertFilter(
            kinds=query.words("kind", AlertKind), wiki=query.text("wiki"), title=query.text("title")
        )
        after = query.whole("after", 0, MAX_SEQ)
        query.done()
        # A browser that reconnects sends the header beside the address it began with: the header
        # is the newer of the two.
        if last_event_id is not None:
            after = whole_number("Last-Event-ID", last_event_id, 0, MAX_SEQ)
        self.after = after


def refuse_parameters(params: QueryParams) -> None:
    Query(params).done()


def _quoted(text: str) -> str:
    """Untrusted text in a line of ours: short, escaped."""
    return repr(text if len(text) <= 60 else text[:60] + "…")
