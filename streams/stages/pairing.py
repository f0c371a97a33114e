"""Which sentence became which: pairs by likeness, the same in both directions of an edit."""

from __future__ import annotations

from collections import Counter

import numpy as np
from rapidfuzz import fuzz, process

from streams.stages.changed_sentences import Sentence

MAX_PAIRED = 40
"""Sentences on either side that are compared each with each: 1,600 pairs, about 2 ms."""
COMPARED = 1_000
"""Characters of a sentence that likeness looks at."""
ALIKE = 50.0
"""Likeness (0 to 100, `rapidfuzz.fuzz.ratio`) from which two sentences are one, before and after."""
ALIKE_ALONE = 34.0
"""The same where a changed run holds but one sentence on either side."""


def pair_sentences(before: list[Sentence], after: list[Sentence]) -> list[tuple[Sentence, Sentence]]:
    """Each sentence at most once: the same label first, then the same changed run, then the most alike.
    Ties are broken by the texts themselves, so that swapped sides give swapped pairs."""
    before, after = before[:MAX_PAIRED], after[:MAX_PAIRED]
    if not before or not after:
        return []
    likeness = process.cdist(
        [one.folded[:COMPARED] for one in before],
        [one.folded[:COMPARED] for one in after],
        scorer=fuzz.ratio,
        score_cutoff=ALIKE_ALONE,
        dtype=np.float32,
    ).tolist()
    alone = _runs_of_one(before, after)
    candidates = []
    for i, one in enumerate(before):
        row = likeness[i]
        for j, other in enumerate(after):
            score = row[j]
            same_label = bool(one.label) and one.label == other.label
            if one.heading != other.heading or not (same_label or score):
                continue
            same_run = one.hunk == other.hunk
            if not same_label and score < ALIKE and not (same_run and one.hunk in alone):
                continue
            texts = sorted((one.folded, other.folded))
            candidates.append(((not same_label, not same_run, -score, abs(i - j), texts), i, j))
    candidates.sort()
    pairs = []
    used_before: set[int] = set()
    used_after: set[int] = set()
    for _, i, j in candidates:
        if i not in used_before and j not in used_after:
            used_before.add(i)
            used_after.add(j)
            pairs.append((before[i], after[j]))
    return pairs


def _runs_of_one(before: list[Sentence], after: list[Sentence]) -> set[int]:
    ones, others = Counter(one.hunk for one in before), Counter(one.hunk for one in after)
    return {hunk for hunk, n in ones.items() if n == 1 and others[hunk] == 1}
