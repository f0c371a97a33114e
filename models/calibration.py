"""From the trees' log-odds to a probability that holds on this page.

The articles learnt from are reverted three to seven times as often as a wiki's pages in the mean. What
is true of them is not true of a quiet page, so the shift follows the rate of reverts that was seen on the
page itself, and a page of which little is known counts as a usual one.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES, USUAL_RATE

Floats = NDArray[np.float64]
USUAL = log(USUAL_RATE)
_RATE_AT = FEATURE_NAMES.index("page_revert_rate")


class Calibration(NamedTuple):
    """Log-odds = slope * raw + shift + by_page * (log of the page's rate of reverts - of the usual)."""

    slope: float
    shift: float
    by_page: float

    def of(self, raw: Floats, matrix: Floats) -> Floats:
        """Calibrated log-odds of rows whose raw ones are given."""
        found: Floats = raw * self.slope + (self.shift + self.by_page * page_rate(matrix))
        return found


def page_rate(matrix: Floats) -> Floats:
    """Log of the rate of reverts against the usual one; 0 where the page is not known."""
    rate = matrix[:, _RATE_AT]
    known: Floats = np.where(np.isnan(rate), 0.0, rate - USUAL)
    return known
