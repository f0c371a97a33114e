"""What the code says of itself holds: the stages named are there, the settings are documented."""

from __future__ import annotations

import importlib
import re

import pytest

from streams.pipeline import STAGES, StageEntry
from streams.reasons import Stage
from streams.settings import PARSERS, variable_of
from tests.conftest import CHECKOUT


@pytest.mark.parametrize("entry", STAGES, ids=lambda entry: entry.stage)
def test_a_stage_names_modules_that_are_there(entry: StageEntry) -> None:
    for name in entry.module.split(", "):
        importlib.import_module(name)


def test_every_stage_is_in_the_table_once_and_in_a_stated_order() -> None:
    assert sorted(entry.stage for entry in STAGES) == sorted(Stage)


def test_the_settings_in_the_readme_are_those_there_are() -> None:
    named = set(re.findall(r"FACTWATCH_[A-Z_]*[A-Z]", (CHECKOUT / "README.md").read_text("utf-8")))
    named = {name for name in named if not name.startswith("FACTWATCH_TEST_")}
    if not named:
        pytest.skip("the README names no setting yet")
    assert named == {variable_of(field) for field in PARSERS}
