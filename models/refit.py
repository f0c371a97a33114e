"""Learning the trees anew from edits as they were seen live. The part on words stays the champion's: it is
in the rows already, and of the words themselves nothing was kept. So do the trees for a difference alone: live more is
known of every edit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration
from models.classifier import Classifier, probability_of
from models.dataset import Progress, Rows
from models.fit import CONTENT_AT, fit_bare, fit_trees, usual_values
from models.fit_calibration import calibrate_rows
from models.fit_words import SEED, Texts
from models.hidden_parts import columns_of
from models.recipe import Recipe
from models.seen import SeenRows
from models.situations import SITUATIONS, AskedAbout, Situation, changes_facts, situations
from models.term_table import TermTable
from models.text import NO_TERMS, TEXT_NAMES, TextModel
from models.threshold_question import may_alert
from models.thresholds import LEAST, weighted_threshold
from models.train import pack_trees
from models.trees import Trees

FOLDS = 3
"""Of pages, for scores that calibration and thresholds are taken from."""
MIN_WITH_CONTENT, MIN_DAMAGING_WITH_CONTENT = 1_000, 50
"""Edits with texts below which the trees for those stay the champion's too."""
MIN_STOOD = 200
"""Edits of one situation below which its threshold follows from those of all."""
DRAWN = 20_000
"""Edits drawn by weight, for what is told of all."""

Floats = NDArray[np.float64]


class Refitted(NamedTuple):
    arrays: dict[str, NDArray[Any]]
    """Of the whole model, the champion's part on words included."""
    thresholds: dict[str, float]
    threshold: float
    drawn: NDArray[np.intp]
    """Rows that stand for all, each as much as another."""
    out_of_fold: Floats
    """revert_risk of each row by trees that did not see its page."""
    with_content: bool
    """Trees for edits with texts were learnt anew; False: they are the champion's."""


class _Part(NamedTuple):
    trees: Trees
    calibration: Calibration


def refit(
    champion: Classifier, arrays: dict[str, NDArray[Any]], seen: SeenRows, progress: Progress
) -> Refitted:
    """`arrays` are the champion's. The same rows give the same model."""
    weight = seen.weight / seen.weight.mean()
    fold = seen.page % FOLDS
    known = ~np.isnan(seen.matrix[:, CONTENT_AT])
    with_content = (
        int(known.sum()) >= MIN_WITH_CONTENT
        and int((known & seen.damaging).sum()) >= MIN_DAMAGING_WITH_CONTENT
    )
    raw_full, raw_bare = np.full(seen.edits, np.nan), np.full(seen.edits, np.nan)
    for at in range(FOLDS):
        progress("by folds of pages", at / (FOLDS + 1))
        learnt, judged = fold != at, fold == at
        if not judged.any() or not seen.damaging[learnt].any() or seen.damaging[learnt].all():
            continue
        raw_bare[judged] = _bare(seen, weight, learnt).log_odds(seen.matrix[judged])
        if with_content:
            trees = _full(seen, weight, learnt, champion.text)
            raw_full[judged] = trees.log_odds(seen.matrix[judged])
    progress("from all", FOLDS / (FOLDS + 1))
    everything = np.ones(seen.edits, dtype=bool)
    bare = _Part(
        _bare(seen, weight, everything), _calibration(raw_bare, seen, weight, ~np.isnan(raw_bare))
    )
    out_of_fold = np.where(
        known, champion.log_odds(seen.matrix), bare.calibration.of(raw_bare, seen.matrix)
    )
    made = {**arrays, **pack_trees("bare", bare.trees)}
    full, _, difference = arrays["calibration"]
    calibrations = [full, np.array(bare.calibration), difference]
    if with_content:
        calibration = _calibration(raw_full, seen, weight, known & ~np.isnan(raw_full))
        made |= pack_trees("trees", _full(seen, weight, everything, champion.text))
        calibrations[0] = np.array(calibration)
        out_of_fold = np.where(known, calibration.of(raw_full, seen.matrix), out_of_fold)
    made["calibration"] = np.array(calibrations)
    risk = probability_of(np.where(np.isnan(out_of_fold), champion.log_odds(seen.matrix), out_of_fold))
    drawn = np.random.default_rng(SEED).choice(seen.edits, DRAWN, p=seen.weight / seen.weight.sum())
    made["reference"] = usual_values(seen.matrix[drawn[~seen.damaging[drawn]]])
    thresholds, threshold = _thresholds(champion, seen, risk)
    return Refitted(made, thresholds, threshold, drawn, risk, with_content)


def _bare(seen: SeenRows, weight: Floats, learnt: NDArray[np.bool_]) -> Trees:
    matrix = seen.matrix[learnt]
    history = np.ones(len(matrix), dtype=bool)
    return fit_bare(matrix, seen.damaging[learnt], weight[learnt], history, Recipe())


def _full(seen: SeenRows, weight: Floats, learnt: NDArray[np.bool_], text: TextModel) -> Trees:
    known = ~np.isnan(seen.matrix[:, CONTENT_AT])
    chosen = learnt & known
    matrix = seen.matrix[chosen]
    count = len(matrix)
    rows = Rows(
        "seen",
        matrix,
        TermTable([NO_TERMS] * count),
        seen.damaging[chosen],
        np.ones(count, dtype=bool),
        weight[chosen],
        np.full(count, -1),
        [0] * count,
        True,
    )
    scores = matrix[:, columns_of(TEXT_NAMES)]
    return fit_trees([rows], Texts(text, [scores], [None], [None], [None]), Recipe())


def _calibration(raw: Floats, seen: SeenRows, weight: Floats, judged: NDArray[np.bool_]) -> Calibration:
    return calibrate_rows(
        raw[judged],
        seen.matrix[judged],
        seen.damaging[judged],
        weight[judged] / weight[judged].sum(),
    )


def _thresholds(champion: Classifier, seen: SeenRows, risk: Floats) -> tuple[dict[str, float], float]:
    """In each situation that which alerts on as many of the edits that stood as the champion's: what an
    operator is used to. Those of pages asked about, where it has them: the same of all edits that change
    values, and of the others. And the one that flags 1 % of all."""
    stood = ~seen.damaging & may_alert(seen.matrix)
    matrix, weight, new = seen.matrix[stood], seen.weight[stood], risk[stood]
    given, known = champion.score(matrix), champion.manifest.thresholds
    cell, facts = situations(matrix), changes_facts(matrix)
    cells: dict[str, NDArray[np.bool_]] = {one: cell == at for at, one in enumerate(SITUATIONS)}
    if all(one in known for one in AskedAbout):
        bare = cells[Situation.METADATA]
        cells |= {AskedAbout.FACT: facts, AskedAbout.OTHER: ~facts & ~bare}
    found = {}
    for situation, inside in cells.items():
        limit = known.get(situation, 1.0)
        if np.count_nonzero(inside) < MIN_STOOD:
            inside = np.ones(len(matrix), dtype=bool)
        share = float(weight[inside & (given >= limit)].sum() / weight[inside].sum())
        found[str(situation)] = _of_share(new[inside], weight[inside], share)
    return found, _of_share(new, weight, 0.01)


def _of_share(scores: Floats, weights: Floats, share: float) -> float:
    """Six digits; where nothing was flagged, above all that was seen."""
    if share <= 0:
        return min(round(float(scores.max()) + LEAST, 6), 1.0)
    return max(round(weighted_threshold(scores, weights, share), 6), LEAST)
