"""What each idea is worth: the classifier learnt without it, on articles it never saw.

    python -m models.ablate [--data DIR] [--only IDEA] [--left-out NAME]

Not part of training: some minutes for each idea. One figure of 400 labelled edits is noise (r1p moves by
0.03 from seed to seed), so recall is also given in the mean over shares from 0.5 to 2 %.
"""

from __future__ import annotations

import models.threads  # noqa: F401  # isort: skip  # before NumPy

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import figures
from models.content_features import CONTENT_NAMES
from models.dataset import Rows, load
from models.evaluate import read_labels
from models.features import (
    FEATURE_NAMES,
    PAGE_NAMES,
    PERFORMER_NAMES,
    RESTORE_NAMES,
)
from models.fit import Fitted, fit
from models.fit_words import Texts, fit_texts
from models.link_features import LINK_NAMES
from models.manner_features import MANNER_NAMES
from models.recipe import NOT_CARRIED_OVER, OF_DIFFERENCES, Recipe
from models.text import TEXT_NAMES
from models.usual_features import USUAL_NAMES
from models.value_features import VALUE_NAMES
from models.word_features import WORD_HISTORY_NAMES

IDEAS: dict[str, Recipe] = {
    "all": Recipe(),
    "no made-up false facts": Recipe(swap_weight=0.0),
    "made-up false facts at 0.5": Recipe(swap_weight=0.5),
    "no made-up links": Recipe(spam_weight=0.0),
    "made-up links at 0.2": Recipe(spam_weight=0.2),
    "no differences alone": Recipe(alone_weight=0.0),
    "history never hidden": Recipe(cold_weight=0.0, recent_weight=0.0),
    "no recent histories": Recipe(recent_weight=0.0),
    "words never hidden": Recipe(text_hidden=0.0),
    "one set of trees, with all": Recipe(bags=((),)),
    "one set, without what does not carry over": Recipe(bags=(NOT_CARRIED_OVER,)),
    "two sets of trees": Recipe(bags=((), NOT_CARRIED_OVER)),
    "four sets, with all": Recipe(bags=((), (), (), ())),
    "no lives of words": Recipe(without=WORD_HISTORY_NAMES),
    "no values": Recipe(without=VALUE_NAMES),
    "no setting, no links": Recipe(without=CONTENT_NAMES[-7:] + LINK_NAMES),
    "no addresses": Recipe(without=LINK_NAMES),
    "no word that somebody's edits are undone": Recipe(without=("comment_undoes",)),
    "no insults, no chat": Recipe(without=MANNER_NAMES),
    "no page history": Recipe(without=PAGE_NAMES + RESTORE_NAMES),
    "no time since the last edit": Recipe(without=("page_since_last",)),
    "no performer": Recipe(without=PERFORMER_NAMES),
    "no text score": Recipe(without=TEXT_NAMES),
    "no strongest word": Recipe(without=("text_peak",)),
    "no word vectors": Recipe(without=("text_embedding",)),
    "no words in general": Recipe(without=OF_DIFFERENCES),
    "differences: what people labelled as much as articles": Recipe(difference_weights=(1.0, 0.0)),
    "differences: words always told": Recipe(difference_weights=(6.0, 0.0)),
    "no usual words": Recipe(without=USUAL_NAMES),
    "no likeness": Recipe(without=("swap_likeness", "swap_put_in")),
}
SHARES = (0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02)
_ANONYMOUS = FEATURE_NAMES.index("anonymous")


def measured(source: Rows, fitted: Fitted, labels: dict[int, tuple[bool, str]]) -> str:
    """Figures of a source left out, in one line."""
    label = source.label
    anonymous = source.matrix[:, _ANONYMOUS] == 1.0
    score = fitted.log_odds(source)
    cold = fitted.cold(source)[1]
    _, recent, recent_of = fitted.recent(source)
    alone, of = fitted.alone(source)
    told = [
        f"ROC {figures.roc_auc(label, score):.3f}",
        f"anonymous {figures.roc_auc(label[anonymous], score[anonymous]):.3f}",
        f"recent {figures.roc_auc(label[recent_of], recent):.3f}",
        f"cold {figures.roc_auc(label, cold):.3f}",
        f"alone {figures.roc_auc(label[of], alone):.3f}",
        f"anonymous {figures.roc_auc(label[of][anonymous[of]], alone[anonymous[of]]):.3f}",
    ]
    found = [at for at, rev_id in enumerate(source.rev_ids) if rev_id in labels]
    if found:
        damaging = np.array([labels[source.rev_ids[at]][0] for at in found])
        kinds = np.array([labels[source.rev_ids[at]][1] for at in found])
        false = damaging & (kinds == "Misinformation")
        stood = score[~label & source.usable]
        told += [
            f"people {figures.roc_auc(damaging, score[found]):.3f}",
            f"r1p {_recall(damaging, score[found], stood, (0.01,)):.3f}",
            f"recall {_recall(damaging, score[found], stood, SHARES):.3f}",
            f"misinformation {_recall(false, score[found], stood, SHARES):.3f}",
        ]
    return ", ".join(told)


def _recall(
    label: NDArray[np.bool_],
    score: NDArray[np.float64],
    stood: NDArray[np.float64],
    shares: Sequence[float],
) -> float:
    """Where each share of what nobody reverted is flagged; the mean."""
    return float(
        np.mean([figures.recall_above(label, score, figures.threshold_at(stood, one)) for one in shares])
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.ablate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", action="append", choices=sorted(IDEAS), help="this idea")
    parser.add_argument("--left-out", action="append", metavar="NAME", help="this article")
    options = parser.parse_args(arguments)
    sources = load(options.data, lambda what, share: None).sources
    tested = [
        source
        for source in sources
        if source.history and (not options.left_out or source.name in options.left_out)
    ]
    compare(sources, tested, options.data, options.only or list(IDEAS))
    return 0


def compare(sources: Sequence[Rows], tested: Sequence[Rows], data: Path, ideas: Sequence[str]) -> None:
    """Print a line for each idea and article."""
    texts: dict[str, Texts] = {}
    for idea in ideas:
        for source in tested:
            others = [other for other in sources if other is not source]
            started = time.process_time()
            if source.name not in texts:
                texts[source.name] = fit_texts(others)
            fitted = fit(others, IDEAS[idea], texts[source.name])
            path = data / "histories" / f"{source.name}.human.csv"
            labels = read_labels(path) if path.exists() else {}
            told = measured(source, fitted, labels)
            spent_s = time.process_time() - started
            sys.stdout.write(f"{idea:54} {source.name:24} {told}  ({spent_s:.0f} s)\n")
            sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
