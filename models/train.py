"""Train the classifier from histories and labelled edits, tested with each article left out in turn."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import sklearn
import skops
from numpy.typing import NDArray

from models import artifact_files
from models.artifact_files import Manifest
from models.calibration import Calibration
from models.card import model_card
from models.classifier import probability_of
from models.dataset import Loaded, Progress, Rows, load
from models.features import FEATURE_NAMES
from models.fit import Fitted
from models.fit_calibration import calibrate_pages
from models.learn import Crossed, Judged, Learnt, learn
from models.left_out import LeftOut, Told, figures_of
from models.reference import reference_of
from models.thresholds import asked_thresholds_of, one_threshold, thresholds_of
from models.trees import Trees
from streams.errors import BadInput
from streams.state.drift import DriftReference

Item = TypeVar("Item")
WATCHED = (
    "anonymous",
    "comment_empty",
    "size_change",
    "performer_edits",
    "performer_reverted_share",
    "page_reverted_share",
    "added_words",
    "removed_words",
    "position",
    "number_swaps",
    "new_share",
    "surprise_mean",
    "compression",
)
"""Features whose spread is told in the manifest, for drift: those the scores hang on most, known of live
edits as of these."""
MIN_TESTED = 200
"""Edits below which a source left out gives no figures."""


class TrainReport(msgspec.Struct, frozen=True):
    version: str
    threshold: float
    left_out: tuple[LeftOut, ...]
    seconds: float
    out_dir: str


def train(
    data_dir: Path | str,
    out_dir: Path | str,
    progress: Progress | None = None,
    leave_out: Sequence[str] = (),
) -> TrainReport:
    """Learn from everything under `data_dir` but the sources named in `leave_out` (file names up to
    the first dot), and write the artifact to `out_dir`. Raises `BadInput` for a name that is not
    there. The same data give the same artifact, byte for byte."""
    started = time.perf_counter()
    tell = progress or _silent
    loaded = load(Path(data_dir), lambda what, share: tell(what, 0.35 * share))
    unknown = set(leave_out) - {source.name for source in loaded.sources}
    if unknown:
        names = ", ".join(source.name for source in loaded.sources)
        raise BadInput(f"nothing called {sorted(unknown)[0]!r} to leave out; there are: {names}")
    sources = [source for source in loaded.sources if source.name not in leave_out]
    tested = [source for source in sources if source.history and source.usable.sum() >= MIN_TESTED]
    if len(sources) < 2 or not tested:
        raise BadInput(f"{data_dir}: at least two sources, one a history, are needed to learn and test")
    learnt = learn(sources, tested, tell)
    manifest, left_out = finish(Path(data_dir), Path(out_dir), loaded, learnt, leave_out)
    tell("done", 1.0)
    return TrainReport(
        manifest.version, manifest.threshold, left_out, time.perf_counter() - started, str(out_dir)
    )


def finish(
    data_dir: Path, out_dir: Path, loaded: Loaded, learnt: Learnt, leave_out: Sequence[str] = ()
) -> tuple[Manifest, tuple[LeftOut, ...]]:
    """Calibrate, choose thresholds, measure and write the artifact."""
    tested, judged = learnt.tested, learnt.judged
    calibrations = _calibrations(tested, judged)
    others = [
        _calibrations(_without(tested, at), _without(judged, at)) if len(tested) > 1 else calibrations
        for at in range(len(tested))
    ]
    told = [
        _told(one, source, *learnt_from_others)
        for one, source, learnt_from_others in zip(judged, tested, others, strict=True)
    ]
    left_out = tuple(figures_of(data_dir, source, one) for source, one in zip(tested, told, strict=True))
    whole = [one.full for one in told]
    threshold = one_threshold(tested, whole)
    cold = [(one.cold_matrix, other.cold) for one, other in zip(judged, told, strict=True)]
    thresholds = thresholds_of(tested, whole, cold, [one.bare for one in told])
    recent = [(one.recent, one.recent_of) for one in told]
    thresholds |= asked_thresholds_of(tested, cold, recent, thresholds)
    arrays = pack(learnt.fitted, calibrations)
    reference = reference_of(
        np.vstack([source.matrix for source in tested]), np.concatenate(whole), WATCHED
    )
    manifest = _manifest(
        arrays, threshold, thresholds, loaded, left_out, learnt.crossed, leave_out, reference
    )
    artifact_files.write(out_dir, arrays, manifest, model_card(manifest, learnt.sources))
    return manifest, left_out


Calibrations = tuple[Calibration, Calibration, Calibration]
"""With content, without, and of a difference alone."""


def _calibrations(tested: Sequence[Rows], judged: Sequence[Judged]) -> Calibrations:
    """An article's own figures are given by those of the others. Of a difference alone the page's rate is not
    known when it is told, but it is to what is learnt here: so it holds for a usual page."""
    matrices = [source.matrix[source.usable] for source in tested]
    labels = [source.label[source.usable] for source in tested]
    used = [source.usable for source in tested]
    full = calibrate_pages(
        [one.full[at] for one, at in zip(judged, used, strict=True)], matrices, labels
    )
    bare = calibrate_pages(
        [one.bare[at] for one, at in zip(judged, used, strict=True)], matrices, labels
    )
    alone = [(one, source) for one, source in zip(judged, tested, strict=True) if len(one.alone)]
    if not alone:
        return full, bare, full
    difference = calibrate_pages(
        [one.alone for one, _ in alone],
        [source.matrix[one.alone_of] for one, source in alone],
        [source.label[one.alone_of] for one, source in alone],
    )
    return full, bare, difference


def _without(items: Sequence[Item], at: int) -> list[Item]:
    return [*items[:at], *items[at + 1 :]]


def _told(
    judged: Judged, source: Rows, full: Calibration, bare: Calibration, difference: Calibration
) -> Told:
    alone = source.alone
    return Told(
        probability_of(full.of(judged.full, source.matrix)),
        probability_of(full.of(judged.recent, judged.recent_matrix)),
        judged.recent_of,
        probability_of(bare.of(judged.bare, source.matrix)),
        probability_of(full.of(judged.cold, judged.cold_matrix)),
        probability_of(difference.of(judged.alone, alone.matrix)) if alone is not None else judged.alone,
        judged.alone_of,
    )


def pack(fitted: Fitted, calibrations: Calibrations) -> dict[str, NDArray[Any]]:
    """All that is learnt, as arrays."""
    embedding = fitted.text.embedding.weights
    return {
        **pack_trees("trees", fitted.trees),
        **pack_trees("difference", fitted.difference),
        **pack_trees("bare", fitted.bare),
        "calibration": np.array(calibrations),
        "reference": fitted.reference,
        "text_weights": fitted.text.weights,
        "text_bias": np.array([fitted.text.bias]),
        "embedding_came": embedding.came,
        "embedding_went": embedding.went,
        "embedding_bias": np.array([embedding.bias]),
    }


def pack_trees(prefix: str, trees: Trees) -> dict[str, NDArray[Any]]:
    """As they stand in a model's file."""
    return {
        **{f"{prefix}_{name}": column for name, column in trees.columns.items()},
        f"{prefix}_sizes": trees.sizes,
        f"{prefix}_baseline": np.array([trees.baseline]),
    }


def _manifest(
    arrays: dict[str, NDArray[Any]],
    threshold: float,
    thresholds: dict[str, float],
    loaded: Loaded,
    left_out: tuple[LeftOut, ...],
    crossed: tuple[Crossed, ...],
    leave_out: Sequence[str],
    reference: DriftReference,
) -> Manifest:
    digest = sha256(artifact_files.model_bytes(arrays)).hexdigest()
    kept = {
        name: value for name, value in loaded.files.items() if name.partition(".")[0] not in leave_out
    }
    return Manifest(
        version=f"1-{digest[:10]}",
        model_sha256=digest,
        feature_names=FEATURE_NAMES,
        threshold=round(threshold, 6),
        thresholds=thresholds,
        trained_with={
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
            "skops": skops.__version__,
        },
        training_data=kept,
        metrics={
            "left_out": [_rounded(msgspec.to_builtins(one)) for one in left_out],
            "crossed": [_rounded(msgspec.to_builtins(one)) for one in crossed],
        },
        reference=reference,
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _silent(what: str, share: float) -> None:
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m models.train`: the same as `factwatch train`, where only this package is at hand."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("--data", default="../shared/data", help="directory with histories/ and edits/")
    parser.add_argument("--out", required=True, help="directory to write the artifact to")
    parser.add_argument("--leave-out", action="append", default=[], help="source not to learn from")
    options = parser.parse_args(arguments)
    report = train(
        options.data,
        options.out,
        lambda what, share: print(f"{100 * share:3.0f} %  {what}", file=sys.stderr, flush=True),  # noqa: T201
        options.leave_out,
    )
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
