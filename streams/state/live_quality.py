"""How good the alerts were, by what the community did afterwards, or a person said: precision, recall and
calibration of edits whose 48 hours are over.

Of an edit made less than 48 h ago that nobody reverted nothing is known yet. Counted as good it would
make precision too low; left out, while those already reverted count, too high. So a figure is of all
edits of a span that ended 48 h before the watermark, and never of later ones.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.records import Label, LabelKind, Verdict

#: When every edit has its label (`streams.store.batch.KEPT_AFTER_S`).
SETTLED_AFTER_S = 48 * 3_600.0
_HOUR_S = 3_600
#: The widest window of seven days, two days until labels are known, and one that clocks may be ahead.
HOURS = 24 * 10
#: Of one hour; all of enwiki has 6,000 edits in one. Of more, a share is kept that the edit's own key
#: chooses, so that a label and what takes it back meet: figures stay what they are, within chance.
#: 13 bytes each: 26 MB at most.
EDITS_OF_HOUR = 8_192
#: Less than so many alerted (or reverted) edits give no precision (or recall): with 50 its standard
#: error is up to .07, and a fall by a fifth can be told from chance.
ENOUGH_CASES = 50
#: Less than so many scored edits give no calibration error: a model without any error shows .01 by chance
#: at 1,000 edits (and .04 at 100), as distances in ten bins never cancel.
ENOUGH_SCORED = 1_000
BINS = 10
#: Labels held before they are put in order.
_PENDING = 2_048

_REVERTED, _ALERTED, _NO_LABEL = 1, 2, 4
#: What a person says, kept beside the label: he may leave it to the community again.
_SAID, _SAID_REVERTED = 8, 16
_BY_PERSON = np.uint8(_SAID | _SAID_REVERTED)

Keys: TypeAlias = NDArray[np.uint64]


class QualityFigures(NamedTuple):
    """NaN where there is not enough to tell."""

    precision: float
    """Share of those alerted that were reverted."""
    recall: float
    """Share of those reverted that had been alerted."""
    calibration_error: float
    """Expected calibration error: distance of mean revert_risk from the share reverted, by ten bins of
    equal width, weighted by their edits."""
    judged_edits: int
    """With a label. Estimated where an hour had more than `EDITS_OF_HOUR`."""


class LiveQuality:
    """Labels and verdicts in, each in the order they were given; figures out. A label told again changes
    nothing, a later one of the same edit takes its place: reading a topic anew, from any earlier place, ends
    where reading it once does. So do verdicts, and which of the two come first does not matter."""

    def __init__(self, *, sampled: int = 0) -> None:
        """`sampled`: only edits come in whose keys end in so many zero bits."""
        self._sampled = sampled
        self._hours: dict[int, _Hour] = {}
        self._pending: list[tuple[int, float, int, float, bool]] = []

    def fold(self, label: Label) -> None:
        self.fold_edit(
            _key_of(label.wiki, label.rev_id),
            label.event_time,
            label.label,
            label.revert_risk,
            alerted=label.alerted,
        )

    def fold_edit(
        self,
        key: int,
        event_time: float,
        label: LabelKind | None,
        revert_risk: float | None,
        *,
        alerted: bool,
    ) -> None:
        """`key` names the edit, 64 bits; None takes an earlier label back."""
        if not math.isfinite(event_time):
            return
        bits = _ALERTED if alerted else 0
        if label is None:
            bits |= _NO_LABEL
        elif label == LabelKind.REVERTED:
            bits |= _REVERTED
        risk = math.nan if revert_risk is None or not 0 <= revert_risk <= 1 else revert_risk
        self._add((key, event_time, bits, risk, False))

    def fold_verdict(self, wiki: str, rev_id: int, event_time: float, verdict: Verdict) -> None:
        """On an edit that alerted. It comes before the edit's label until one is `unsure`; the score as it was
        given comes with the label alone."""
        if not math.isfinite(event_time):
            return
        bits = 0 if verdict is Verdict.UNSURE else _SAID
        if verdict is Verdict.DAMAGING:
            bits |= _SAID_REVERTED
        self._add((_key_of(wiki, rev_id), event_time, bits, math.nan, True))

    def _add(self, one: tuple[int, float, int, float, bool]) -> None:
        self._pending.append(one)
        if len(self._pending) >= _PENDING:
            self._settle()

    def figures(self, watermark: float, window_s: float) -> QualityFigures:
        """Of the edits made in the whole hours of `window_s` that had ended 48 h before `watermark`."""
        self._settle()
        below = math.floor((watermark - SETTLED_AFTER_S) / _HOUR_S)
        first = below - round(window_s / _HOUR_S)
        sums = [hour.sums() for at, hour in self._hours.items() if first <= at < below]
        return _figures(np.sum(sums, axis=0) if sums else np.zeros(_SUMS))

    def _settle(self) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        keys = np.array([one[0] for one in pending], dtype=np.uint64)
        hours = np.array([one[1] for one in pending]) // _HOUR_S
        bits = np.array([one[2] for one in pending], dtype=np.uint8)
        risks = np.array([one[3] for one in pending], dtype=np.float32)
        said = np.array([one[4] for one in pending], dtype=np.bool_)
        for at in np.unique(hours).tolist():
            hour = self._hour(int(at))
            if hour is not None:
                labels, verdicts = (hours == at) & ~said, (hours == at) & said
                hour.take(keys[labels], bits[labels], risks[labels])
                if verdicts.any():
                    hour.hear(keys[verdicts], bits[verdicts])

    def _hour(self, at: int) -> _Hour | None:
        """None if it is older than all that are kept."""
        found = self._hours.get(at)
        if found is None:
            if len(self._hours) >= HOURS:
                oldest = min(self._hours)
                if at < oldest:
                    return None
                del self._hours[oldest]
            found = self._hours[at] = _Hour(self._sampled)
        return found


#: Edits, reverted, alerted, both; then by bin: scored edits, sum of their risks, reverted ones.
_SUMS = 4 + 3 * BINS


class _Hour:
    """Edits made in one hour that have, or had, a label or a verdict, each once, in the order of their keys.
    One whose label was taken back stays, with its score: a person may judge it yet."""

    __slots__ = ("_bits", "_keys", "_risks", "_sampled", "_sums")

    def __init__(self, sampled: int) -> None:
        self._sampled = sampled
        self._keys: Keys = np.empty(0, dtype=np.uint64)
        self._bits = np.empty(0, dtype=np.uint8)
        self._risks = np.empty(0, dtype=np.float32)
        self._sums: NDArray[np.float64] | None = None

    def take(self, keys: Keys, bits: NDArray[np.uint8], risks: NDArray[np.float32]) -> None:
        """Labels, in the order they were given: the last of each key counts."""
        said = self._known(keys)[0] & _BY_PERSON
        self._put(keys, bits | said, risks)

    def hear(self, keys: Keys, bits: NDArray[np.uint8]) -> None:
        """Verdicts, in the same way."""
        known, risks = self._known(keys)
        self._put(keys, bits | (known & ~_BY_PERSON), risks)

    def _known(self, keys: Keys) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Bits and scores of these edits so far."""
        bits = np.full(len(keys), _NO_LABEL, dtype=np.uint8)
        risks = np.full(len(keys), np.nan, dtype=np.float32)
        at = np.searchsorted(self._keys, keys)
        here = at < len(self._keys)
        here[here] = self._keys[at[here]] == keys[here]
        bits[here], risks[here] = self._bits[at[here]], self._risks[at[here]]
        return bits, risks

    def _put(self, keys: Keys, bits: NDArray[np.uint8], risks: NDArray[np.float32]) -> None:
        keys = np.concatenate((self._keys, keys))[::-1]
        bits = np.concatenate((self._bits, bits))[::-1]
        risks = np.concatenate((self._risks, risks))[::-1]
        keys, last = np.unique(keys, return_index=True)
        bits, risks = bits[last], risks[last]
        stays = self._chosen(keys)
        while np.count_nonzero(stays) > EDITS_OF_HOUR:
            self._sampled += 1
            stays &= self._chosen(keys)
        self._keys, self._bits, self._risks = keys[stays], bits[stays], risks[stays]
        self._sums = None

    def _chosen(self, keys: Keys) -> NDArray[np.bool_]:
        chosen: NDArray[np.bool_] = keys & np.uint64((1 << self._sampled) - 1) == 0
        return chosen

    def sums(self) -> NDArray[np.float64]:
        if self._sums is None:
            judged = self._bits & (_NO_LABEL | _SAID) != _NO_LABEL
            bits, scores = self._bits[judged], self._risks[judged]
            said = bits & _SAID != 0
            reverted = np.where(said, bits & _SAID_REVERTED, bits & _REVERTED) != 0
            alerted = bits & (_ALERTED | _SAID) != 0  # verdicts are of edits that alerted
            counts = [len(bits), reverted.sum(), alerted.sum(), (reverted & alerted).sum()]
            scored = ~np.isnan(scores)
            risks = scores[scored].astype(np.float64)
            bins = np.minimum((risks * BINS).astype(np.int64), BINS - 1)
            by_bin = [
                np.bincount(bins, weights=weights, minlength=BINS)
                for weights in (None, risks, reverted[scored].astype(np.float64))
            ]
            # What was left out is like what was kept.
            self._sums = np.concatenate((counts, *by_bin)) * float(1 << self._sampled)
        return self._sums


def _figures(sums: NDArray[np.float64]) -> QualityFigures:
    judged, reverted, alerted, both = sums[:4].tolist()
    edits, risks, reverted_by_bin = sums[4:].reshape(3, BINS)
    scored = float(edits.sum())
    return QualityFigures(
        precision=both / alerted if alerted >= ENOUGH_CASES else math.nan,
        recall=both / reverted if reverted >= ENOUGH_CASES else math.nan,
        calibration_error=(
            float(np.abs(risks - reverted_by_bin).sum()) / scored
            if scored >= ENOUGH_SCORED
            else math.nan
        ),
        judged_edits=round(judged),
    )


def _key_of(wiki: str, rev_id: int) -> int:
    raw = blake2b(f"{wiki}:{rev_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "big")
