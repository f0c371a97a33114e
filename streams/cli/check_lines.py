"""A checked answer for a terminal: what is said of the whole, then each statement that relies on a hot
fact, in the order of the text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from streams.cli.output import safe
from streams.matching.answer_findings import (
    CheckedAnswer,
    CheckedStatement,
    Finding,
    Quotable,
    States,
)
from streams.posts import HotKind

MAX_FINDINGS = 5
"""Of one statement that are shown."""
_COLOURS = {Quotable.NO: "red", Quotable.CAUTION: "yellow", Quotable.NOTHING_KNOWN: "cyan"}
_STATES = {
    States.BAD: "states what a suspect edit put there",
    States.CONTESTED: "states one side of what is being fought over",
    States.UNCLEAR: "may be about it, for a person to look at",
    States.GOOD: "states what stood before a suspect edit",
}


def answer_lines(answer: CheckedAnswer, top: int) -> Iterator[str]:
    """All that is quoted is untrusted and made safe. Of the statements that nothing is known of the `top`
    check-worthiest are shown."""
    yield f"{_coloured(answer.quotable)}  {safe(answer.says, 1_000)}"
    told = [one for one in answer.statements if one.findings]
    for statement in told:
        yield ""
        yield from _statement_lines(statement)
    rest = [one for one in answer.statements if not one.findings]
    if rest and (told or top):
        yield ""
        of_these = "other statements" if told else "statements"
        shown = sorted(rest, key=lambda one: (-one.check_worthiness, one.start))[:top]
        what = ", the check-worthiest of them" if shown else ""
        yield f"Nothing known: {len(rest)} {of_these[:-1] if len(rest) == 1 else of_these}{what}"
        for statement in shown:
            yield f"  {statement.check_worthiness:.2f}  {_quoted(statement)}"


def _statement_lines(statement: CheckedStatement) -> Iterator[str]:
    yield _quoted(statement)
    for finding in statement.findings[:MAX_FINDINGS]:
        yield from (f"    {line}" for line in _finding_lines(finding))
    more = len(statement.findings) - MAX_FINDINGS
    if more > 0:
        yield f"    and {more} more"


def _quoted(statement: CheckedStatement) -> str:
    return f"{statement.start}-{statement.end}  “{safe(statement.text, 500)}”"


def _finding_lines(finding: Finding) -> Iterator[str]:
    colour = _COLOURS[
        Quotable.NO if finding.states in (States.BAD, States.CONTESTED) else Quotable.CAUTION
    ]
    states = click.style(finding.states, fg=colour)
    yield f"{states}: {_STATES[finding.states]}: {safe(finding.title)} ({safe(finding.wiki)})"
    if finding.before:
        yield f"  - {safe(finding.before, 200)}"
    if finding.after:
        yield f"  + {safe(finding.after, 200)}"
    if finding.reasons:
        yield f"  {safe('; '.join(finding.reasons), 400)}"
    yield f"  {_standing(finding)}; alert {safe(finding.alert_id, 64)}"
    if finding.last_good_url:
        yield f"  cite {safe(finding.last_good_url)}"
    elif finding.page_url:
        yield f"  no good revision is known of {safe(finding.page_url)}"


def _standing(finding: Finding) -> str:
    if finding.corrected_time is not None:
        return f"corrected {_when(finding.corrected_time)}"
    if finding.kind is HotKind.CONTESTED:
        return f"contested since {_when(finding.since)}"
    return f"changed {_when(finding.since)}, not corrected so far"


def _when(time: float) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def _coloured(quotable: Quotable) -> str:
    return click.style(quotable, fg=_COLOURS[quotable], bold=True)
