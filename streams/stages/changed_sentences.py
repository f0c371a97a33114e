"""The sentences that an edit touched, before and after: plain, with the heading each stands under.

Work is capped: characters, marks, changed runs and sentences. What lies beyond the caps is not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from streams.stages.diff import TextDelta
from streams.stages.lines import common_prefix
from streams.stages.sentences import ends_sentence, split_sentences
from streams.stages.wikitext import LineKind, Marks, plain_lines, plain_text

MAX_CHARS = 40_000
"""Wikitext read on either side: about 10 ms. A huge rewrite is told by its first part."""
LINE_COST = 8
"""Characters that a line counts for beside its own: empty ones take time too."""
MAX_HUNKS = 200
MAX_SENTENCES = 300
MAX_COMPARED = 4_000
"""Characters of a sentence that take part in any comparison."""
LONG_LINE = 2_000
"""A paragraph from which the sentences before the change are left out unread."""
MAX_SECTION = 200

_ZERO_WIDTH = (
    0xAD,
    0xFEFF,
    0x2060,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_TYPOGRAPHY = {
    **dict.fromkeys(_ZERO_WIDTH),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(map(ord, "‘’‚´`"), "'"),
    **dict.fromkeys(map(ord, "“”„«»"), '"'),
}


class Sentence(msgspec.Struct, frozen=True, gc=False):
    text: str
    """As shown: control and direction marks are kept."""
    folded: str
    """For comparison: no zero-width characters, one kind of dash and of quote."""
    section: str
    label: str
    """Of a template parameter or table row: its name, case folded. Else ""."""
    stated: str
    """The text without its label: what values are read from."""
    heading: bool
    hunk: int
    order: int


def changed_sentences(delta: TextDelta) -> tuple[list[Sentence], list[Sentence]]:
    """Sentences that only one side has. Those on both sides fall out, wherever they stand: a moved
    sentence, other markup around it or other spacing are no change."""
    before, after = _Side(delta.before_lines), _Side(delta.after_lines)
    for number, hunk in enumerate(delta.hunks[:MAX_HUNKS]):
        old, new = hunk.before, hunk.after
        if len(old) == len(new) == 1 and max(len(old[0]), len(new[0])) > LONG_LINE:
            old, new = _near_change(old[0], new[0])
        before.add(old, hunk.before_start, number)
        after.add(new, hunk.after_start, number)
    return _without_equal(before.found, after.found)


def _near_change(before: str, after: str) -> tuple[tuple[str], tuple[str]]:
    """Two versions of a long paragraph without the sentences at its start that both have."""
    end = common_prefix(before, after)
    for _ in range(6):
        end = max(before.rfind(". ", 0, end), before.rfind("。", 0, end))
        if end <= 0:
            break
        head = before[: end + 1]
        if (
            (before[end] == "。" or all(ends_sentence(text, end, end + 1) for text in (before, after)))
            and head.count("{{") == head.count("}}")
            and head.count("[[") == head.count("]]")
            and head.count("<!--") == head.count("-->")
            and head.count("<ref") == head.count("</ref") + head.count("/>")
        ):
            return (before[end + 1 :],), (after[end + 1 :],)
    return (before,), (after,)


class _Side:
    """Gathers the sentences of one revision's changed lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.found: list[Sentence] = []
        self._lines = lines
        self._looked = 0
        """Lines above which the last heading is known: `add` goes down the text."""
        self._heading = -1
        self._budget = MAX_CHARS
        self._marks = Marks()

    def add(self, changed: Sequence[str], start: int, hunk: int) -> None:
        taken = []
        for line in changed:
            if self._budget <= 0:
                break
            taken.append(line[: self._budget])
            self._budget -= len(line) + LINE_COST
        if not taken:
            return
        section = self._section_above(start)
        for plain in plain_lines(taken, self._marks):
            heading = plain.kind is LineKind.HEADING
            if heading:
                section = plain.text[:MAX_SECTION]
            prose = plain.kind is LineKind.PROSE
            for text in split_sentences(plain.text) if prose else (plain.text,):
                if len(self.found) >= MAX_SENTENCES:
                    return
                folded = _folded(text[:MAX_COMPARED])
                if folded:
                    self.found.append(
                        Sentence(
                            text=text,
                            folded=folded,
                            section=section,
                            label=plain.label,
                            stated=plain.value or text,
                            heading=heading,
                            hunk=hunk,
                            order=len(self.found),
                        )
                    )

    def _section_above(self, line: int) -> str:
        for number in range(line - 1, self._looked - 1, -1):
            text = self._lines[number]
            if text[:1] == "=" and text.rstrip()[-1:] == "=":
                self._heading = number
                break
        self._looked = max(self._looked, line)
        return plain_text(self._lines[self._heading][:400])[:MAX_SECTION] if self._heading >= 0 else ""


def _folded(text: str) -> str:
    plain = text.replace("`", "'") if text.isascii() else text.translate(_TYPOGRAPHY)
    return " ".join(plain.split())


def _without_equal(
    before: list[Sentence], after: list[Sentence]
) -> tuple[list[Sentence], list[Sentence]]:
    shared = Counter(one.folded for one in before) & Counter(one.folded for one in after)
    return _minus(before, shared), _minus(after, shared)


def _minus(side: list[Sentence], shared: Counter[str]) -> list[Sentence]:
    if not shared:
        return side
    left = Counter(shared)
    rest = []
    for one in side:
        if left[one.folded] > 0:
            left[one.folded] -= 1
        else:
            rest.append(one)
    return rest
