"""The question of thresholds, answered from what was seen live, by wiki: with the scores as they were given
then, and what became of each edit."""

from __future__ import annotations

import numpy as np

from models.seen import SeenRows
from models.threshold_question import Outcomes, may_alert

MIN_EDITS, MIN_DAMAGING = 500, 10
"""Of a wiki, that were looked at: with fewer the answer would be chance."""


def outcomes_by_wiki(seen: SeenRows, model: str) -> list[Outcomes]:
    """Of edits that `model` scored: another one's scores say nothing of its thresholds. Wikis of which
    enough was seen, in the order of their names."""
    usable = (seen.model == model) & may_alert(seen.matrix)
    found = []
    for wiki in np.unique(seen.wiki[usable]).tolist():
        chosen = usable & (seen.wiki == wiki)
        if (
            np.count_nonzero(chosen) < MIN_EDITS
            or np.count_nonzero(seen.damaging & chosen) < MIN_DAMAGING
        ):
            continue
        found.append(
            Outcomes(
                wiki,
                seen.event_time[chosen],
                seen.risk[chosen],
                seen.damaging[chosen],
                seen.weight[chosen],
            )
        )
    return found
