"""A command whose libraries come with an extra says which, in one line."""

from __future__ import annotations

import pytest

from streams.cli.without_extra import kafka_extra
from streams.errors import FactwatchError


def test_a_missing_library_of_the_extra_is_one_line() -> None:
    with pytest.raises(FactwatchError, match=r"pip install 'factwatch\[kafka\]'") as said, kafka_extra():
        raise ModuleNotFoundError("No module named 'kafka.admin'", name="kafka.admin")
    assert "\n" not in str(said.value)


def test_a_module_of_our_own_that_is_missing_is_our_mistake() -> None:
    with pytest.raises(ModuleNotFoundError), kafka_extra():
        raise ModuleNotFoundError("No module named 'streams.x'", name="streams.x")
