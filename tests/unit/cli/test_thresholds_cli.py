"""`factwatch thresholds` on a history, and what the next start makes of its answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.classifier import load_classifier
from streams.cli.compose import alert_policy
from streams.cli.thresholds import thresholds
from streams.errors import BadSetting
from streams.settings import Settings
from tests.model.histories import export, life


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "page.xml"
    path.write_text(export(life(seed=4, edits=120)), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def ask(history: Path, *options: str) -> Result:
    return CliRunner().invoke(thresholds, [str(history), *options], catch_exceptions=False)


def test_the_answer_keeps_to_the_question(history: Path, data_dir: Path) -> None:
    (found,) = json.loads(ask(history, "--false-alarms", "0.5", "--json").stdout)
    assert found["wiki"] == "testwiki"
    assert found["false_alarms_a_day"]["value"] <= 0.5
    assert found["catches_a_day"]["value"] > 0
    assert found["model_version"] == load_classifier().version
    assert not data_dir.exists()


def test_fewer_false_alarms_ask_for_a_higher_threshold(history: Path) -> None:
    (few,) = json.loads(ask(history, "--fpr", "1", "--json").stdout)
    (many,) = json.loads(ask(history, "--fpr", "20", "--json").stdout)
    assert few["threshold"] > many["threshold"]
    assert few["recall"]["value"] <= many["recall"]["value"]


def test_a_kept_answer_is_the_policy_of_the_next_start_with_this_model(
    history: Path, data_dir: Path
) -> None:
    (found,) = json.loads(ask(history, "--fpr", "2", "--keep", "--json").stdout)
    settings = Settings(data_dir=data_dir)
    policy = alert_policy(settings, load_classifier().version)
    assert policy.by_wiki == {"testwiki": found["threshold"]}
    assert alert_policy(settings, "another").by_wiki == {}


def test_it_is_shown_as_a_table(history: Path) -> None:
    shown = ask(history, "--fpr", "2").stdout
    assert "testwiki" in shown
    assert "At most 2 % of the edits that stood" in shown


@pytest.mark.parametrize("options", [(), ("--fpr", "1", "--false-alarms", "1")])
def test_one_question_is_wanted(history: Path, options: tuple[str, ...]) -> None:
    with pytest.raises(BadSetting, match="either"):
        ask(history, *options)
