"""What `factwatch thresholds` is answered from: files, or what `factwatch run` saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.classifier import Classifier
from models.evaluate import score_file
from models.feature_set import feature_set_of
from models.seen_thresholds import MIN_DAMAGING, MIN_EDITS, outcomes_by_wiki
from models.threshold_question import Outcomes
from streams.cli.output import share_done
from streams.cli.seen import seen_rows
from streams.errors import BadInput
from streams.settings import Settings


def replayed(
    classifier: Classifier, files: Sequence[Path], history: str, *, shown: bool
) -> list[Outcomes]:
    parts = []
    with share_done("thresholds", shown=shown) as bar:
        for at, path in enumerate(files):
            bar.update(at / len(files), f"replaying {path.name}")
            parts.append(score_file(classifier, path, history))
    wiki = np.array([one for part in parts for one in part.wikis])
    may_alert = np.concatenate([part.may_alert for part in parts])
    found = []
    for name in sorted(set(wiki.tolist())):
        chosen = (wiki == name) & may_alert
        found.append(
            Outcomes(
                name,
                np.concatenate([part.event_time for part in parts])[chosen],
                np.concatenate([part.score for part in parts])[chosen],
                np.concatenate([part.reverted for part in parts])[chosen],
            )
        )
    if not found:
        raise BadInput(f"{files[0]}: no edits in it")
    return found


def seen(settings: Settings, classifier: Classifier) -> list[Outcomes]:
    rows = seen_rows(settings, feature_set_of(classifier.text))
    found = outcomes_by_wiki(rows, classifier.version)
    if not found:
        raise BadInput(
            f"too little was seen to answer from: {np.count_nonzero(rows.model == classifier.version):,} settled"
            f" edits of model {classifier.version} in the sample; a wiki wants {MIN_EDITS:,}, {MIN_DAMAGING} of them"
            " reverted. Let it run on, or name FILES to replay"
        )
    return found
