"""From which risk on an edit alerts whose page was asked about: learnt from articles left out, so that
asking alerts less of what stands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.dataset import Rows
from models.situations import ASKED_BUDGET, SITUATIONS, AskedAbout
from models.term_table import TermTable
from models.thresholds import asked_thresholds_of
from streams.stages.recent_history import ASK_SHARE
from tests.model.test_situations import NO_HISTORY, row

Floats = npt.NDArray[np.float64]
LIMITS = {str(situation): 0.4 for situation in SITUATIONS}
FACT = row(**{**NO_HISTORY, "number_swaps": 1.0})
OTHER = row(**NO_HISTORY)


def article(matrix: Floats, label: npt.NDArray[np.bool_]) -> Rows:
    every = np.ones(len(label), dtype=bool)
    return Rows(
        "article", matrix, TermTable([]), label, every, np.ones(len(label)), np.full(len(label), -1), [], True
    )  # fmt: skip


def found(
    rows: list[list[float]], first: Floats, again: Floats, label: Floats | None = None
) -> dict[str, float]:
    matrix = np.array(rows)
    labels = np.zeros(len(rows), dtype=bool) if label is None else label.astype(bool)
    every = np.arange(len(rows))
    return asked_thresholds_of([article(matrix, labels)], [(matrix, first)], [(again, every)], LIMITS)


@pytest.mark.parametrize("kind", list(AskedAbout))
def test_of_the_edits_that_stood_the_budget_alerts(kind: AskedAbout) -> None:
    rng = np.random.default_rng(4)
    first, again = rng.uniform(0, 1, 2_000), rng.uniform(0, 1, 2_000)
    limit = found([FACT if kind is AskedAbout.FACT else OTHER] * 2_000, first, again)[kind]
    alerts = (first >= ASK_SHARE * 0.4) & (again > limit)
    assert alerts.mean() == pytest.approx(ASKED_BUDGET[kind], abs=1e-3)


def test_what_was_not_asked_about_can_not_alert_and_moves_nothing() -> None:
    rng = np.random.default_rng(5)
    first, again = rng.uniform(0, 1, 1_000), rng.uniform(0, 1, 1_000)
    unasked = first < ASK_SHARE * 0.4
    louder = np.where(unasked, 1.0, again)
    assert found([FACT] * 1_000, first, again) == found([FACT] * 1_000, first, louder)
    louder = np.where(unasked, again, 1.0)
    assert found([FACT] * 1_000, first, again) != found([FACT] * 1_000, first, louder)


def test_edits_that_were_reverted_do_not_count() -> None:
    rng = np.random.default_rng(6)
    first, again = np.full(1_000, 0.9), rng.uniform(0, 1, 1_000)
    reverted = (again > 0.5).astype(float)
    assert found([FACT] * 1_000, first, again, reverted)["asked, fact"] < 0.5


def test_values_and_the_rest_have_a_threshold_each_and_articles_weigh_the_same() -> None:
    """Of the second article nothing is asked about, so the first may alert on twice the share."""
    again = np.linspace(0, 1, 100, endpoint=False)
    matrix = np.array([FACT] * 100)
    label, every = np.zeros(100, dtype=bool), np.arange(100)
    long = np.arange(10_000)
    quiet = np.array([FACT] * 10_000)
    limits = asked_thresholds_of(
        [article(matrix, label), article(quiet, np.zeros(10_000, dtype=bool))],
        [(matrix, np.full(100, 0.9)), (quiet, np.zeros(10_000))],
        [(again, every), (np.ones(10_000), long)],
        LIMITS,
    )
    assert limits == {"asked, fact": pytest.approx(1 - 2 * ASKED_BUDGET[AskedAbout.FACT], abs=0.011)}
