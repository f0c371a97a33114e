"""Train the classifier from histories and labelled edits, tested with each article left out in turn."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import sklearn
import skops
from numpy.typing import NDArray

from models import artifact_files
from models.artifact_files import Manifest
from models.card import model_card
from models.classifier import probability_of
from models.dataset import Loaded, Progress, Rows, load
from models.features import FEATURE_NAMES
from models.fit import Fitted, calibrate, fit
from models.left_out import LeftOut, figures_of
from models.thresholds import one_threshold, thresholds_of
from models.trees import Trees
from streams.errors import BadInput

Calibration = tuple[tuple[float, float], tuple[float, float]]
"""Slope and shift, with and without content."""
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
    raw, raw_bare, cold = [], [], []
    for at, source in enumerate(tested):
        tell(f"leaving out {source.name}", 0.35 + 0.5 * at / len(tested))
        without = fit([other for other in sources if other is not source])
        raw.append(without.log_odds(source))
        raw_bare.append(without.bare_log_odds(source))
        cold.append(without.cold(source))
    calibration = _calibration(tested, raw), _calibration(tested, raw_bare)
    tell("learning from all", 0.85)
    fitted = fit(sources)
    full, bare = (
        [probability_of(scores * slope + shift) for scores in one]
        for one, (slope, shift) in zip((raw, raw_bare), calibration, strict=True)
    )
    left_out = tuple(figures_of(Path(data_dir), *one) for one in zip(tested, full, bare, strict=True))
    threshold = one_threshold(tested, full)
    slope, shift = calibration[0]
    met_first = [(matrix, probability_of(scores * slope + shift)) for matrix, scores in cold]
    thresholds = thresholds_of(tested, full, met_first, bare)
    arrays = pack(fitted, calibration)
    manifest = _manifest(arrays, threshold, thresholds, loaded, left_out, leave_out)
    artifact_files.write(Path(out_dir), arrays, manifest, model_card(manifest, sources))
    tell("done", 1.0)
    return TrainReport(
        manifest.version, threshold, left_out, time.perf_counter() - started, str(out_dir)
    )


def _calibration(tested: Sequence[Rows], raw: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    return calibrate(
        [scores[source.usable] for scores, source in zip(raw, tested, strict=True)],
        [source.label[source.usable] for source in tested],
    )


def pack(fitted: Fitted, calibration: Calibration) -> dict[str, NDArray[Any]]:
    """All that is learnt, as arrays."""
    return {
        **_pack_trees("trees", fitted.trees),
        **_pack_trees("bare", fitted.bare),
        "calibration": np.array(calibration),
        "reference": fitted.reference,
        "text_weights": fitted.text.weights,
        "text_bias": np.array([fitted.text.bias]),
    }


def _pack_trees(prefix: str, trees: Trees) -> dict[str, NDArray[Any]]:
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
    leave_out: Sequence[str],
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
        metrics={"left_out": [_rounded(msgspec.to_builtins(one)) for one in left_out]},
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
