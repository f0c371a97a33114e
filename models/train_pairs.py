"""Train the model of pairs on facts of real histories, tested with each article left out in turn."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import sklearn
import skops

from models import artifact_files
from models.artifact_files import Manifest
from models.dataset import Progress, digest_of, source_name
from models.pair_card import pair_card
from models.pair_dataset import pairs_of
from models.pair_facts import FACTS_AN_ARTICLE, article_facts
from models.pair_figures import PairFigures, figures_of
from models.pair_fit import PairFit, fit_pairs, pack_pairs
from models.pair_maker import PostPair
from models.pair_model import CONFIRMED, PAIRS_DIR, SUGGESTED
from models.pair_rows import PairRows, rows_of
from streams.errors import BadInput
from streams.matching.pair_features import FEATURE_NAMES
from streams.posts import HotFact

PAIR_SEED = 1


class PairReport(msgspec.Struct, frozen=True):
    version: str
    thresholds: dict[str, float]
    left_out: tuple[PairFigures, ...]
    out_dir: str


def history_files(data_dir: Path) -> list[Path]:
    """Histories under `data_dir`. Raises `BadInput` if there are fewer than three: one to test, two to
    learn from and to choose thresholds on."""
    found = sorted((data_dir / "histories").glob("*.xml*"))
    if len(found) < 3:
        raise BadInput(f"{data_dir}: wants at least three histories/*.xml*, has {len(found)}")
    return found


def load_pairs(
    paths: Sequence[Path], tell: Progress, most: int = FACTS_AN_ARTICLE
) -> dict[str, list[PostPair]]:
    """Pairs by article. The same files give the same pairs."""
    facts: dict[str, list[HotFact]] = {}
    for at, path in enumerate(paths):
        tell(f"reading {path.name}", 0.5 * at / len(paths))
        facts[source_name(path)] = article_facts(path, most)
    tell("making pairs", 0.5)
    return {
        name: pairs_of(name, own, [fact for other, theirs in facts.items() if other != name for fact in theirs],
                       PAIR_SEED)
        for name, own in facts.items()
    }  # fmt: skip


def leave_one_out(
    pairs: dict[str, list[PostPair]], rows: dict[str, PairRows], tell: Progress
) -> tuple[PairFigures, ...]:
    """Each article by a model that saw only the others, its thresholds chosen on those too."""
    found = []
    for at, name in enumerate(pairs):
        tell(f"leaving out {name}", 0.6 + 0.3 * at / len(pairs))
        fitted = fit_pairs([other for article, other in rows.items() if article != name])
        found.append(figures_of(name, pairs[name], fitted))
    return tuple(found)


def train_pairs(
    data_dir: Path | str, out_dir: Path | str, progress: Progress | None = None
) -> PairReport:
    """Learn from all histories under `data_dir` and write the artifact to `out_dir`. The same data give
    the same artifact, byte for byte."""
    tell = progress or _silent
    paths = history_files(Path(data_dir))
    pairs = load_pairs(paths, tell)
    tell("comparing", 0.55)
    rows = {name: rows_of(name, own) for name, own in pairs.items()}
    left_out = leave_one_out(pairs, rows, tell)
    tell("learning from all", 0.9)
    fitted = fit_pairs(list(rows.values()))
    files = {path.name: digest_of(path) for path in paths}
    manifest = write_model(Path(out_dir), fitted, files, left_out)
    tell("done", 1.0)
    return PairReport(manifest.version, manifest.thresholds, left_out, str(out_dir))


def write_model(
    out_dir: Path, fitted: PairFit, files: dict[str, str], left_out: Sequence[PairFigures] = ()
) -> Manifest:
    """Write model, manifest and card."""
    arrays = pack_pairs(fitted)
    digest = sha256(artifact_files.model_bytes(arrays)).hexdigest()
    figures = [msgspec.to_builtins(one) for one in left_out]
    manifest = Manifest(
        version=f"pairs-1-{digest[:10]}",
        model_sha256=digest,
        feature_names=FEATURE_NAMES,
        threshold=fitted.thresholds.confirmed,
        thresholds={
            SUGGESTED: fitted.thresholds.suggested,
            CONFIRMED: fitted.thresholds.confirmed,
        },
        trained_with={
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
            "skops": skops.__version__,
        },
        training_data=files,
        metrics={
            "left_out": [
                {
                    name: round(value, 4) if isinstance(value, float) else value
                    for name, value in one.items()
                    if name != "grades_by_kind"
                }
                for one in figures
            ]
        },
    )
    artifact_files.write(out_dir, arrays, manifest, pair_card(manifest, left_out))
    return manifest


def _silent(what: str, share: float) -> None:
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m models.train_pairs`"""
    parser = argparse.ArgumentParser(prog="python -m models.train_pairs", description=__doc__)
    parser.add_argument("--data", default="../shared/data", help="directory with histories/")
    parser.add_argument("--out", default=str(PAIRS_DIR), help="directory to write the artifact to")
    options = parser.parse_args(arguments)
    report = train_pairs(
        options.data,
        options.out,
        lambda what, share: print(f"{100 * share:3.0f} %  {what}", file=sys.stderr, flush=True),  # noqa: T201
    )
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
