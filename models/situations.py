"""From which revert risk on an edit is suspect: a question of what is known of its page, and of what
it changes.

On a page that is vandalised daily an edit that stands often has a high risk; on a quiet one the same
risk is rare. One threshold for both would say nothing on quiet pages, where nobody looks. And an edit
that changes a stated value, or takes sentences out, is what Factwatch is for: there it may be wrong
more often.
"""

from __future__ import annotations

from enum import StrEnum
from math import log1p

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES
from models.word_features import WORD_HISTORY_NAMES

TAKEN_OUT_CHARACTERS = 100
"""About a sentence."""
BUSY_SHARE = 0.2
"""Of a page's last 15 edits reverted, from which it counts as vandalised daily."""


class Situation(StrEnum):
    """What is known, and what is changed. The values are keys of the manifest."""

    METADATA = "metadata"
    """No texts."""
    COLD_FACT = "cold, fact"
    """A page whose history was not followed; a value changed in place, or sentences taken out."""
    COLD_OTHER = "cold, other"
    QUIET_FACT = "quiet, fact"
    """Few of the page's last 15 edits were reverted."""
    QUIET_OTHER = "quiet, other"
    BUSY_FACT = "busy, fact"
    """At least `BUSY_SHARE` of them were."""
    BUSY_OTHER = "busy, other"


class AskedAbout(StrEnum):
    """A page met for the first time whose recent history was asked for then, as the edit looked suspicious
    enough; by what the edit changes. Keys of the manifest too, if it has them."""

    FACT = "asked, fact"
    OTHER = "asked, other"


SITUATIONS = tuple(Situation)
#: Share of edits that stood which may alert. Of a wiki's edits about a tenth change a value in place.
BUDGET = {
    Situation.METADATA: 0.01,
    Situation.COLD_FACT: 0.15,
    Situation.COLD_OTHER: 0.02,
    Situation.QUIET_FACT: 0.15,
    Situation.QUIET_OTHER: 0.02,
    Situation.BUSY_FACT: 0.02,
    Situation.BUSY_OTHER: 0.01,
}
#: Of all edits of pages met so, those that are not asked about included. A third less than without asking finds
#: nearly as much: on articles left out .44 of the reverted edits, else .48; the whole budget would find .49.
ASKED_BUDGET = {AskedAbout.FACT: 0.10, AskedAbout.OTHER: 0.015}

_AT = {name: at for at, name in enumerate(FEATURE_NAMES)}
_HISTORY = np.array([_AT[name] for name in WORD_HISTORY_NAMES])


def situations(matrix: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index into `SITUATIONS` for each row. Shape (n, features) -> (n,)."""
    bare = np.isnan(matrix[:, _AT["added_words"]])
    if bare.all():
        return np.zeros(len(matrix), dtype=np.intp)
    reverted = matrix[:, _AT["page_reverted_share"]]
    cold = np.isnan(reverted) | np.isnan(matrix[:, _HISTORY]).all(axis=1)
    swapped = (matrix[:, _AT["number_swaps"]] > 0) | (matrix[:, _AT["name_swaps"]] > 0)
    taken_out = (matrix[:, _AT["delete_only"]] > 0) & (
        matrix[:, _AT["removed_characters"]] > log1p(TAKEN_OUT_CHARACTERS)
    )
    page = np.where(cold, 1, np.where(reverted >= BUSY_SHARE, 5, 3))
    return np.where(bare, 0, page + np.where(swapped | taken_out, 0, 1)).astype(np.intp)


def changes_facts(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether an edit of which the text is known changes a value in place or takes sentences out.
    Shape (n, features) -> (n,)."""
    return np.isin(situations(matrix), _FACT)


_FACT = [at for at, situation in enumerate(SITUATIONS) if situation.endswith(", fact")]
