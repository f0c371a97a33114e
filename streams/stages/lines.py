"""Lines of two texts that mostly agree, at the cost of what differs; and where two sequences part."""

from __future__ import annotations

from collections.abc import Sequence

_latest: tuple[str, list[str]] = ("", [""])
"""Lines of the last text: in a history it is the next edit's parent."""


def lines_of_both(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines of both texts. Only what differs is split: the rest of the lines are the same objects, as
    the split of a large page costs more than the difference of a small edit."""
    global _latest
    known_text, known = _latest
    old = known if known_text is before else before.split("\n")
    start = before.rfind("\n", 0, _common_start(before, after)) + 1
    tail = _common_suffix(before, after, min(len(before), len(after)) - start)
    cut = before.find("\n", len(before) - tail) if tail else -1
    if cut < 0:
        cut = len(before)
    outside = len(old) - 1 - before.count("\n", start, cut)
    if start < len(before) - cut:  # the shorter part is counted
        head = before.count("\n", 0, start)
        foot = outside - head
    else:
        foot = before.count("\n", cut)
        head = outside - foot
    middle = after[start : len(after) - (len(before) - cut)].split("\n")
    new = old[:head] + middle + old[len(old) - foot :]
    _latest = (after, new)
    return old, new


def _common_start(a: str, b: str) -> int:
    """`common_prefix` of texts: one slice a step instead of two."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if b.startswith(a[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(a: str, b: str, high: int) -> int:
    """Length of the longest common suffix, at most `high`."""
    low, a_len, b_len = 0, len(a), len(b)
    while low < high:
        middle = (low + high + 1) // 2
        if b.startswith(a[a_len - middle : a_len - low], b_len - middle):
            low = middle
        else:
            high = middle - 1
    return low


def common_prefix(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common prefix, by halving: slices compare in C."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
