"""What following a wiki's own settled edits does to ROC-AUC and calibration, beside the model as it is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models import figures
from models.classifier import log_odds_of, probability_of
from models.own_calibration import followed

EVERYBODY, ANONYMOUS = "everybody", "anonymous"


class OwnFigures(msgspec.Struct, frozen=True):
    """Against what was reverted within 48 hours. None where there are not both kinds of edits."""

    edits: int
    reverted: int
    roc_auc: float | None
    calibration_error: float | None
    own_roc_auc: float | None
    """With each edit shifted by what had settled on the wiki before its day; of all edits together."""
    own_calibration_error: float | None


def own_figures(
    score: NDArray[np.float64],
    anonymous: NDArray[np.bool_],
    reverted: NDArray[np.bool_],
    event_time: NDArray[np.float64],
    wikis: Sequence[str],
) -> dict[str, OwnFigures]:
    """Of everybody and of anonymous editors alone. `score` are probabilities; each of `wikis` follows its
    own edits, in the order of their times."""
    own, of = score.copy(), np.array(wikis)
    for wiki in sorted(set(wikis)):
        at = of == wiki
        shifted = followed(log_odds_of(score[at]), anonymous[at], reverted[at], event_time[at])
        own[at] = probability_of(shifted)
    return {
        name: OwnFigures(
            int(chosen.sum()),
            int(reverted[chosen].sum()),
            *_pair(reverted[chosen], score[chosen]),
            *_pair(reverted[chosen], own[chosen]),
        )
        for name, chosen in ((EVERYBODY, np.ones(len(score), dtype=bool)), (ANONYMOUS, anonymous))
    }


def _pair(reverted: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[float | None, float | None]:
    if not len(score):
        return None, None
    roc_auc = figures.roc_auc(reverted, score)
    error = figures.calibration_error(reverted, score)
    return round(roc_auc, 4) if roc_auc == roc_auc else None, round(error, 4)
