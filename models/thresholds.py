"""Thresholds, each set by the share that it flags of the edits that stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models import figures
from models.dataset import Rows
from models.situations import ASKED_BUDGET, BUDGET, SITUATIONS, AskedAbout, changes_facts, situations
from streams.stages.recent_history import ASK_SHARE

LEAST = 1e-6
"""A threshold of 0 would flag everything."""


def one_threshold(sources: Sequence[Rows], probabilities: Sequence[NDArray[np.float64]]) -> float:
    """Flags 1 % of the edits nobody reverted, each article counting the same."""
    stood = [scores[~source.label] for source, scores in zip(sources, probabilities, strict=True)]
    weights = [np.full(len(one), 1.0 / len(one)) for one in stood]
    return weighted_threshold(np.concatenate(stood), np.concatenate(weights), figures.R1P_SHARE)


def weighted_threshold(scores: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    order = np.argsort(-scores, kind="stable")
    above = np.cumsum(weights[order]) / weights.sum()
    return max(float(scores[order][np.searchsorted(above, share)]), LEAST)


def thresholds_of(
    sources: Sequence[Rows],
    full: Sequence[NDArray[np.float64]],
    cold: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    bare: Sequence[NDArray[np.float64]],
) -> dict[str, float]:
    """In each situation, out of fold, the threshold that flags its budget of the edits that stood."""
    scores, weights, cells = [], [], []
    for source, whole, (hidden, met_first), metadata in zip(sources, full, cold, bare, strict=True):
        stood = ~source.label
        for matrix, probability in (
            (source.matrix, whole),
            (hidden, met_first),
            (np.full_like(source.matrix, np.nan), metadata),
        ):
            scores.append(probability[stood])
            weights.append(np.full(stood.sum(), 1.0 / stood.sum()))
            cells.append(situations(matrix[stood]))
    score, weight, cell = np.concatenate(scores), np.concatenate(weights), np.concatenate(cells)
    return {
        str(situation): round(
            weighted_threshold(score[cell == at], weight[cell == at], BUDGET[situation]), 6
        )
        for at, situation in enumerate(SITUATIONS)
    }


def asked_thresholds_of(
    sources: Sequence[Rows],
    cold: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    recent: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]],
    thresholds: Mapping[str, float],
) -> dict[str, float]:
    """For edits whose page is asked about after a first score, out of fold, by `AskedAbout`: the threshold
    that flags its budget, of all edits of pages met first. Those that are not asked about, as their first
    score is too far below `thresholds`, can't alert. `recent`: of some rows, the probability with the
    page's recent history known, and which rows' they are."""
    scores, weights, facts = [], [], []
    limits = np.array([thresholds[situation] for situation in SITUATIONS])
    for source, (hidden, met_first), (again, of) in zip(sources, cold, recent, strict=True):
        stood = ~source.label[of]
        of, again = of[stood], again[stood]
        asked = met_first[of] >= ASK_SHARE * limits[situations(hidden[of])]
        scores.append(np.where(asked, again, 0.0))
        weights.append(np.full(len(of), 1.0 / max(len(of), 1)))
        facts.append(changes_facts(hidden[of]))
    score, weight, fact = np.concatenate(scores), np.concatenate(weights), np.concatenate(facts)
    found = {}
    for asked_about, budget in ASKED_BUDGET.items():
        inside = fact if asked_about is AskedAbout.FACT else ~fact
        if inside.any():
            limit = weighted_threshold(score[inside], weight[inside], budget)
            found[str(asked_about)] = round(limit, 6)
    return found
