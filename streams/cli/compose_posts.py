"""The composition root of the posts' half: settings in, the runner of posts put together out."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from models.pair_model import load_pair_model
from streams.content.api_transport import ApiTransport
from streams.errors import BadSetting
from streams.matching.check import Checker
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher
from streams.posts import Post, PostsGone
from streams.runners.posts.hot_facts import HotFacts
from streams.runners.posts.page_namer import PageNamer
from streams.runners.posts.post_processor import PostProcessor
from streams.runners.posts.post_runner import InboxFull, PostRunner
from streams.settings import Settings
from streams.sources.base import Source
from streams.sources.posts.open import open_post_source
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.amplify import Amplifier
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from streams.store.sqlite import SqliteStore
from streams.web.post_intake import Accept, QueueFull


def open_post_sources(specs: Sequence[str], settings: Settings) -> list[Source]:
    """Raises `BadInput` where one can't be opened, or two would share one place to go on from."""
    sources = [
        open_post_source(
            spec,
            settings.user_agent,
            stall_after_s=settings.stall_after_s,
            mastodon_token_file=_file(settings.mastodon_token_file),
            jetstream_dictionary_file=_file(settings.jetstream_dictionary_file),
        )
        for spec in specs
    ]
    names = [source.name for source in sources]
    if len(set(names)) < len(names):
        raise BadSetting("--posts: of each kind of source one, please: each has one place to go on from")
    return sources


def build_posts(
    settings: Settings,
    store: SqliteStore,
    sources: Sequence[Source],
    lock: threading.Lock,
    transport: ApiTransport | None = None,
) -> tuple[PostRunner, Checker]:
    """And what answers by the same facts. `lock` is held by whichever of the two matches. `transport`:
    to ask the wikis for other names of pages; None: they are known by their titles."""
    index = HotFactIndex()
    matcher = Matcher(index, load_pair_model())
    amplifier = Amplifier(AmplificationPolicy())
    processor = PostProcessor(
        facts=HotFacts(store, index, amplifier),
        store=store,
        matcher=matcher,
        amplifier=amplifier,
        normalizer=post_normalizer(settings),
        watermark=store.posts_watermark(),
        lock=lock,
    )
    runner = PostRunner(
        sources=sources,
        store=store,
        processor=processor,
        namer=PageNamer(transport) if transport is not None else None,
        dead_letter_limit=settings.dead_letter_limit,
    )
    return runner, Checker(index, matcher, lock=lock)


def post_normalizer(settings: Settings) -> PostNormalizer:
    return PostNormalizer(Authors(author_key(settings)))


def accept_into(posts: PostRunner) -> Accept:
    async def accept(records: Sequence[Post | PostsGone]) -> None:
        try:
            durable = posts.hand_in(records)
        except InboxFull:
            raise QueueFull from None
        await asyncio.wrap_future(durable)

    return accept


def author_key(settings: Settings) -> bytes | None:
    """The key by which authors are hashed; None where they are kept as they are. Made at the first
    start where none is given."""
    if not settings.hash_authors:
        return None
    given = settings.author_key_file
    path = Path(given) if given else settings.data_dir / "author.key"
    try:
        if not given and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_hex(16).encode())
        key = path.read_bytes().strip()
        Authors(key)
    except (OSError, ValueError) as err:
        said = getattr(err, "strerror", None) or err
        raise BadSetting(f"FACTWATCH_AUTHOR_KEY_FILE: {path}: {said}") from None
    return key


def _file(name: str) -> Path | None:
    return Path(name) if name else None
