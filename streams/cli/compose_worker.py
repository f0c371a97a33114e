"""The composition root of a worker: settings in, its hops put together out."""

from __future__ import annotations

import time

import msgspec

from models.pair_model import load_pair_model
from streams.cli.compose import alert_policy, links_of
from streams.cli.compose_posts import post_normalizer
from streams.content.recent_histories import RecentHistories
from streams.content.stage import ContentStage
from streams.content.wiki_facts import WikiFacts
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher
from streams.runners.memory import set_for_long_lives
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.ids import RememberedIds
from streams.runners.partitions.own_edits import OwnEdits
from streams.runners.partitions.own_sums import OwnSumsReplica
from streams.runners.partitions.page_partition import MakeProcessor, PagePartition
from streams.runners.partitions.performer_partition import PerformerPartition
from streams.runners.partitions.post_partition import PostPartition
from streams.runners.partitions.remote import RemoteMoves, RemotePerformers
from streams.runners.partitions.task import PageHop, PerformerHop, PostHop
from streams.runners.processor import Processor
from streams.runners.scorer import Scorer
from streams.runners.states import States
from streams.runners.training_sample import TrainingSample
from streams.settings import Settings
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.amplify import Amplifier
from streams.stages.decide import Decider
from streams.stages.normalize import Normalizer
from streams.store.partitions import PartitionStore


class WorkerParts:
    """What all partitions of a worker share."""

    def __init__(
        self,
        settings: Settings,
        partitions: int,
        model: Scorer,
        facts: WikiFacts,
        content: ContentStage | None,
        histories: RecentHistories | None = None,
        rescorer: Scorer | None = None,
        sample: TrainingSample | None = None,
    ) -> None:
        """`histories` of pages met cold; `rescorer` scores what they tell more of, and measures nothing.
        `sample`: of rows that go with their labels, to be learnt from."""
        set_for_long_lives()
        self._settings = settings
        self._partitions = partitions
        self._model = model
        self._alert_policy = alert_policy(settings, model.version)
        self._facts = facts
        self._histories = histories
        self._rescorer = rescorer
        self._sample = sample
        self._attach = content.attach if content is not None else list
        self._retention_s = settings.retention_days * 86_400.0
        index = HotFactIndex()
        self.replica = FactReplica(index, partitions)
        """To be filled by whoever reads the topic of hot facts."""
        self.own_sums = OwnSumsReplica(model.version, partitions, lambda: self.replica.newest_edit)
        """To be filled by whoever reads the topic of own edits."""
        self._matcher = Matcher(index, load_pair_model())
        self._post_normalizer = post_normalizer(settings)

    def hops(self) -> tuple[PerformerHop, PageHop, PostHop]:
        return PerformerHop(self._performers), PageHop(self._pages), PostHop(self._posts)

    def _performers(self, partition: int, store: PartitionStore) -> PerformerPartition:
        return PerformerPartition(
            store,
            partition=partition,
            partitions=self._partitions,
            normalizer=self._normalizer(),
            now=time.monotonic,
            delay_s=self._settings.feedback_delay_s,
            retention_s=self._retention_s,
        )

    def _pages(self, partition: int, store: PartitionStore) -> PagePartition:
        return PagePartition(
            store,
            partition=partition,
            partitions=self._partitions,
            make_processor=self._processor(),
            amplifier=Amplifier(AmplificationPolicy()),
            own_sums=self.own_sums,
            now=time.monotonic,
            shifts=self._settings.own_calibration,
            attach=self._attach,
            retention_s=self._retention_s,
            progress_s=min(1.0, self._settings.feedback_delay_s / 8),
        )

    def _posts(self, partition: int, store: PartitionStore) -> PostPartition:
        return PostPartition(
            store,
            partition=partition,
            partitions=self._partitions,
            replica=self.replica,
            matcher=self._matcher,
            normalizer=self._post_normalizer,
            now=time.monotonic,
        )

    def _processor(self) -> MakeProcessor:
        def make(
            states: States,
            performers: RemotePerformers,
            moves: RemoteMoves,
            ids: RememberedIds,
            own: OwnEdits,
            store: PartitionStore,
        ) -> Processor:
            return Processor(
                states=states,
                performers=performers,
                normalizer=self._normalizer(),
                recent=ids.recent,
                scorer=self._model,
                decider=Decider(self._alert_policy, links_of(self._settings)),
                match_revert=self._facts.match_revert,
                watermark=msgspec.structs.replace(store.meta.watermark),
                next_row=store.meta.next_row,
                deadlines=store.deadlines(),
                retention_s=self._retention_s,
                moves=moves,
                own_shifts=own,
                histories=self._histories,
                rescorer=self._rescorer,
                sample=self._sample,
            )

        return make

    def _normalizer(self) -> Normalizer:
        wikis = () if "*" in self._settings.wikis else tuple(self._settings.wikis)
        return Normalizer(wikis, self._settings.namespaces, self._facts.is_temporary)
