"""The composition root: settings in, a program put together out. Nothing below reads a setting."""

from __future__ import annotations

import math
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from models.classifier import ARTIFACT_DIR, Classifier, load_classifier
from models.feature_set import feature_set_of
from models.threshold_question import may_alert
from streams.clock import SystemClock
from streams.content.action_api import ActionApi
from streams.content.outcomes import FetchOutcome
from streams.content.recent_histories import HistoryOutcome, RecentHistories
from streams.content.stage import ContentStage
from streams.content.wiki_facts import WikiFacts
from streams.errors import BadArtifact, BadSetting
from streams.metrics import DriftMetrics, Metrics
from streams.runners.first_edits import FirstEdits
from streams.runners.measures import MeasuredScorer, show_drift
from streams.runners.own_shifts import OwnShifts
from streams.runners.performers import LocalPerformers
from streams.runners.processor import Processor
from streams.runners.scorer import Scorer
from streams.runners.shadow import Shadow
from streams.runners.states import States
from streams.runners.training_sample import TrainingSample
from streams.settings import Settings, variable_of
from streams.stages.decide import AlertPolicy, Decider
from streams.stages.deduplicate import RecentIds
from streams.stages.links import Links
from streams.stages.normalize import Normalizer
from streams.state.drift import Drift
from streams.store.champion import champion_of
from streams.store.sqlite import RECENT_IDS, SqliteStore
from streams.store.wiki_thresholds import thresholds_of


def model_dir(settings: Settings) -> Path:
    """Of the model in use: the one that is set, else the one that was promoted, else the package's."""
    if settings.model_dir:
        return Path(settings.model_dir)
    return champion_of(settings.data_dir) or ARTIFACT_DIR


def load_model(settings: Settings) -> Classifier:
    directory = model_dir(settings)
    try:
        return load_classifier(directory)
    except BadArtifact as err:
        if directory != champion_of(settings.data_dir):
            raise
        raise BadArtifact(f"{err} (or remove {directory}: the package's model is used, then)") from err


def measured(settings: Settings, model: Classifier, registry: CollectorRegistry, source: str) -> Scorer:
    """The model, with the drift of what it scores shown in `registry`. Each kind of source has first edits
    of its own: a file is no reference for what comes live."""
    first = FirstEdits(settings.data_dir / f"first-edits-{source}.json", model.version)
    drift = Drift(model.feature_names, model.manifest.reference, first.load())
    show_drift(DriftMetrics(registry, drift.features), drift)
    return MeasuredScorer(model, drift, first.save)


def training_sample(settings: Settings, model: Classifier) -> TrainingSample | None:
    """None where none is to be kept."""
    return TrainingSample(model.version, feature_set_of(model.text)) if settings.training_mb else None


def build_shadow(settings: Settings, model: Classifier) -> Shadow | None:
    """None where no challenger is set. Raises `BadSetting` for one that reads other rows."""
    if not settings.challenger:
        return None
    challenger = load_classifier(settings.challenger)
    if feature_set_of(challenger.text) != feature_set_of(model.text):
        raise BadSetting(
            f"{variable_of('challenger')}: model {challenger.version} reads words by another part than"
            f" {model.version}, the one in use, so it can't score along: take one that `train --from-archive`"
            " made"
        )
    return Shadow(model, challenger, may_alert)


def links_of(settings: Settings) -> Links:
    hosts = {wiki: host for wiki, host in settings.wikis.items() if host}
    return Links(hosts, settings.mediawiki_api.partition("://")[0])


def build_processor(
    settings: Settings,
    store: SqliteStore,
    model: Scorer,
    facts: WikiFacts,
    *,
    history: bool,
    all_wikis: bool = False,
    live: bool = False,
    histories: RecentHistories | None = None,
    rescorer: Scorer | None = None,
    sample: TrainingSample | None = None,
    shadow: Shadow | None = None,
) -> Processor:
    """The stages around `store`. `history`: an XML export, each page with a time of its own. `live`:
    a feed of what happens now. A history's pages come one after another, so there is no time at which a
    wiki's own reverts were known: its scores are the model's alone. `histories` of pages met cold;
    `rescorer` measures nothing. `sample`: of rows to learn from later. `shadow`: a challenger that
    scores along."""
    wikis = () if all_wikis or "*" in settings.wikis else tuple(settings.wikis)
    states = States(store)
    follows = settings.own_calibration and not history
    retention_s = math.inf if history else settings.retention_days * 86_400.0
    return Processor(
        states=states,
        performers=LocalPerformers(
            states.performers,
            by_page=history,
            retention_s=retention_s,
            delay_s=settings.feedback_delay_s,
        ),
        normalizer=Normalizer(
            wikis, settings.namespaces, facts.is_temporary, SystemClock().now if live else None
        ),
        recent=RecentIds(RECENT_IDS, store.recent_ids()),
        scorer=model,
        decider=Decider(alert_policy(settings, model.version), links_of(settings)),
        match_revert=facts.match_revert,
        watermark=store.watermark(),
        next_row=store.next_row(),
        deadlines=store.deadlines(),
        time_by_page=history,
        retention_s=retention_s,
        own_shifts=OwnShifts(store, model.version) if follows else None,
        histories=histories,
        rescorer=rescorer,
        sample=sample,
        shadow=shadow,
        timer=time.perf_counter,
    )


def alert_policy(settings: Settings, model_version: str) -> AlertPolicy:
    """As set, and as `factwatch thresholds` keeps it by wiki for this model. Raises `BadInput`."""
    return AlertPolicy(
        threshold=settings.alert_threshold, by_wiki=thresholds_of(settings.data_dir, model_version)
    )


def build_content(settings: Settings, metrics: Metrics, facts: WikiFacts) -> ContentStage | None:
    """None where content is off, or no watched wiki has a host to ask."""
    if not settings.content or not any(settings.wikis.values()):
        return None

    def count(outcome: FetchOutcome, revisions: int) -> None:
        metrics.content_fetch.labels(outcome).inc(revisions)

    return ContentStage(
        ActionApi(settings.wikis, settings.mediawiki_api, settings.user_agent, count=count),
        facts,
        settings.content_deadline_s,
    )


def build_histories(
    settings: Settings, metrics: Metrics, facts: WikiFacts, content: ContentStage | None
) -> RecentHistories | None:
    """None where it is turned off, or no content is fetched either."""
    if content is None or not settings.page_histories_per_minute:
        return None

    def count(outcome: HistoryOutcome) -> None:
        metrics.page_histories.labels(outcome).inc()

    return RecentHistories(
        content.api, facts.is_temporary, per_minute=settings.page_histories_per_minute, count=count
    )
