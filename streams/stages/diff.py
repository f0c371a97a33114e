"""What an edit changed in the text: changed runs of lines, the changed places in them, and words.

Work is capped, never seconds: past the caps the delta says `truncated` and the places are whole runs
of lines; words gained and lost are then multiset differences, which cost one pass over the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from rapidfuzz.distance import LCSseq

from streams.records import Edit
from streams.stages.lines import common_prefix, lines_of_both
from streams.stages.tokens import count_words, joins_word, pieces, words

MAX_CHARS = 400_000
"""Changed text read on either side. A page has at most 2 MiB; only bots write runs longer than this."""
MAX_LINE_CELLS = 4_000_000
"""Lines before times lines after that are aligned: about 2 ms."""
MAX_TOKEN_CELLS = 1_000_000
"""Tokens before times tokens after that are aligned in one run: about 0.3 ms."""
MAX_SPANS = 200
MAX_WORDS = 300
"""Words kept in order; `gained` and `lost` are complete all the same."""
LARGE = 4_096
"""Characters from which words are counted through the cache: a blanking and its revert count once."""
LEFT_CONTEXT = 160


class Hunk(msgspec.Struct, frozen=True, gc=False):
    """A changed run of lines. Either side may be empty. Starts are line indexes from 0."""

    before_start: int
    before: tuple[str, ...]
    after_start: int
    after: tuple[str, ...]


class Span(msgspec.Struct, frozen=True, gc=False):
    """A changed place inside a hunk, cut at word borders. Either side may be empty."""

    before: str
    after: str
    left: str
    """Up to 160 characters that stand before it."""


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """Difference of two revisions by line, by place and by word."""

    before_lines: list[str]
    after_lines: list[str]
    hunks: tuple[Hunk, ...]
    truncated: bool = False
    spans: tuple[Span, ...] = ()
    added_words: tuple[str, ...] = ()
    """As written, in order, at most `MAX_WORDS`; a moved word is among added and removed."""
    removed_words: tuple[str, ...] = ()
    gained: dict[str, int] = {}
    """Lower-cased words of which the page has more after the edit, and how many more."""
    lost: dict[str, int] = {}
    words_complete: bool = True
    """False past `MAX_CHARS`: `gained` and `lost` are then of a part."""
    before_chars: int = 0
    """Of the whole text, without line ends."""
    after_chars: int = 0


def delta_of(edit: Edit) -> TextDelta | None:
    """Difference an edit made; None where either text is not known."""
    content = edit.content
    if content is None or content.revision.text is None:
        return None
    parent = content.parent
    if parent is None:
        return text_delta(None, content.revision.text) if edit.parent_id is None else None
    return None if parent.text is None else text_delta(parent.text, content.revision.text)


def text_delta(before: str | None, after: str | None) -> TextDelta:
    """Difference of two texts; None is a page that does not exist (not a text that is hidden)."""
    before_lines, after_lines = lines_of_both(before or "", after or "")
    before_chars = len(before or "") - len(before_lines) + 1
    after_chars = len(after or "") - len(after_lines) + 1
    if before == after:
        return TextDelta(
            before_lines, after_lines, (), before_chars=before_chars, after_chars=after_chars
        )
    hunks, truncated = _hunks(before_lines, after_lines)
    fold = _Fold()
    for hunk in hunks:
        fold.add("\n".join(hunk.before), "\n".join(hunk.after))
    gained, lost = fold.net()
    return TextDelta(
        before_lines,
        after_lines,
        hunks,
        truncated or fold.truncated,
        tuple(fold.spans),
        tuple(fold.added[:MAX_WORDS]),
        tuple(fold.removed[:MAX_WORDS]),
        gained,
        lost,
        fold.complete,
        before_chars,
        after_chars,
    )


def _hunks(before: list[str], after: list[str]) -> tuple[tuple[Hunk, ...], bool]:
    start = common_prefix(before, after)
    tail = common_prefix(before[start:][::-1], after[start:][::-1])
    before_end, after_end = len(before) - tail, len(after) - tail
    old, new = before[start:before_end], after[start:after_end]
    if not old or not new or len(old) == len(new) == 1:
        return (Hunk(start, tuple(old), start, tuple(new)),), False
    if len(old) * len(new) > MAX_LINE_CELLS:
        return (Hunk(start, tuple(old), start, tuple(new)),), True
    return tuple(
        Hunk(start + i1, tuple(old[i1:i2]), start + j1, tuple(new[j1:j2]))
        for i1, i2, j1, j2 in _changed_runs(old, new)
    ), False


def _changed_runs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Maximal runs outside the longest common subsequence."""
    runs = []
    i = j = 0
    for op in LCSseq.opcodes(old, new):
        if op.tag != "equal":
            continue
        if op.src_start > i or op.dest_start > j:
            runs.append((i, op.src_start, j, op.dest_start))
        i, j = op.src_end, op.dest_end
    if i < len(old) or j < len(new):
        runs.append((i, len(old), j, len(new)))
    return runs


class _Fold:
    """Takes changed runs of text one by one and gathers places and words."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.added: list[str] = []
        self.removed: list[str] = []
        self.truncated = False
        self.complete = True
        self._gained: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._counted_added: list[str] = []
        self._counted_removed: list[str] = []
        self._budget = MAX_CHARS

    def add(self, before: str, after: str) -> None:
        budget = self._budget
        self._budget -= max(len(before), len(after))
        if self._budget < 0:
            self.truncated, self.complete = True, False
            before, after = before[: max(budget, 0)], after[: max(budget, 0)]
        start, before_end, after_end = _trim(before, after)
        old, new = before[start:before_end], after[start:after_end]
        left = before[max(0, start - LEFT_CONTEXT) : start]
        if _lopsided(len(old), len(new)):
            self._whole(old, new, left)
            if max(len(old), len(new)) < LARGE:
                self._words(old, new)
            else:  # untrimmed: a blanking and its revert are then one text in the cache
                self._count(before, after)
            return
        old_pieces, new_pieces = pieces(old), pieces(new)
        if len(old_pieces) * len(new_pieces) > MAX_TOKEN_CELLS:
            self.truncated = True
            self._whole(old, new, left)
            self._count(old, new)
            return
        old_keys = [piece.rstrip() for piece in old_pieces]
        new_keys = [piece.rstrip() for piece in new_pieces]
        for i1, i2, j1, j2 in _changed_runs(old_keys, new_keys):
            if len(self.spans) < MAX_SPANS:
                context = left if i1 == 0 else (left + "".join(old_pieces[max(0, i1 - 40) : i1]))
                self.spans.append(
                    Span("".join(old_pieces[i1:i2]), "".join(new_pieces[j1:j2]), context[-LEFT_CONTEXT:])
                )
            else:
                self.truncated = True
            self._words("".join(old_pieces[i1:i2]), "".join(new_pieces[j1:j2]))

    def net(self) -> tuple[dict[str, int], dict[str, int]]:
        gained, lost = self._gained, self._lost
        gained.update(" ".join(self._counted_added).lower().split())
        lost.update(" ".join(self._counted_removed).lower().split())
        for word in gained.keys() & lost.keys():
            change = gained[word] - lost[word]
            if change >= 0:
                del lost[word]
            if change <= 0:
                del gained[word]
            if change > 0:
                gained[word] = change
            elif change < 0:
                lost[word] = -change
        return dict(gained), dict(lost)

    def _words(self, old: str, new: str) -> None:
        removed, added = words(old), words(new)
        self.removed += removed
        self.added += added
        self._counted_removed += removed
        self._counted_added += added

    def _count(self, old: str, new: str) -> None:
        old_count, new_count = count_words(old), count_words(new)
        self._gained.update(new_count)
        self._lost.update(old_count)
        self.added += _in_order(new, old_count)
        self.removed += _in_order(old, new_count)

    def _whole(self, old: str, new: str, left: str) -> None:
        if len(self.spans) < MAX_SPANS:
            self.spans.append(Span(old, new, left))
        else:
            self.truncated = True


def _lopsided(old: int, new: int) -> bool:
    """One side is next to nothing beside the other: aligning the two says no more than counting."""
    return not old or not new or (max(old, new) > LARGE and max(old, new) > 8 * min(old, new))


def _in_order(text: str, other: Counter[str]) -> list[str]:
    """The first words of a text that the other side has not."""
    found = words(text[: MAX_WORDS * 8])[:MAX_WORDS]
    return [word for word in found if word.lower() not in other] if other else found


def _trim(before: str, after: str) -> tuple[int, int, int]:
    """Start and both ends of what differs, moved out to word borders."""
    start = common_prefix(before, after)
    while start > 0 and joins_word(before[start - 1]) and _joins_at(before, after, start):
        start -= 1
    tail = common_prefix(before[start:][::-1], after[start:][::-1])
    before_end, after_end = len(before) - tail, len(after) - tail
    while (
        tail > 0
        and joins_word(before[before_end])
        and _joins_before(before, after, before_end, after_end, start)
    ):
        before_end += 1
        after_end += 1
        tail -= 1
    return start, before_end, after_end


def _joins_at(before: str, after: str, at: int) -> bool:
    return (at < len(before) and joins_word(before[at])) or (at < len(after) and joins_word(after[at]))


def _joins_before(before: str, after: str, before_end: int, after_end: int, start: int) -> bool:
    return joins_word(before[before_end - 1 : before_end] or " ") or joins_word(
        after[after_end - 1 : after_end] or " "
    )
