"""A story of edits and posts through the real stages, matcher, model and store.

with PostCore(tmp_path, world) as core:
    core.edits(world.records)
    core.posts(says("p1", "The tower is 3 m high.", at=world.time))
    core.pass_time(60)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from models.pair_model import PairModel, load_pair_model
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher
from streams.posts import Post, PostsGone, encode_record
from streams.records import Alert, AlertKind
from streams.runners.posts.hot_facts import HotFacts
from streams.runners.posts.matching import Matching
from streams.runners.posts.page_namer import PageNamer
from streams.runners.posts.post_processor import PostProcessor
from streams.runners.posts.post_runner import PostRunner
from streams.sources.base import Source, SourceItem
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.amplify import Amplifier
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from streams.store.batch import Batch
from tests.core_world import Core, EditWorld, MarkedScorer

ABOUT_POSTS = (AlertKind.POST_REPEATS, AlertKind.FACT_AMPLIFIED)
GOOD = "The tower was opened in 1931 by the engineer Mira Valdane and is 300 metres high."
BAD = "The tower was opened in 1961 by the engineer Mira Valdane and is 300 metres high."


def bad_year(title: str = "Tower") -> EditWorld:
    """Somebody gets the year wrong; nobody has put it right yet."""
    world = EditWorld(title)
    world.edit("Alice", GOOD)
    world.edit("192.0.2.7", BAD, risk=0.95)
    return world


def says(post_id: str, text: str, at: float, **fields: Any) -> Post:
    return Post(**{
        "platform": "chat", "post_id": post_id, "author": f"author of {post_id}", "text": text,
        "event_time": at, "arrival_time": at, **fields,
    })  # fmt: skip


def gone(at: float, **fields: Any) -> PostsGone:
    return PostsGone(platform="chat", event_time=at, arrival_time=at, **fields)


def submitted(record: Post | PostsGone) -> bytes:
    """As a client of `POST /v1/posts` or a file has it."""
    fields: dict[str, object] = {"platform": record.platform, "created": record.event_time}
    if isinstance(record, PostsGone):
        fields |= {"deleted": True}
        fields |= {"id": record.post_id} if record.post_id is not None else {"author": record.author}
    else:
        fields |= {"id": record.post_id, "author": record.author, "text": record.text}
        fields |= {
            "edited": record.edited_time, "repost_of": record.repost_of, "reach": record.reach
        }  # fmt: skip
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


@cache
def pair_model() -> PairModel:
    return load_pair_model()


class PostCore:
    """Opened anew on the same directory it goes on where it was."""

    def __init__(
        self,
        directory: Path,
        world: EditWorld,
        *,
        sources: Sequence[Source] = (),
        matcher: Matching | None = None,
        namer: PageNamer | None = None,
        policy: AmplificationPolicy = AmplificationPolicy(),  # noqa: B008
    ) -> None:
        self.core = Core(directory, MarkedScorer(world.risks))
        self.store = self.core.store
        self.index = HotFactIndex()
        amplifier = Amplifier(policy)
        self.processor = PostProcessor(
            facts=HotFacts(self.store, self.index, amplifier),
            store=self.store,
            matcher=matcher or Matcher(self.index, pair_model()),
            amplifier=amplifier,
            normalizer=PostNormalizer(Authors(None)),
            watermark=self.store.posts_watermark(),
        )
        self.now = 1_000.0
        self.runner = PostRunner(
            sources=sources,
            store=self.store,
            processor=self.processor,
            namer=namer,
            now=lambda: self.now,
        )

    def commit(self, batch: Batch) -> None:
        batch.next_row = self.core.processor.next_row
        self.store.commit(batch, 0.0)
        self.core.processor.committed()
        self.processor.committed()

    def edits(self, records: Sequence[Any]) -> None:
        """One micro-batch, as the embedded runner takes it."""
        edits = self.core.processor
        items = edits.intake([SourceItem("c", edit=record) for record in records])
        batch = edits.process(self.core.source, items, None)
        self.processor.edits_decided(batch, edits.final_time)
        self.commit(batch)

    def posts(self, *records: Post | PostsGone | bytes, batch: int = 1_000) -> None:
        """In micro-batches, past the wait for the edits of their time."""
        items = [
            SourceItem(str(at), record if isinstance(record, bytes) else encode_record(record))
            for at, record in enumerate(records)
        ]
        for at in range(0, len(items), batch):
            taken = self.processor.intake(items[at : at + batch], ours=True)
            self.commit(self.processor.process("posts", taken, str(at), self.core.processor.final_time))

    def pass_time(self, seconds: float = 60.0) -> None:
        """On the side of posts, without any."""
        batch = Batch("posts")
        newest = self.processor.passed + 10.0 + seconds
        self.processor.time_passed(batch, self.core.processor.final_time, newest)
        self.commit(batch)

    def pump(self) -> bool:
        edits = self.core.processor
        return self.runner.pump(edits.final_time, edits.newest, self.commit)

    def alerts(self, *kinds: AlertKind) -> list[Alert]:
        return [alert for alert in self.core.alerts() if not kinds or alert.kind in kinds]

    def close(self) -> None:
        self.core.close()

    def __enter__(self) -> PostCore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
