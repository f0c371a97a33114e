"""What every test may ask for: the real data beside the checkout, and hypothesis's profiles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

CHECKOUT = Path(__file__).resolve().parent.parent

# No deadline: a slow machine is not a bug. In CI the same examples every time, so that a failure
# there is a failure here; at home new ones at each run.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def data_directory() -> Path:
    """Where the real data is (`FACTWATCH_TEST_DATA`, else `../shared/data` beside the checkout);
    the directory need not exist."""
    named = os.environ.get("FACTWATCH_TEST_DATA")
    return Path(named).expanduser() if named else CHECKOUT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of real data. Tests that ask for it are skipped where it is absent, in CI too:
    it is no tool that could be installed."""
    directory = data_directory()
    if not directory.is_dir():
        pytest.skip(f"needs the real data: none in {directory}; FACTWATCH_TEST_DATA names another place")
    return directory
