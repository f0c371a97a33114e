"""How good a classifier is on edits whose outcome is known, beside the trivial baseline."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models import figures
from models.bounded_history import BoundedHistory
from models.classifier import Classifier, load_classifier
from models.dataset import digest_of
from models.features import FEATURE_NAMES
from models.figures import FALSE_POSITIVE_RATES, R1P_SHARE, Labels, Scores
from models.history_asked import FULL_HISTORY, revisions_known
from models.own_figures import OwnFigures, own_figures
from models.replay import Replay, edits_of, is_history
from models.threshold_question import may_alert
from streams.errors import BadInput
from streams.records import PerformerKind

Progress = Callable[[str, float], None]
ANONYMOUS = (PerformerKind.IP, PerformerKind.TEMPORARY)
BATCH = 256


class Figure(msgspec.Struct, frozen=True):
    """None where there are not both kinds of edits to tell it from. Interval: 95 %, bootstrap."""

    value: float | None
    low: float | None
    high: float | None


class Quality(msgspec.Struct, frozen=True):
    """Of one set of edits."""

    edits: int
    positives: int
    roc_auc: Figure
    pr_auc: Figure
    recall_at: dict[str, Figure]
    """By false-positive rate: "0.1%", "0.25%", "1%", "5%"."""
    baseline_roc_auc: float | None
    """Of the anonymous flag alone."""
    baseline_pr_auc: float | None
    calibration_error: float | None


class KindRecall(msgspec.Struct, frozen=True):
    edits: int
    recall: float
    """At the threshold of `r1p`."""


class EvaluateReport(msgspec.Struct, frozen=True):
    files: tuple[str, ...]
    seen_in_training: tuple[str, ...]
    """Those the model learnt from: figures on them are too good."""
    model_version: str
    history: str
    """How much was known of a page before each edit: "none", "recent:N" or "full"."""
    label: str
    """What positive means: "damaging" (by people) or "reverted within 48 h"."""
    edits_scored: int
    edits_reverted: int
    edits_without_content: int
    labels_not_found: int
    everybody: Quality
    anonymous: Quality
    r1p: Figure
    """Recall at the threshold that flags 1 % of the files' edits which nobody took back: nobody reverted
    them, whenever, and their own author did not either."""
    r1p_threshold: float | None
    r1p_others_48h: Figure
    """The same where only a revert by somebody else within 48 h counts as one: among the rest are
    edits that were taken back all the same, many of them vandalism, and they set the threshold."""
    by_kind: dict[str, KindRecall]
    own_calibration: dict[str, OwnFigures] = {}
    """Of "everybody" and "anonymous": against reverts within 48 h, the model as it is and with each wiki's own
    settled edits followed, as `factwatch run` does."""


class Scored(msgspec.Struct):
    """Edits of files in their order."""

    rev_ids: list[int]
    score: Scores
    reverted: Labels
    taken_back: Labels
    """Reverted, whenever and by whomever."""
    anonymous: Labels
    without_content: int
    wikis: list[str]
    event_time: Scores
    may_alert: Labels


def evaluate(
    files: Sequence[Path | str],
    labels_csv: Path | str | None = None,
    scores_out: Path | str | None = None,
    model_dir: Path | str | None = None,
    progress: Progress | None = None,
    history: str = FULL_HISTORY,
) -> EvaluateReport:
    """Replay `files` and compare scores with `labels_csv` (`rev_id,damaging,kind`) or, without it,
    with what became of each edit. `scores_out` gets `rev_id,score`. `history`: "full", "none" as
    of a page met for the first time, or "recent:N". Raises `BadInput` and `BadArtifact`."""
    bounded_history(history)
    classifier = load_classifier(model_dir)
    paths = [Path(file) for file in files]
    if not paths:
        raise BadInput("no file to evaluate on")
    labels = read_labels(Path(labels_csv)) if labels_csv is not None else None
    parts = []
    for at, path in enumerate(paths):
        if progress is not None:
            progress(f"replaying {path.name}", at / len(paths))
        parts.append(score_file(classifier, path, history))
    scored = Scored(
        [rev_id for part in parts for rev_id in part.rev_ids],
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.reverted for part in parts]),
        np.concatenate([part.taken_back for part in parts]),
        np.concatenate([part.anonymous for part in parts]),
        sum(part.without_content for part in parts),
        [wiki for part in parts for wiki in part.wikis],
        np.concatenate([part.event_time for part in parts]),
        np.concatenate([part.may_alert for part in parts]),
    )
    if not scored.rev_ids:
        raise BadInput(f"{paths[0]}: no edits in it")
    if scores_out is not None:
        _write_scores(Path(scores_out), scored)
    if progress is not None:
        progress("intervals", 1.0)
    seen = tuple(
        str(path) for path in paths if digest_of(path) in classifier.manifest.training_data.values()
    )
    return _report(paths, seen, classifier.version, history, scored, labels)


def read_labels(path: Path) -> dict[int, tuple[bool, str]]:
    """`rev_id -> (damaging, kind)`. Raises `BadInput` naming the line that is not `rev_id,0|1,kind`."""
    labels: dict[int, tuple[bool, str]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if not {"rev_id", "damaging"} <= set(reader.fieldnames or ()):
                raise BadInput(f"{path}: the first line must name the columns rev_id,damaging,kind")
            for record in reader:
                damaging = (record["damaging"] or "").strip()
                if damaging not in ("0", "1") or not (record["rev_id"] or "").strip().isdecimal():
                    raise BadInput(
                        f"{path}, line {reader.line_num}: wants a rev_id and damaging as 0 or 1"
                    )
                kind = (record.get("kind") or "").strip()
                labels[int(record["rev_id"])] = (damaging == "1", kind)
    except OSError as err:
        raise BadInput(f"{path}: {err.strerror}") from err
    except (UnicodeDecodeError, csv.Error) as err:
        raise BadInput(f"{path}: not a CSV in UTF-8: {err}") from err
    if not labels:
        raise BadInput(f"{path}: no labels in it")
    return labels


def bounded_history(history: str) -> BoundedHistory | None:
    """Raises `BadSetting`."""
    count = revisions_known(history)
    return BoundedHistory(count) if count is not None else None


def score_file(classifier: Classifier, path: Path, history: str = FULL_HISTORY) -> Scored:
    """Replay one file."""
    replay = Replay(classifier.text, by_page=is_history(path), history=bounded_history(history))
    replayed, scores, alerting = [], [], []
    rows: list[list[float]] = []

    def score_rows() -> None:
        matrix = np.array(rows)
        scores.append(classifier.score(matrix))
        alerting.append(may_alert(matrix))
        rows.clear()

    without_content = 0
    at_content = FEATURE_NAMES.index("spans")
    for edit in edits_of(path):
        one = replay.add(edit)
        without_content += one.row[at_content] != one.row[at_content]
        rows.append(one.row)
        one.row = []
        replayed.append(one)
        if len(rows) == BATCH:
            score_rows()
    if rows:
        score_rows()
    return Scored(
        [one.edit.rev_id for one in replayed],
        np.concatenate(scores) if scores else np.zeros(0),
        np.array([one.reverted for one in replayed], dtype=bool),
        np.array([one.taken_back for one in replayed], dtype=bool),
        np.array([one.edit.performer_kind in ANONYMOUS for one in replayed], dtype=bool),
        without_content,
        [one.edit.wiki for one in replayed],
        np.array([one.edit.event_time for one in replayed]),
        np.concatenate(alerting) if alerting else np.zeros(0, dtype=bool),
    )


def _write_scores(path: Path, scored: Scored) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as out:
            out.write("rev_id,score\n")
            out.writelines(
                f"{rev_id},{score:.6f}\n"
                for rev_id, score in zip(scored.rev_ids, scored.score, strict=True)
            )
    except OSError as err:
        raise BadInput(f"{path}: {err.strerror}") from err


def _report(
    paths: Iterable[Path],
    seen: tuple[str, ...],
    version: str,
    history: str,
    scored: Scored,
    labels: Mapping[int, tuple[bool, str]] | None,
) -> EvaluateReport:
    if labels is None:
        chosen: NDArray[np.int64] = np.arange(len(scored.rev_ids))
        label, kinds, missing = scored.reverted, [""] * len(chosen), 0
    else:
        last = {rev_id: at for at, rev_id in enumerate(scored.rev_ids)}
        found = [rev_id for rev_id in labels if rev_id in last]
        missing = len(labels) - len(found)
        if not found:
            raise BadInput("none of the labelled revisions is in the files")
        chosen = np.array([last[rev_id] for rev_id in found])
        label = np.array([labels[rev_id][0] for rev_id in found])
        kinds = [labels[rev_id][1] for rev_id in found]
    score, anonymous = scored.score[chosen], scored.anonymous[chosen]
    threshold = figures.threshold_at(scored.score[~scored.taken_back], R1P_SHARE)
    others_threshold = figures.threshold_at(scored.score[~scored.reverted], R1P_SHARE)
    by_kind = {}
    for kind in sorted(set(kinds) - {""}):
        inside = np.array([one == kind for one in kinds]) & label
        if inside.any():
            by_kind[kind] = KindRecall(
                int(inside.sum()), round(float((score[inside] > threshold).mean()), 4)
            )
    return EvaluateReport(
        tuple(str(path) for path in paths),
        seen,
        version,
        history,
        "damaging" if labels is not None else "reverted within 48 h",
        len(scored.rev_ids),
        int(scored.reverted.sum()),
        scored.without_content,
        missing,
        quality(label, score, anonymous),
        quality(label[anonymous], score[anonymous], anonymous[anonymous]),
        _figure(partial(figures.recall_above, threshold=threshold), label, score),
        _number(threshold),
        _figure(partial(figures.recall_above, threshold=others_threshold), label, score),
        by_kind,
        own_figures(scored.score, scored.anonymous, scored.reverted, scored.event_time, scored.wikis),
    )


def quality(label: Labels, score: Scores, anonymous: Labels) -> Quality:
    """`score` are probabilities."""
    flag = anonymous.astype(float)
    return Quality(
        len(label),
        int(label.sum()),
        _figure(figures.roc_auc, label, score),
        _figure(figures.pr_auc, label, score),
        {
            f"{100 * rate:g}%": _figure(partial(figures.recall_at, rate=rate), label, score)
            for rate in FALSE_POSITIVE_RATES
        },
        _number(figures.roc_auc(label, flag)),
        _number(figures.pr_auc(label, flag)),
        _number(figures.calibration_error(label, score)) if len(label) else None,
    )


def _figure(figure: Callable[[Labels, Scores], float], label: Labels, score: Scores) -> Figure:
    if not label.any():
        return Figure(None, None, None)
    value = figure(label, score)
    if value != value:
        return Figure(None, None, None)
    low, high = figures.interval(figure, label, score)
    return Figure(_number(value), _number(low), _number(high))


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
