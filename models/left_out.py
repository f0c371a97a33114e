"""How well an article is told by a classifier that never saw it: figures of the report and the card."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from models import figures
from models.dataset import Rows
from models.evaluate import read_labels
from models.features import FEATURE_NAMES
from models.own_figures import OwnFigures, own_figures


class PeoplesFigures(msgspec.Struct, frozen=True):
    """Against people's labels, where a file `NAME.human.csv` lies beside the history."""

    edits: int
    damaging: int
    roc_auc: float
    roc_auc_interval: tuple[float, float]
    r1p: float
    """Recall where 1 % of the page's edits that nobody took back are flagged: neither reverted, at
    whatever time, nor undone by their own author."""
    r1p_interval: tuple[float, float]
    r1p_by_kind: dict[str, float]
    r1p_others_48h: float
    """The same where only reverts by others within 48 h count: vandals' own corrections then set the
    threshold."""


class Slice(msgspec.Struct, frozen=True):
    """Of a source's edits as if less were known. NaN is None."""

    edits: int
    roc_auc: float | None
    roc_auc_interval: tuple[float | None, float | None]
    roc_auc_anonymous: float | None
    roc_auc_anonymous_interval: tuple[float | None, float | None]
    recall_at_1_percent: float | None
    calibration_error: float | None


class LeftOut(msgspec.Struct, frozen=True):
    """Figures of one article, by a classifier that never saw it; label: reverted within 48 h."""

    name: str
    edits: int
    reverted: int
    roc_auc: float
    roc_auc_interval: tuple[float, float]
    pr_auc: float
    roc_auc_anonymous: float
    baseline_roc_auc: float
    """Of the anonymous flag alone."""
    recall_at_1_percent: float
    calibration_error: float
    bare_roc_auc: float
    """Of the same edits as if no content were known."""
    bare_roc_auc_anonymous: float
    slices: dict[str, Slice]
    """By how much was known: "recent history", "page met first", "difference alone", "no content"."""
    people: PeoplesFigures | None = None
    own_calibration: dict[str, OwnFigures] = {}
    """Of "everybody" and "anonymous": as it is, and following what had settled there before each day."""


class Told(NamedTuple):
    """Probabilities of a source's edits."""

    full: NDArray[np.float64]
    recent: NDArray[np.float64]
    """Of those edits of which it was seen what a page's recent history alone gives."""
    recent_of: NDArray[np.int64]
    bare: NDArray[np.float64]
    """As if no content were known."""
    cold: NDArray[np.float64]
    alone: NDArray[np.float64]
    """Of those edits that have their difference alone."""
    alone_of: NDArray[np.int64]


def figures_of(data_dir: Path, source: Rows, told: Told) -> LeftOut:
    """`data_dir` may have people's labels."""
    label, probability = source.label, told.full
    anonymous = source.matrix[:, FEATURE_NAMES.index("anonymous")] == 1.0
    of = told.alone_of
    path = data_dir / "histories" / f"{source.name}.human.csv"
    return LeftOut(
        source.name,
        len(label),
        int(label.sum()),
        figures.roc_auc(label, probability),
        figures.interval(figures.roc_auc, label, probability, rounds=100),
        figures.pr_auc(label, probability),
        figures.roc_auc(label[anonymous], probability[anonymous]),
        figures.roc_auc(label, anonymous.astype(float)),
        figures.recall_at(label, probability, 0.01),
        figures.calibration_error(label, probability),
        figures.roc_auc(label, told.bare),
        figures.roc_auc(label[anonymous], told.bare[anonymous]),
        {
            "recent history": _slice(label[told.recent_of], told.recent, anonymous[told.recent_of]),
            "whole history": _slice(label, probability, anonymous),
            "page met first": _slice(label, told.cold, anonymous),
            "difference alone": _slice(label[of], told.alone, anonymous[of]),
            "no content": _slice(label, told.bare, anonymous),
        },
        _peoples(path, source, probability),
        own_figures(probability, anonymous, label, source.event_time, [source.name] * len(label)),
    )


def _slice(label: NDArray[np.bool_], score: NDArray[np.float64], anonymous: NDArray[np.bool_]) -> Slice:
    own, its = label[anonymous], score[anonymous]
    low, high = figures.interval(figures.roc_auc, label, score, rounds=100)
    own_low, own_high = figures.interval(figures.roc_auc, own, its, rounds=100)
    return Slice(
        len(label),
        _number(figures.roc_auc(label, score)),
        (_number(low), _number(high)),
        _number(figures.roc_auc(own, its)),
        (_number(own_low), _number(own_high)),
        _number(figures.recall_at(label, score, 0.01)) if len(label) else None,
        _number(figures.calibration_error(label, score)) if len(label) else None,
    )


def _number(value: float) -> float | None:
    return value if value == value else None


def _peoples(path: Path, source: Rows, score: NDArray[np.float64]) -> PeoplesFigures | None:
    if not path.exists():
        return None
    labels = read_labels(path)
    found = [at for at, rev_id in enumerate(source.rev_ids) if rev_id in labels]
    if not found:
        return None
    damaging = np.array([labels[source.rev_ids[at]][0] for at in found])
    kinds = np.array([labels[source.rev_ids[at]][1] for at in found])
    threshold = figures.threshold_at(score[~source.label & source.usable], figures.R1P_SHARE)
    others = figures.threshold_at(score[~source.label], figures.R1P_SHARE)
    r1p = partial(figures.recall_above, threshold=threshold)
    chosen = score[found]
    return PeoplesFigures(
        len(found),
        int(damaging.sum()),
        figures.roc_auc(damaging, chosen),
        figures.interval(figures.roc_auc, damaging, chosen),
        r1p(damaging, chosen),
        figures.interval(r1p, damaging, chosen),
        {
            str(kind): r1p(damaging & (kinds == kind), chosen)
            for kind in sorted(set(kinds[damaging].tolist()) - {""})
        },
        figures.recall_above(damaging, chosen, others),
    )
