"""How good alerts are, told by one process from its own store: what labels its commits gave and took
back, and what people said, is read there, where the score that was given at the time stands too."""

from __future__ import annotations

from collections.abc import Callable

from streams.metrics import QUALITY_WINDOWS, QualityMetrics
from streams.state.live_quality import HOURS, LiveQuality
from streams.store.batch import ALERTED, CHALLENGER_ALERTS, CHAMPION_ALERTS, Batch
from streams.store.labelled import Labelled, first_row_since, labelled
from streams.store.sqlite import SqliteStore

#: Processing time between two looks: labels are hours old when they come.
LOOK_EVERY_S = 5.0
#: Edits read at a start, which takes a second or so. Of more, one of 2, 4, 8 … is counted from then on.
READ_AT_START = 250_000
#: Rows to be read that are held; more are read at once.
_ROWS = 50_000


class LiveLabels:
    """To be used by the thread that commits. An edit's key is the number of its row."""

    def __init__(
        self,
        store: SqliteStore,
        metrics: QualityMetrics,
        timer: Callable[[], float],
        *,
        read_at_start: int = READ_AT_START,
        challenger: str | None = None,
    ) -> None:
        """Reads what the store has labels of. `timer`: processing time, monotonic seconds. `challenger`:
        version of the model that scores along in shadow."""
        self._store = store
        self._metrics = metrics
        self._timer = timer
        self._look_at = timer()
        self._rows: list[int] = []
        self._verdicts = Heard(store)
        watermark = store.watermark().time
        below = store.next_row()
        first = first_row_since(store, watermark - HOURS * 3_600.0)
        sampled = 0
        while (below - first) >> sampled > read_at_start:
            sampled += 1
        self._step = 1 << sampled
        self._quality = LiveQuality(sampled=sampled)
        self._contest = (
            LiveContest(store.challenger_since(challenger), sampled) if challenger is not None else None
        )
        self._note(first, below)
        self._read()
        self._show(watermark)

    def committed(self, batch: Batch) -> None:
        """After each commit."""
        if batch.kept_rows is not None:
            self._note(batch.kept_rows.first, batch.kept_rows.below)
        self._rows += [label.row for label in batch.labels if label.row % self._step == 0]
        if len(self._rows) >= _ROWS:
            self._read()

    def look(self, watermark: float) -> None:
        """Bring the figures up to date, if it is time. `watermark`: event time that has passed."""
        now = self._timer()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY_S
        self._rows += [row for row in self._verdicts.new_rows() if row % self._step == 0]
        self._read()
        self._show(watermark)

    def _show(self, watermark: float) -> None:
        set_live_quality(self._metrics, self._quality, watermark)
        if self._contest is not None:
            self._contest.show(self._metrics, watermark)

    def _note(self, first: int, below: int) -> None:
        self._rows += range(first + -first % self._step, below, self._step)

    def _read(self) -> None:
        rows, self._rows = self._rows, []
        for edit in labelled(self._store, rows):
            self._quality.fold_edit(
                edit.row,
                edit.event_time,
                edit.label,
                edit.revert_risk,
                alerted=bool(edit.flags & ALERTED),
            )
            if self._contest is not None:
                self._contest.fold(edit)


class LiveContest:
    """A challenger in shadow and the model in use, on the edits that both scored."""

    def __init__(self, first_row: int, sampled: int) -> None:
        """`first_row`: of the edits that this challenger scored."""
        self._first_row = first_row
        self._champion = LiveQuality(sampled=sampled)
        self._challenger = LiveQuality(sampled=sampled)

    def fold(self, edit: Labelled) -> None:
        if edit.challenger_risk is None or edit.row < self._first_row:
            return
        for quality, risk, flag in (
            (self._champion, edit.revert_risk, CHAMPION_ALERTS),
            (self._challenger, edit.challenger_risk, CHALLENGER_ALERTS),
        ):
            quality.fold_edit(
                edit.row, edit.event_time, edit.label, risk, alerted=bool(edit.flags & flag)
            )

    def show(self, metrics: QualityMetrics, watermark: float) -> None:
        for window, window_s in QUALITY_WINDOWS.items():
            champion = self._champion.figures(watermark, window_s)
            found = self._challenger.figures(watermark, window_s)
            metrics.challenger_precision.labels(window).set(found.precision)
            metrics.challenger_recall.labels(window).set(found.recall)
            metrics.challenger_precision_difference.labels(window).set(
                found.precision - champion.precision
            )
            metrics.challenger_recall_difference.labels(window).set(found.recall - champion.recall)
            metrics.challenger_judged_edits.labels(window).set(found.judged_edits)


class Heard:
    """Of which edits people said something since the start: another process may have written it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        (self._seq,) = self._numbers("SELECT coalesce(max(seq), 0) FROM verdicts")

    def new_rows(self) -> list[int]:
        seqs = self._numbers("SELECT seq FROM verdicts WHERE seq > ? ORDER BY seq", self._seq)
        if not seqs:
            return []
        rows = self._numbers(
            "SELECT DISTINCT row FROM verdicts WHERE seq > ? AND seq <= ?", self._seq, seqs[-1]
        )
        self._seq = seqs[-1]
        return rows

    def _numbers(self, sql: str, *values: int) -> list[int]:
        return [int(str(number)) for (number,) in self._store.query(sql, values)]


def set_live_quality(metrics: QualityMetrics, quality: LiveQuality, watermark: float) -> None:
    """`watermark`: event time that has passed. Cheap: what did not change is not counted anew."""
    for window, window_s in QUALITY_WINDOWS.items():
        figures = quality.figures(watermark, window_s)
        metrics.precision.labels(window).set(figures.precision)
        metrics.recall.labels(window).set(figures.recall)
        metrics.calibration_error.labels(window).set(figures.calibration_error)
        metrics.judged_edits.labels(window).set(figures.judged_edits)
