"""How well an article is told by a classifier that never saw it: figures of the report and the card."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models import figures
from models.dataset import Rows
from models.evaluate import read_labels
from models.features import FEATURE_NAMES


class PeoplesFigures(msgspec.Struct, frozen=True):
    """Against people's labels, where a file `NAME.human.csv` lies beside the history."""

    edits: int
    damaging: int
    roc_auc: float
    roc_auc_interval: tuple[float, float]
    r1p: float
    """Recall where 1 % of the page's edits that nobody reverted are flagged."""
    r1p_interval: tuple[float, float]
    r1p_by_kind: dict[str, float]


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
    people: PeoplesFigures | None = None


def figures_of(
    data_dir: Path, source: Rows, probability: NDArray[np.float64], bare: NDArray[np.float64]
) -> LeftOut:
    """Of `source` by `probability`, and by `bare` as if no content were known. `data_dir` may have
    people's labels."""
    label = source.label
    anonymous = source.matrix[:, FEATURE_NAMES.index("anonymous")] == 1.0
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
        figures.roc_auc(label, bare),
        figures.roc_auc(label[anonymous], bare[anonymous]),
        _peoples(data_dir / "histories" / f"{source.name}.human.csv", source, probability),
    )


def _peoples(path: Path, source: Rows, score: NDArray[np.float64]) -> PeoplesFigures | None:
    if not path.exists():
        return None
    labels = read_labels(path)
    found = [at for at, rev_id in enumerate(source.rev_ids) if rev_id in labels]
    if not found:
        return None
    damaging = np.array([labels[source.rev_ids[at]][0] for at in found])
    kinds = np.array([labels[source.rev_ids[at]][1] for at in found])
    threshold = figures.threshold_at(score[~source.label], figures.R1P_SHARE)
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
    )
