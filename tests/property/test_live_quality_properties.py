"""Figures of live quality against a recount of all labels and verdicts, by the most naive way there is."""

from __future__ import annotations

import math
from typing import NamedTuple
from unittest.mock import patch

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.records import Label, LabelKind, Verdict
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


class Said(NamedTuple):
    wiki: str
    rev_id: int
    verdict: Verdict


class Judged(NamedTuple):
    event_time: float
    bad: bool
    alerted: bool
    risk: float | None


verdicts = st.builds(
    Said, st.sampled_from(["enwiki", "dewiki"]), st.integers(1, 40), st.sampled_from(list(Verdict))
)


def time_of(label: Label | Said) -> float:
    """An edit's time never changes."""
    return (FIRST + label.rev_id % 12) * HOUR + label.rev_id


def recount(told: list[Label | Said], watermark: float, window_s: float) -> QualityFigures:
    newest = {(one.wiki, one.rev_id): one for one in told if isinstance(one, Label)}
    words = {(one.wiki, one.rev_id): one for one in told if isinstance(one, Said)}
    judged: list[Judged] = []
    for key in newest.keys() | words.keys():
        label, said = newest.get(key), words.get(key)
        bad = None if label is None or label.label is None else label.label == "reverted"
        alerted = label is not None and label.label is not None and label.alerted
        if said is not None and said.verdict is not Verdict.UNSURE:
            bad, alerted = said.verdict is Verdict.DAMAGING, True
        if bad is not None:
            one = label or said
            assert one is not None
            judged.append(Judged(time_of(one), bad, alerted, label.revert_risk if label else None))
    end = (watermark - 48 * HOUR) // HOUR * HOUR
    judged = [one for one in judged if end - window_s <= one.event_time < end]
    alerted_ones = [one.bad for one in judged if one.alerted]
    caught = [one.alerted for one in judged if one.bad]
    bins: dict[int, list[tuple[float, bool]]] = {}
    for edit in judged:
        if edit.risk is not None:
            at = min(int(edit.risk * 10), 9)
            bins.setdefault(at, []).append((edit.risk, edit.bad))
    scored = sum(map(len, bins.values()))
    distance = sum(
        len(edits) * abs(sum(r for r, _ in edits) / len(edits) - sum(b for _, b in edits) / len(edits))
        for edits in bins.values()
    )
    return QualityFigures(
        sum(alerted_ones) / len(alerted_ones) if len(alerted_ones) >= 3 else math.nan,
        sum(caught) / len(caught) if len(caught) >= 3 else math.nan,
        distance / scored if scored >= 3 else math.nan,
        len(judged),
    )


@given(
    told=st.lists(labels | verdicts, max_size=120),
    again=st.integers(0, 120),
    looks=st.sets(st.integers(0, 120), max_size=3),
    ended=st.integers(-2, 14),
    hours=st.integers(1, 12),
    pending=st.integers(1, 50),
)
def test_figures_are_those_of_a_recount(
    told: list[Label | Said], again: int, looks: set[int], ended: int, hours: int, pending: int
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
        for at, one in enumerate(read):
            if isinstance(one, Said):
                quality.fold_verdict(one.wiki, one.rev_id, time_of(one), one.verdict)
            else:
                quality.fold(msgspec.structs.replace(one, event_time=time_of(one)))
            if at in looks:
                quality.figures(watermark, hours * HOUR)
        found = quality.figures(watermark, hours * HOUR)
    expected = recount(told, watermark, hours * HOUR)
    assert found.judged_edits == expected.judged_edits
    for one, other in zip(found, expected, strict=True):
        assert math.isclose(one, other, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
