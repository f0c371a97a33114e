"""Figures of live quality against a recount of all labels, by the most naive way there is."""

from __future__ import annotations

import math
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from streams.records import Label, LabelKind
from streams.state import live_quality
from streams.state.live_quality import LiveQuality, QualityFigures

HOUR = 3_600.0
#: Hours, for windows small enough that edits of a few hours lie on both sides of their ends.
FIRST = 490_000

labels = st.builds(
    Label,
    wiki=st.sampled_from(["enwiki", "dewiki"]),
    title=st.just("Tower"),
    rev_id=st.integers(1, 40),
    label=st.sampled_from([LabelKind.REVERTED, LabelKind.KEPT, None]),
    event_time=st.just(0.0),
    labelled_time=st.just(0.0),
    revert_risk=st.one_of(st.none(), st.integers(0, 256).map(lambda n: n / 256)),
    alerted=st.booleans(),
)


def time_of(label: Label) -> float:
    """An edit's time never changes."""
    return (FIRST + label.rev_id % 12) * HOUR + label.rev_id


def recount(told: list[Label], watermark: float, window_s: float) -> QualityFigures:
    newest = {(label.wiki, label.rev_id): label for label in told}
    end = (watermark - 48 * HOUR) // HOUR * HOUR
    judged = [
        label for label in newest.values()
        if label.label is not None and end - window_s <= time_of(label) < end
    ]  # fmt: skip
    alerted = [label.label == "reverted" for label in judged if label.alerted]
    caught = [label.alerted for label in judged if label.label == "reverted"]
    bins: dict[int, list[tuple[float, bool]]] = {}
    for label in judged:
        if label.revert_risk is not None:
            at = min(int(label.revert_risk * 10), 9)
            bins.setdefault(at, []).append((label.revert_risk, label.label == "reverted"))
    scored = sum(map(len, bins.values()))
    distance = sum(
        len(edits) * abs(sum(r for r, _ in edits) / len(edits) - sum(b for _, b in edits) / len(edits))
        for edits in bins.values()
    )
    return QualityFigures(
        sum(alerted) / len(alerted) if len(alerted) >= 3 else math.nan,
        sum(caught) / len(caught) if len(caught) >= 3 else math.nan,
        distance / scored if scored >= 3 else math.nan,
        len(judged),
    )


@given(
    told=st.lists(labels, max_size=120),
    again=st.integers(0, 120),
    looks=st.sets(st.integers(0, 120), max_size=3),
    ended=st.integers(-2, 14),
    hours=st.integers(1, 12),
    pending=st.integers(1, 50),
)
def test_figures_are_those_of_a_recount(
    told: list[Label], again: int, looks: set[int], ended: int, hours: int, pending: int
) -> None:
    watermark = (FIRST + ended + 48) * HOUR + 1_234
    quality = LiveQuality()
    # Read anew from somewhere before the end, as after a restart of the reader.
    read = [*told, *told[again:]]
    with (
        patch.object(live_quality, "_PENDING", pending),
        patch.object(live_quality, "ENOUGH_CASES", 3),
        patch.object(live_quality, "ENOUGH_SCORED", 3),
    ):
        for at, label in enumerate(read):
            quality.fold_edit(
                live_quality._key_of(label.wiki, label.rev_id),
                time_of(label),
                label.label,
                label.revert_risk,
                alerted=label.alerted,
            )
            if at in looks:
                quality.figures(watermark, hours * HOUR)
        found = quality.figures(watermark, hours * HOUR)
    expected = recount(told, watermark, hours * HOUR)
    assert found.judged_edits == expected.judged_edits
    for one, other in zip(found, expected, strict=True):
        assert math.isclose(one, other, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
