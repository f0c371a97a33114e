"""An answer held against the hot facts, statement by statement: which of them it relies on, and which value
of each it states.

Each statement is matched on its own, as one that repeats what another said must be told too, with the pages
that the whole text names. The text around it is matched as well: a fact may be spread over two statements,
and the next one may take the last one back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import quote

import msgspec

from streams.matching.answer_findings import (
    CheckedAnswer,
    CheckedStatement,
    Finding,
    checked_answer,
    finding_of,
    quotable_of,
)
from streams.matching.checkworthy import check_worthiness
from streams.matching.folding import fold
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher, PostText
from streams.matching.post_words import post_words
from streams.matching.statements import MAX_STATEMENTS as SPLIT_AT_ONCE
from streams.matching.statements import Statement, split_statements
from streams.matching.units import ASIDE
from streams.posts import HotFact, Match
from streams.records import Grade

MAX_CHECKED = 256
"""Statements of one text that are held against facts, some 3 ms each at the worst."""
MAX_READ = 64_000
"""Characters of one text that are looked at."""
MAX_PAGES = 8
"""Pages named anywhere in a text whose facts every statement of it is held against."""
MAX_LINKS = 64
_PIECE = 2_000
"""Characters split at once: lines of them are within the bounds of `split_statements`."""
_SECTION = 3_200
"""Characters matched as one text, within what the matcher reads of one."""
_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,2000}")
TOGETHER = "only two statements together say it"
_ASSERTS = frozenset({Grade.REPEATS_VANDALISED, Grade.REPEATS_CONTESTED, Grade.STATES_GOOD})

_Found = dict[str, Match]
"""By hot_id."""


class Checker:
    """The result depends on the text and on the facts that are hot."""

    def __init__(
        self,
        index: HotFactIndex,
        matcher: Matcher,
        *,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        """`matcher` is one of `index`. `lock` is held while these are asked, some 0.2 s at most; None where
        nobody else asks or changes them."""
        self._index = index
        self._matcher = matcher
        self._lock = lock if lock is not None else nullcontext()

    def check(self, text: str, language: str | None = None) -> CheckedAnswer:
        """Bounded in time for any text; what was not looked at is told. `language`: its BCP 47 tag."""
        statements, read_to = split_answer(text)
        sections = list(_sections(statements))
        links = links_in(text[:MAX_READ])
        with self._lock:
            hot_facts = len(self._index)
            links = (*self._named(text, sections, links), *links)
        checked: list[CheckedStatement] = []
        for section in sections:
            with self._lock:
                found = self._matched(text, section, links)
            for statement, findings in zip(section, found, strict=True):
                checked.append(_checked(statement, findings, language))
        return checked_answer(checked, hot_facts, len(text), read_to)

    def _named(
        self, text: str, sections: Sequence[Sequence[Statement]], links: Sequence[str]
    ) -> tuple[str, ...]:
        """Links to the pages that the text names anywhere, the first named first: a statement that says
        only "he" is then held against their facts too."""
        pages: dict[str, None] = {}
        for section in sections:
            words = post_words(fold(text[section[0].start : section[-1].end]))
            for candidate in self._index.candidates(words, links):
                fact = self._index.get(candidate.hot_id) if candidate.named else None
                if fact is not None:
                    pages[f"https://{fact.server_name}/wiki/{quote(fact.title, safe='')}"] = None
        return tuple(pages)[:MAX_PAGES]

    def _matched(
        self, text: str, section: Sequence[Statement], links: tuple[str, ...]
    ) -> list[list[Finding]]:
        """Of each statement of the section."""
        whole = text[section[0].start : section[-1].end]
        posts = [PostText(one.text, links) for one in section]
        *singly, together = self._matcher.match_many([*posts, PostText(whole, links)])
        found: list[_Found] = [{match.hot_id: match for match in matches} for matches in singly]
        for match in together:
            self._join(section, found, match)
        self._look_aside(section, found, links)
        return [self._findings(one) for one in found]

    def _join(self, section: Sequence[Statement], found: Sequence[_Found], match: Match) -> None:
        """What is seen of a statement, or of two together, in the text and not in each alone. Two together
        may speak of two subjects: what they say is for a person to look at."""
        places = _places(section, match.statement)
        known = [one for at in places if (one := found[at].get(match.hot_id)) is not None]
        if any(one.grade in _ASSERTS for one in known) or (known and match.grade not in _ASSERTS):
            return
        fact = self._index.get(match.hot_id)
        if places and fact is not None:
            telling = _telling(fact)
            at = max(places, key=lambda at: len(telling & set(post_words(fold(section[at].text)))))
            if len(places) > 1:
                reasons = (TOGETHER, *match.reasons)
                match = msgspec.structs.replace(match, grade=Grade.SUGGESTED, reasons=reasons)
            found[at][match.hot_id] = match

    def _look_aside(
        self,
        section: Sequence[Statement],
        found: Sequence[_Found],
        links: tuple[str, ...],
    ) -> None:
        """A short remark beside a statement may take it back, or state the other value."""
        asserting = [
            at
            for at, matches in enumerate(found)
            if any(match.grade in _ASSERTS for match in matches.values()) and _remarks(section, at)
        ]
        posts = [PostText(_with_remarks(section, at), links) for at in asserting]
        for at, matches in zip(asserting, self._matcher.match_many(posts), strict=True):
            for match in matches:
                alone = found[at].get(match.hot_id)
                if alone is not None and alone.grade in _ASSERTS and match.grade not in _ASSERTS:
                    found[at][match.hot_id] = match

    def _findings(self, found: _Found) -> list[Finding]:
        facts = ((self._index.get(hot_id), match) for hot_id, match in found.items())
        findings = [
            finding_of(fact, match)
            for fact, match in facts
            if fact is not None and not self._only_names(fact, match.statement)
        ]
        return sorted(findings, key=lambda one: (one.states.rank, -one.probability, one.hot_id))

    def _only_names(self, fact: HotFact, said: str) -> bool:
        """Whether it says no more of a sentence that was put in or taken out than the page's name, which
        such a sentence has among its changed words: a heading states nothing."""
        if fact.fact.before and fact.fact.after:
            return False
        names = {word for name in (fact.title, *fact.names) for word in post_words(fold(name))}
        shared = _telling(fact) & set(post_words(fold(said))) - names
        return not any(map(self._index.weight, shared))


def split_answer(text: str) -> tuple[list[Statement], int]:
    """The statements, at most MAX_CHECKED, and how many characters of the text they are of."""
    found: list[Statement] = []
    position, end = 0, min(len(text), MAX_READ)
    while position < end:
        piece = text[position : min(position + _PIECE, end)]
        some = [
            Statement(one.text, position + one.start, position + one.end)
            for one in split_statements(piece)
        ]
        after = position + len(piece)
        if len(some) == SPLIT_AT_ONCE:
            after = some[-1].end
        elif len(some) > 1 and after < len(text) and not text[some[-1].end : after].strip():
            cut = some.pop().start  # where the piece ends it may go on
            after, end = cut, end if after < end else cut
        found += some
        if len(found) > MAX_CHECKED:
            return found[:MAX_CHECKED], found[MAX_CHECKED].start
        position = after
    return found, position


def _checked(
    statement: Statement, findings: Sequence[Finding], language: str | None
) -> CheckedStatement:
    spoken = language.partition("-")[0].lower() if language else "en"
    return CheckedStatement(
        text=statement.text,
        start=statement.start,
        end=statement.end,
        quotable=quotable_of(findings),
        check_worthiness=round(check_worthiness(statement.text, spoken), 4),
        findings=tuple(findings),
    )


def links_in(text: str) -> tuple[str, ...]:
    """Addresses as answers cite them, in brackets and at ends of sentences; at most MAX_LINKS."""
    found: dict[str, None] = {}
    for match in _ADDRESS.finditer(text):
        link = match[0].rstrip(".,;:!?'*]»”’")
        if link.endswith(")") and link.count(")") > link.count("("):
            link = link[:-1].rstrip(".,;:!?'*]»”’")
        found[link] = None
        if len(found) == MAX_LINKS:
            break
    return tuple(found)


def _sections(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    """Runs of statements that are matched as one text."""
    section: list[Statement] = []
    for one in statements:
        if section and (len(section) == SPLIT_AT_ONCE or one.end - section[0].start > _SECTION):
            yield section
            section = []
        section.append(one)
    if section:
        yield section


def _places(section: Sequence[Statement], said: str) -> list[int]:
    """Where the statement, or the two, that a match is about stand."""
    for at, one in enumerate(section):
        if one.text == said:
            return [at]
        if at + 1 < len(section) and said == f"{one.text} {section[at + 1].text}":
            return [at, at + 1]
    return []


def _telling(fact: HotFact) -> set[str]:
    """Words that only one side has."""
    return set(post_words(fold(fact.fact.before))) ^ set(post_words(fold(fact.fact.after)))


def _remarks(section: Sequence[Statement], at: int) -> list[int]:
    return [
        near
        for near in (at - 1, at + 1)
        if 0 <= near < len(section) and len(section[near].text) <= ASIDE
    ]


def _with_remarks(section: Sequence[Statement], at: int) -> str:
    places = sorted([at, *_remarks(section, at)])
    return "\n".join(section[place].text for place in places)
