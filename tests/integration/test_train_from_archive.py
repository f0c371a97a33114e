"""A wiki's own feed through the real runner and store; then `factwatch train --from-archive` learns from what
was seen, takes the better model into use, and leaves a better one in place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from models.classifier import load_classifier
from streams.archive.database import Database
from streams.archive.migrate import migrate
from streams.archive.writer import ArchiveWriter
from streams.cli.compose import alert_policy, build_processor, load_model, training_sample
from streams.cli.main import cli
from streams.cli.places import store_path
from streams.content.wiki_facts import WikiFacts
from streams.errors import BadArtifact, BadInput, BadSetting, ChampionStays
from streams.metrics import Metrics
from streams.records import Label, SeenFeatures, Verdict
from streams.runners.embedded import EmbeddedRunner
from streams.settings import Settings
from streams.sources.base import SourceItem
from streams.store.retention import Retention, TrainingBounds
from streams.store.sqlite import SqliteStore
from tests.archive_world import Logs, deliver, said
from tests.core_world import DAY, START, ListSource, StillClock
from tests.seen_world import feed

DAYS = 9.0


def watch(settings: Settings, raws: Iterable[bytes]) -> None:
    """As `factwatch run` does."""
    store, model = SqliteStore(store_path(settings)), load_model(settings)
    try:
        EmbeddedRunner(
            source=ListSource([SourceItem("", raw=raw) for raw in raws]),
            store=store,
            processor=build_processor(
                settings,
                store,
                model,
                WikiFacts(),
                history=False,
                all_wikis=True,
                sample=training_sample(settings, model),
            ),
            metrics=Metrics(CollectorRegistry()),
            clock=StillClock(),
            retention=Retention(store, settings.retention_days, training=TrainingBounds(90, 256e6)),
        ).run_file()
    finally:
        store.close()


def train(settings: Settings, monkeypatch: pytest.MonkeyPatch, *options: str) -> Any:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(settings.data_dir))
    return CliRunner().invoke(cli, ["train", "--from-archive", *options])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The wiki's custom is not what the package's model learnt."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("watched"))
    watch(settings, feed(DAYS))
    return settings


@pytest.fixture
def settings(watched: Settings, tmp_path: Path) -> Settings:
    store_path(Settings(data_dir=tmp_path)).write_bytes(store_path(watched).read_bytes())
    return Settings(data_dir=tmp_path)


def test_a_better_challenger_is_promoted_and_loaded_from_then_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_model(settings).version
    done = train(settings, monkeypatch, "--promote", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["promoted"] is True
    assert told["report"]["contest"]["outcome"] == "better"
    assert told["report"]["champion"] == before
    assert load_model(settings).version == told["report"]["challenger"] != before
    assert f"remove {settings.data_dir / 'champion'}" in done.stderr
    (settings.data_dir / "champion").unlink()
    assert load_model(settings).version == before


def test_a_worse_challenger_is_refused_and_the_figures_say_why(
    tmp_path: Path, watched: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a week the wiki was another; the model in use was learnt from the custom that holds again now."""
    taught = tmp_path / "taught"
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(watched.data_dir))
    assert CliRunner().invoke(cli, ["train", "--from-archive", "--out", str(taught)]).exit_code == 0
    settings = Settings(data_dir=tmp_path / "data", model_dir=str(taught))
    monkeypatch.setenv("FACTWATCH_MODEL_DIR", str(taught))
    other = feed(7.0, seed=2, spammers_link=False)
    watch(settings, chain(other, feed(4.0, seed=3, begin=START + 7.0 * DAY)))
    done = train(settings, monkeypatch)
    assert isinstance(done.exception, ChampionStays)
    assert done.exception.exit_code == 11
    assert "the challenger is worse" in str(done.exception)
    assert "ROC-AUC" in done.stdout
    assert load_model(settings).version == load_classifier(taught).version
    monkeypatch.delenv("FACTWATCH_MODEL_DIR")
    (settings.data_dir / "models").mkdir()
    (settings.data_dir / "champion").symlink_to(taught)
    done = train(settings, monkeypatch, "--promote")
    assert isinstance(done.exception, ChampionStays)
    assert load_model(Settings(data_dir=settings.data_dir)).version == load_classifier(taught).version


def test_a_challenger_has_a_directory_of_its_own_until_it_is_promoted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_model(settings).version
    done = train(settings, monkeypatch)
    assert done.exit_code == 0, done.output
    assert load_model(settings).version == before
    assert load_classifier(settings.data_dir / "challenger").version != before


def test_a_day_is_too_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    watch(settings, feed(1.0))
    done = train(settings, monkeypatch)
    assert isinstance(done.exception, BadInput)
    assert "0 settled edits, 2,000 are wanted" in str(done.exception)


@pytest.mark.parametrize("asked", [5.0, 40.0])
def test_thresholds_are_answered_from_what_was_seen(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, asked: float
) -> None:
    """The sample's answer holds for the whole log of edits."""
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(settings.data_dir))
    done = CliRunner().invoke(cli, ["thresholds", "--false-alarms", str(asked), "--json", "--keep"])
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)
    assert told["wiki"] == "enwiki"
    store = SqliteStore(store_path(settings))
    ((edits, wrong),) = store.query(
        "SELECT count(*), sum(coalesce(model_risk, risk) >= ? AND label = 'kept') FROM edits WHERE event_time <= ?",
        (told["threshold"], START + (DAYS - 2) * DAY),
    )
    store.close()
    false_alarms = told["false_alarms_a_day"]
    assert false_alarms["value"] <= asked
    assert int(str(wrong)) / told["days"] == pytest.approx(false_alarms["value"], rel=0.05, abs=0.3)
    assert told["edits"] == pytest.approx(edits, rel=0.1)
    policy = alert_policy(settings, load_model(settings).version)
    assert policy.by_wiki == {"enwiki": told["threshold"]}


def archived(settings: Settings) -> str:
    """The same edits as workers' labels bring them into an archive; its address."""
    store = SqliteStore(store_path(settings))
    found = store.query(
        "SELECT t.wiki, e.rev_id, e.label, t.event_time, e.labelled_time, t.risk, t.weight, t.model,"
        " t.feature_set, t.features FROM training_rows t JOIN edits e ON e.row = t.row"
        " WHERE e.label IS NOT NULL"
    )
    words = store.query(
        "SELECT v.verdict_id, v.verdict, e.rev_id FROM verdicts v JOIN edits e ON e.row = v.row ORDER BY v.seq"
    )
    store.close()
    url = f"sqlite:///{settings.data_dir}/archive.sqlite"
    database, logs = Database(url), Logs()
    migrate(database)
    for wiki, rev_id, label, event_time, labelled_time, risk, *seen in found:
        logs.label(
            msgspec.convert(
                {
                    "wiki": wiki,
                    "title": f"Page {rev_id}",
                    "rev_id": rev_id,
                    "label": label,
                    "event_time": event_time,
                    "labelled_time": labelled_time,
                    "revert_risk": risk,
                    "seen": dict(zip(SeenFeatures.__struct_fields__, seen, strict=True)),
                },
                Label,
            )
        )
    for verdict_id, verdict, rev_id in words:
        logs.verdict(said(str(verdict_id), Verdict(verdict), int(str(rev_id)), title=f"Page {rev_id}"))
    writer = ArchiveWriter(database)
    deliver(writer, *logs.all())
    writer.close()
    return url


def test_the_archive_of_workers_answers_and_teaches_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(settings.data_dir))
    asked = ["thresholds", "--false-alarms", "20", "--json"]
    from_store = json.loads(CliRunner().invoke(cli, asked).stdout)
    monkeypatch.setenv("FACTWATCH_DATABASE_URL", archived(settings))
    store_path(settings).unlink()
    assert json.loads(CliRunner().invoke(cli, asked).stdout) == from_store
    told = json.loads(train(settings, monkeypatch, "--json").stdout)
    assert told["report"]["contest"]["outcome"] == "better"


def test_so_it_does_where_people_said_otherwise(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(settings.data_dir))
    asked = ["thresholds", "--false-alarms", "20", "--json"]
    before = json.loads(CliRunner().invoke(cli, asked).stdout)
    store = SqliteStore(store_path(settings))
    wrong = store.query(
        "SELECT e.row FROM edits e JOIN training_rows t ON t.row = e.row"
        " WHERE e.label = 'kept' ORDER BY e.risk DESC LIMIT 60"
    )
    store.write(
        "INSERT INTO verdicts (verdict_id, row, verdict, alert_id, given_by, given_time, note)"
        " VALUES (?, ?, ?, 'a', '', 0, '')",
        [
            (f"{row} {turn}", row, verdict)
            for (row,) in wrong
            for turn, verdict in enumerate(("good", "damaging"))
        ],
    )
    store.close()
    from_store = json.loads(CliRunner().invoke(cli, asked).stdout)
    assert from_store != before
    monkeypatch.setenv("FACTWATCH_DATABASE_URL", archived(settings))
    store_path(settings).unlink()
    assert json.loads(CliRunner().invoke(cli, asked).stdout) == from_store


def test_thresholds_say_so_where_too_little_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path)
    watch(settings, feed(0.2))
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(cli, ["thresholds", "--fpr", "1"])
    assert isinstance(done.exception, BadInput)
    assert "0 settled edits" in str(done.exception)


def test_rows_of_another_part_on_words_are_not_mixed_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(store_path(settings))
    with store.transaction() as db:
        db.execute("UPDATE training_rows SET feature_set = 'other' WHERE row % 100 = 0")
        others = db.execute("SELECT count(*) FROM training_rows WHERE row % 100 = 0").fetchone()[0]
    store.close()
    told = json.loads(train(settings, monkeypatch, "--json").stdout)
    assert told["report"]["other_features"] == others > 0


def test_a_store_of_before_is_told_as_such(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(store_path(settings))
    store.query("PRAGMA user_version = 3")
    store.close()
    done = train(settings, monkeypatch)
    assert isinstance(done.exception, BadSetting)
    assert "another version" in str(done.exception)


def test_nothing_is_promoted_past_a_model_that_is_set(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTWATCH_MODEL_DIR", str(settings.data_dir / "mine"))
    done = train(settings, monkeypatch, "--promote")
    assert isinstance(done.exception, BadSetting)
    assert "FACTWATCH_MODEL_DIR" in str(done.exception)


def test_a_promoted_model_that_is_gone_is_missed(settings: Settings) -> None:
    (settings.data_dir / "champion").symlink_to(settings.data_dir / "models" / "gone")
    with pytest.raises(BadArtifact, match="champion"):
        load_model(settings)


def test_no_rows_are_kept_where_none_are_wanted(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, training_mb=0)
    watch(settings, feed(0.1))
    store = SqliteStore(store_path(settings))
    assert store.query("SELECT count(*) FROM training_rows") == [(0,)]
    assert store.query("SELECT count(*) > 500 FROM edits") == [(1,)]
    store.close()
