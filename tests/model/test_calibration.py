"""A probability that holds on the page: the shift follows the reverts that were seen there."""

from __future__ import annotations

from math import log, nan

import numpy as np
import pytest

from models.calibration import USUAL, Calibration, page_rate
from models.classifier import probability_of
from models.features import FEATURE_NAMES
from models.fit_calibration import BY_PAGE, calibrate_pages

RATE = FEATURE_NAMES.index("page_revert_rate")


def rows(rates: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    matrix = np.zeros((len(rates), len(FEATURE_NAMES)))
    matrix[:, RATE] = rates
    return matrix


def test_a_page_of_which_nothing_is_known_counts_as_a_usual_one() -> None:
    assert page_rate(rows([nan, USUAL, log(0.3)])) == pytest.approx([0.0, 0.0, log(0.3 / 0.06)])


def test_it_is_linear() -> None:
    found = Calibration(0.5, -1.0, 2.0).of(np.array([2.0, 2.0]), rows([nan, USUAL + 0.25]))
    assert found == pytest.approx([0.0, 0.5])


def test_slope_and_shift_are_found_beside_what_the_page_says() -> None:
    random = np.random.default_rng(1)
    raws, matrices, labels = [], [], []
    for rate in (0.05, 0.4):
        raw = random.normal(0, 1.5, 4_000)
        truth = probability_of(0.8 * raw + BY_PAGE * (log(rate) - USUAL) - 1.5)
        raws.append(raw)
        matrices.append(rows([log(rate)] * len(raw)))
        labels.append(random.random(len(raw)) < truth)
    fitted = calibrate_pages(raws, matrices, labels)
    assert fitted == pytest.approx((0.8, -1.5, BY_PAGE), abs=0.08)
    for raw, matrix, label in zip(raws, matrices, labels, strict=True):
        assert probability_of(fitted.of(raw, matrix)).mean() == pytest.approx(label.mean(), abs=0.015)


def test_labels_all_alike_give_finite_numbers() -> None:
    raw = np.linspace(-3, 3, 50)
    fitted = calibrate_pages([raw], [rows([nan] * 50)], [np.ones(50, dtype=bool)])
    assert np.isfinite(fitted).all()
