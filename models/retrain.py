"""Training from what was seen live: a challenger to the model in use, tested on the newest edits, which it
never learns from, and on pages that it never saw."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
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
from models.classifier import Classifier, from_arrays
from models.contest import Contest, contest
from models.dataset import Progress
from models.features import FEATURE_NAMES
from models.reference import reference_of
from models.refit import Refitted, refit
from models.seen import SeenRows
from models.threshold_question import may_alert
from models.train import WATCHED
from streams.errors import BadInput

NEWEST = 0.2
"""Share of the edits, the newest, that is only tested on: of all, not of those sampled."""
MIN_SETTLED, MIN_DAMAGING = 2_000, 100
"""Below, what could be learnt is chance."""
MIN_LEARNT, MIN_LEARNT_DAMAGING = 1_000, 50
MIN_TESTED_DAMAGING, MIN_TESTED_PAGES = 20, 20
"""Below, nobody could tell which is better."""


LEAST_RATE = 0.01
"""Of false positives, at which recall is compared."""


class RetrainReport(msgspec.Struct, frozen=True):
    champion: str
    challenger: str
    contest: Contest
    learnt_from: int
    learnt_damaging: int
    learnt_until: float
    """Event time from which on edits are tested on."""
    with_content: bool
    """The trees for edits with texts were learnt anew, too; False: too few such edits were seen."""
    left_out_pages: int
    """Older edits that were not learnt from, as newer ones of their pages are tested on."""
    other_features: int
    not_settled: int


def retrain(champion_dir: Path, out_dir: Path, seen: SeenRows, progress: Progress) -> RetrainReport:
    """Learn a challenger from `seen`, write it to `out_dir` and hold it against the champion. Raises
    `BadInput` where there is too little to learn from, or to tell by."""
    arrays, manifest = artifact_files.read(champion_dir)
    champion = from_arrays(arrays, manifest)
    older, newest, left_out = _parts(seen)
    fitted = refit(champion, arrays, older, lambda what, share: progress(what, 0.9 * share))
    learnt_until = float(newest.event_time.min())
    progress("comparing", 0.9)
    draft = _manifest(champion, fitted, older, {})
    challenger = from_arrays(fitted.arrays, draft)
    given = champion.score(newest.matrix)
    result = contest(
        newest,
        given,
        challenger.score(newest.matrix),
        _alert_rate(newest, given >= champion.thresholds(newest.matrix)),
    )
    metrics = {
        "seen": {
            "champion": champion.version,
            "learnt_from": older.edits,
            "learnt_damaging": int(older.damaging.sum()),
            "first_event_time": float(older.event_time.min()),
            "learnt_until": learnt_until,
            "contest": msgspec.to_builtins(result),
        }
    }
    finished = _manifest(champion, fitted, older, metrics)
    artifact_files.write(out_dir, fitted.arrays, finished, _card(finished, result))
    progress("done", 1.0)
    return RetrainReport(
        champion.version,
        finished.version,
        result,
        older.edits,
        int(older.damaging.sum()),
        learnt_until,
        fitted.with_content,
        left_out,
        seen.other_features,
        seen.not_settled,
    )


def _parts(seen: SeenRows) -> tuple[SeenRows, SeenRows, int]:
    """To learn from, and to test on; how many older edits are in neither."""
    left = (
        f" ({seen.not_settled:,} more are not settled yet, {seen.other_features:,} are of another model)"
    )
    _enough("settled edits", seen.edits, MIN_SETTLED, left)
    _enough("of them reverted or called damaging", int(seen.damaging.sum()), MIN_DAMAGING, left)
    share = np.cumsum(seen.weight) / seen.weight.sum()
    cut = seen.event_time[min(int(np.searchsorted(share, 1 - NEWEST)), seen.edits - 1)]
    new = seen.event_time >= cut
    newest = seen.at(new)
    apart = ~np.isin(seen.page, newest.page)
    older = seen.at(~new & apart)
    where = " once the newest fifth and its pages are set aside"
    _enough("edits to learn from", older.edits, MIN_LEARNT, where)
    _enough("of those damaging", int(older.damaging.sum()), MIN_LEARNT_DAMAGING, where)
    where = " in the newest fifth"
    _enough("damaging edits to test on", int(newest.damaging.sum()), MIN_TESTED_DAMAGING, where)
    _enough("pages to test on", len(np.unique(newest.page)), MIN_TESTED_PAGES, where)
    return older, newest, int((~new & ~apart).sum())


def _enough(what: str, there: int, wanted: int, beside: str) -> None:
    if there < wanted:
        raise BadInput(
            f"too little was seen to train from: {there:,} {what}, {wanted:,} are wanted{beside};"
            " let it run on, and ask again later"
        )


def _alert_rate(seen: SeenRows, flagged: NDArray[np.bool_]) -> float:
    """Share of the edits that stood which the champion alerts on; where that is less than `LEAST_RATE`, so
    much: recall at a handful of false positives hangs on which edits those are."""
    stood = ~seen.damaging
    rate = float(seen.weight[stood & flagged & may_alert(seen.matrix)].sum() / seen.weight[stood].sum())
    return max(rate, LEAST_RATE)


def _manifest(
    champion: Classifier, fitted: Refitted, learnt: SeenRows, metrics: dict[str, Any]
) -> Manifest:
    digest = sha256(artifact_files.model_bytes(fitted.arrays)).hexdigest()
    drawn = fitted.drawn
    rows = sha256(learnt.matrix.tobytes() + learnt.damaging.tobytes() + learnt.weight.tobytes())
    return Manifest(
        version=f"1-{digest[:10]}",
        model_sha256=digest,
        feature_names=FEATURE_NAMES,
        threshold=fitted.threshold,
        thresholds=fitted.thresholds,
        trained_with={
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
            "skops": skops.__version__,
        },
        training_data={**champion.manifest.training_data, "edits seen live": rows.hexdigest()},
        metrics=metrics,
        reference=reference_of(learnt.matrix[drawn], fitted.out_of_fold[drawn], WATCHED),
    )


def _card(manifest: Manifest, result: Contest) -> str:
    seen = manifest.metrics["seen"]
    first, until = (
        datetime.fromtimestamp(seen[name], UTC).date() for name in ("first_event_time", "learnt_until")
    )
    lines = [
        f"# Revert risk, version {manifest.version}",
        "",
        f"Its trees were learnt from {seen['learnt_from']:,} edits seen live from {first} to {until}",
        f"({seen['learnt_damaging']:,} of them reverted by others within 48 h, or called damaging by people), in",
        f"place of those of {seen['champion']}. The part on words is that one's: see its card.",
        "",
        f"On {result.edits:,} newer edits of {result.pages:,} other pages ({result.damaging:,} damaging) it is",
        f"{result.outcome}: {result.why}.",
        "",
        "| figure | champion | this | difference |",
        "| --- | --- | --- | --- |",
        *(
            f"| {one.name} | {_shown(one.champion)} | {_shown(one.challenger)} | {_shown(one.difference)} |"
            for one in result.figures
        ),
        "",
        "In brackets: 95 %, drawn anew by page. Live edits were sampled; each weighs as many as it stands for.",
        "Not for: blocking people, undoing edits unseen, judging what is true, wikis it has not seen.",
        "",
    ]
    return "\n".join(lines)


def _shown(figure: msgspec.Struct) -> str:
    value, low, high = (getattr(figure, name) for name in ("value", "low", "high"))
    return "not known" if value != value else f"{value:.3f} ({low:.3f} to {high:.3f})"
