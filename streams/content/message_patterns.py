"""A wiki's own message -> the pattern of the summaries made from it. Pure.

`Undo revision $1 by [[Special:Contributions/$2|$2]]` becomes a pattern that yields the revision and
the performer. Summaries are hostile text: every repetition is bounded, and what stands for a name
can't contain what follows it, so that matching takes time in proportion to the summary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import msgspec

MAX_TEMPLATE = 1_000
MIN_LETTERS = 4
"""A message with fewer letters of its own ("-" turns one off) would match what is no revert.
An ideograph counts twice."""
MAX_OPEN = 3
"""Stretches of anything in one pattern: each further one takes the worst summary 80 times as long, and
whoever may edit a wiki's messages could write a dozen."""
_IDEOGRAPHS = "\u2e80"

UNDO_MESSAGES = (
    "undo-summary",
    "undo-summary-anon",
    "undo-summary-import",
    "undo-summary-username-hidden",
)
ROLLBACK_MESSAGES = ("revertpage", "revertpage-anon", "revertpage-nouser")
MESSAGES = UNDO_MESSAGES + ROLLBACK_MESSAGES


class RevertKind(StrEnum):
    UNDO = "undo"
    """One revision is taken back."""
    ROLLBACK = "rollback"
    """All of a performer's last edits are, or everything since an earlier revision."""


class RevertForm(msgspec.Struct, frozen=True):
    """One way to word a revert. The pattern's groups are named as `RevertSummary`'s fields."""

    kind: RevertKind
    start: str
    """What it begins with, in lower case, so that most summaries are passed over quickly."""
    pattern: re.Pattern[str]


_NAME = r"[^\[\]{}|<\n]{1,255}?"
_LAST_NAME = r"(?:(?!: )[^\[\]{}|<\n]){1,255}"
_ANYTHING = r"[^\[\]{}|\n]{0,80}?"
_PIECE = re.compile(r"\$([1-9])|\{\{|\s+")
_NAMES = {
    # MediaWiki's UndoEditPage / EditPage and RollbackPage give these parameters
    "undo-summary": {1: "rev_id", 2: "performer"},
    "undo-summary-anon": {1: "rev_id", 2: "performer"},
    "undo-summary-import": {1: "rev_id", 3: "performer"},
    "undo-summary-username-hidden": {1: "rev_id"},
    "revertpage": {1: "restored_performer", 2: "performer", 3: "restored_rev_id", 5: "rev_id"},
    "revertpage-anon": {1: "restored_performer", 2: "performer", 3: "restored_rev_id", 5: "rev_id"},
    "revertpage-nouser": {1: "restored_performer", 3: "restored_rev_id", 5: "rev_id"},
}
_NUMBERS = frozenset({"rev_id", "restored_rev_id"})


def form_of_message(name: str, template: str) -> RevertForm | None:
    """The pattern of one message; None for one that is switched off or says too little to be told
    from other summaries."""
    template = template.strip()
    if not template or len(template) > MAX_TEMPLATE or name not in _NAMES:
        return None
    own_text = re.sub(r"\$[1-9]|\{\{[^{}]{0,200}\}\}|\[\[[^\[\]]{0,300}\]\]", "", template)
    if sum((2 if char >= _IDEOGRAPHS else 1) for char in own_text if char.isalpha()) < MIN_LETTERS:
        return None
    source = _Template(_NAMES[name], template).pattern()
    if source.count(_ANYTHING) > MAX_OPEN:
        return None
    kind = RevertKind.UNDO if name in UNDO_MESSAGES else RevertKind.ROLLBACK
    start = re.split(r"[\s$\[{]", template, maxsplit=1)[0].casefold()
    return RevertForm(kind, start, re.compile(source, re.IGNORECASE))


class _Template:
    """Turns one message into a pattern: `$1` into a group (a back reference the second time), the
    branches of GENDER and PLURAL into alternatives, other braces into a short stretch of anything."""

    def __init__(self, names: Mapping[int, str], text: str) -> None:
        self._names = names
        self._text = text
        self._seen: set[str] = set()

    def pattern(self) -> str:
        return self._convert(self._text, in_branch=False)

    def _convert(self, text: str, in_branch: bool) -> str:
        made: list[str] = []
        at = 0
        while (piece := _PIECE.search(text, at)) is not None:
            made.append(re.escape(text[at : piece.start()]))
            at = piece.end()
            if piece[1] is not None:
                made.append(self._parameter(int(piece[1]), in_branch, last=not text[at:].strip(" .")))
            elif piece[0] == "{{":
                end = _closing(text, at)
                made.append(self._braces(text[at:end]))
                at = min(len(text), end + 2)
            else:
                made.append(r"[ _\u00a0]{1,3}")
        made.append(re.escape(text[at:]))
        return "".join(made)

    def _parameter(self, number: int, in_branch: bool, last: bool) -> str:
        name = self._names.get(number)
        if name is None:
            return _ANYTHING if not last else r"[^\n]{0,255}"
        value = r"[0-9]{1,19}" if name in _NUMBERS else _LAST_NAME if last else _NAME
        if name in self._seen:
            return f"(?P={name})"
        if in_branch:  # a group may stand in one branch only
            return f"(?:{value})"
        self._seen.add(name)
        return f"(?P<{name}>{value})"

    def _braces(self, inside: str) -> str:
        function, colon, rest = inside.partition(":")
        if not colon or function.strip().casefold() not in ("gender", "plural"):
            return _ANYTHING
        branches = _branches(rest)[1:]  # the first is the user or number that it turns on
        if not branches:
            return _ANYTHING
        if len(branches) == 1:
            return self._convert(branches[0], in_branch=False)
        texts = dict.fromkeys(re.sub(r"^[0-9]{1,3}=", "", branch) for branch in branches)
        return "(?:" + "|".join(self._convert(text, in_branch=True) for text in texts) + ")"


def _closing(text: str, at: int) -> int:
    """Where the braces opened before `at` close; the end of the text where they don't."""
    depth = 1
    for mark in re.finditer(r"\{\{|\}\}", text[at:]):
        depth += 1 if mark[0] == "{{" else -1
        if depth == 0:
            return at + mark.start()
    return len(text)


def _branches(text: str) -> list[str]:
    """Split at the bars that stand outside links and inner braces."""
    branches, depth, start = [], 0, 0
    for mark in re.finditer(r"\[\[|\{\{|\]\]|\}\}|\|", text):
        if mark[0] in ("[[", "{{"):
            depth += 1
        elif mark[0] in ("]]", "}}"):
            depth -= 1
        elif depth == 0:
            branches.append(text[start : mark.start()])
            start = mark.end()
    branches.append(text[start:])
    return branches
