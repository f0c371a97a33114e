"""`factwatch replay FILE --pages`: what a pager would have sent, when, and why each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from rich.console import Console

from streams.cli.output import safe
from streams.incidents import Incident, IncidentKind, IncidentStatus
from streams.records import Alert, Severity
from streams.stages.paging_policy import PagingPolicy
from streams.state.incident_book import IncidentBook
from streams.store.sqlite import SqliteStore

#: Pages described one by one in a terminal; as JSON `DESCRIBED_CAP`, so that memory has a bound.
SHOWN = 30
DESCRIBED_CAP = 10_000

_DAY_S = 86_400.0
_CHUNK = 500
_BARS = " ▁▂▃▄▅▆▇█"
_KIND_WORDS = {
    IncidentKind.FACT_AMPLIFIED: "amplified fact",
    IncidentKind.PERFORMER_BURST: "burst",
    IncidentKind.PAGE_CONTESTED: "contested page",
}


class SentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Times are event times. `title` and the texts are untrusted."""

    incident_id: str
    kind: IncidentKind
    wiki: str
    title: str
    """Of the page, of a burst the one whose edit made it a page."""
    started: float
    summary: str
    why: str
    """As it was sent first."""
    open_s: float | None
    """None: it was open when the replay ended."""
    outcome: str
    alerts_total: int


class PagesReport(msgspec.Struct, frozen=True, kw_only=True):
    pages_per_day: int
    """The budget."""
    days: float
    """Of event time, from the first edit to the last."""
    pages_total: int
    mean_a_day: float
    """Over the days there were, at least one."""
    busiest_day: str
    """UTC; "" without any page."""
    busiest_day_pages: int
    held_back: int
    """Incidents that would have been pages, but for the budget."""
    by_kind: dict[str, int]
    by_hour: list[int]
    """Pages by hour of the day, UTC, from 0."""
    tickets: dict[str, int]
    """By kind; those held back are among them."""
    pages: list[SentPage]
    """The oldest first, at most `DESCRIBED_CAP`."""


def pages_of(store: SqliteStore, policy: PagingPolicy, *, history: bool) -> PagesReport:
    """What `policy` makes of the alerts of a replay. In a `history` each page has a time of its own, and
    its alerts come page by page: they are put in the order of event time."""
    (first, last), *_ = store.query("SELECT min(event_time), max(event_time) FROM edits")
    began, ended = (float(str(time)) for time in (first or 0.0, last or 0.0))
    alerts = _by_event_time(store) if history else _in_order(store)
    return report(alerts, policy, began=began, ended=ended)


def report(alerts: Iterable[Alert], policy: PagingPolicy, *, began: float, ended: float) -> PagesReport:
    """`began`, `ended`: event times of the first edit and the last."""
    book, folded = IncidentBook(policy), _Folded()
    for alert in alerts:
        for state in book.fold(alert):
            folded.take(state, alert.title)
    for state in book.pass_time(ended):
        folded.take(state, "")
    days = (ended - began) / _DAY_S
    busiest, most = max(folded.by_day.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return PagesReport(
        pages_per_day=policy.pages_per_day,
        days=days,
        pages_total=folded.pages_total,
        mean_a_day=folded.pages_total / max(days, 1.0),
        busiest_day=busiest,
        busiest_day_pages=most,
        held_back=len(folded.held_back),
        by_kind={kind: folded.by_kind[kind] for kind in IncidentKind},
        by_hour=[folded.by_hour[hour] for hour in range(24)],
        tickets={kind: folded.tickets[kind] for kind in IncidentKind},
        pages=[_sent(*page) for page in folded.pages.values()],
    )


def print_report(report: PagesReport, console: Console) -> None:
    """Everything a stranger wrote is escaped."""

    def line(text: str = "") -> None:
        console.print(text, markup=False, emoji=False, soft_wrap=True)

    line()
    line(f"Pages, at most {report.pages_per_day:,} in 24 hours")
    over = f"{report.days:,.1f} days" if report.days >= 1 else f"{report.days * 24:,.1f} hours"
    line(f"  {report.pages_total:,} in {over}: {report.mean_a_day:,.2f} a day{_busiest(report)}")
    line(f"  held back by the budget: {report.held_back:,} (tickets instead)")
    line(f"  pages    {_kinds(report.by_kind)}")
    line(f"  tickets  {_kinds(report.tickets)}")
    if not report.pages:
        return
    line("  hour of the day (UTC)")
    line(f"    {_chart(report.by_hour)}  most: {max(report.by_hour):,}")
    line(f"    {'00':<12}{'06':<12}{'12':<12}{'18'}")
    for page in report.pages[:SHOWN]:
        line()
        line(f"{_time(page.started)}  {_KIND_WORDS[page.kind]}: {safe(page.title)} ({safe(page.wiki)})")
        line(f"    {safe(page.summary, 400)}")
        line(f"    {safe(page.why, 400)}")
        line(f"    {_end(page)}")
    more = report.pages_total - SHOWN
    if more > 0:
        line()
        line(f"and {more:,} more: --json has them")


class _Folded:
    """What the states of incidents come to."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[Incident, Incident, str]] = {}
        """First state, newest state and title, by incident_id."""
        self.pages_total = 0
        self.held_back: set[str] = set()
        self.by_kind: Counter[IncidentKind] = Counter()
        self.tickets: Counter[IncidentKind] = Counter()
        self.by_day: Counter[str] = Counter()
        self.by_hour: Counter[int] = Counter()
        self._open: set[str] = set()

    def take(self, state: Incident, title: str) -> None:
        ident = state.incident_id
        is_page = state.severity is Severity.CRITICAL
        if state.held_back:
            self.held_back.add(ident)
        if ident not in self._open:
            self._open.add(ident)
            if is_page:
                self._count(state, title)
            else:
                self.tickets[state.kind] += 1
        elif ident in self.pages:
            first, _, title = self.pages[ident]
            self.pages[ident] = (first, state, title)
        if state.status is IncidentStatus.RESOLVED:
            self._open.discard(ident)

    def _count(self, state: Incident, title: str) -> None:
        self.pages_total += 1
        started = datetime.fromtimestamp(state.started, UTC)
        self.by_kind[state.kind] += 1
        self.by_hour[started.hour] += 1
        self.by_day[started.strftime("%Y-%m-%d")] += 1
        if len(self.pages) < DESCRIBED_CAP:
            self.pages[state.incident_id] = (state, state, title)


def _sent(first: Incident, newest: Incident, title: str) -> SentPage:
    return SentPage(
        incident_id=first.incident_id,
        kind=first.kind,
        wiki=first.wiki,
        title=title,
        started=first.started,
        summary=first.summary,
        why=first.description,
        open_s=newest.ended - newest.started if newest.ended is not None else None,
        outcome=newest.outcome,
        alerts_total=newest.alerts_total,
    )


def _in_order(store: SqliteStore) -> Iterator[Alert]:
    seq = 0
    while chunk := store.log(seq, _CHUNK):
        yield from (stored.alert for stored in chunk)
        seq = chunk[-1].seq


def _by_event_time(store: SqliteStore) -> Iterator[Alert]:
    """Only the order is held in memory, not the alerts."""
    order = []
    seq = 0
    while chunk := store.log(seq, _CHUNK):
        order += [(stored.alert.event_time, stored.seq) for stored in chunk]
        seq = chunk[-1].seq
    for _, seq in sorted(order):
        yield store.log(seq - 1, 1)[0].alert


def _kinds(counts: dict[str, int]) -> str:
    named = [f"{_KIND_WORDS[IncidentKind(kind)]} {n:,}" for kind, n in counts.items() if n]
    return ", ".join(named) if named else "none"


def _busiest(report: PagesReport) -> str:
    if not report.busiest_day:
        return ""
    return f", most on {report.busiest_day} ({report.busiest_day_pages:,})"


def _chart(counts: list[int]) -> str:
    """Two columns an hour; any page at all shows."""
    most = max(counts)
    return " ".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)


def _time(event_time: float) -> str:
    return datetime.fromtimestamp(event_time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _end(page: SentPage) -> str:
    alerts = f"{page.alerts_total:,} alert{'' if page.alerts_total == 1 else 's'}"
    if page.open_s is None:
        return f"{alerts}; open when the replay ended"
    return f"{alerts}; open {_duration(page.open_s)}, ended: {safe(page.outcome)}"


def _duration(seconds: float) -> str:
    for size, name in ((_DAY_S, "days"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} s"
