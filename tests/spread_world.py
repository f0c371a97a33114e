"""A page and API around the real store, with a fact that posts repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from streams.partitions import page_key
from streams.posts import HotFact
from streams.records import Alert, PostRef
from streams.sources.base import SourceStatus
from streams.state.amplification import AmplificationState
from streams.state.hot_page import HotAlert, HotPage
from streams.store.batch import Batch, PostChanges
from streams.store.facts_reader import SqliteFactsReader
from streams.store.keys import state_id
from streams.store.sqlite import SqliteStore
from streams.web.app import build_app
from streams.web.facts import facts_route
from streams.web.server import WebServer
from streams.web.status import PostSource, Status
from streams.web.tokens import Tokens
from tests.amplify_world import FACT
from tests.memory_alerts import StoreAlerts
from tests.sample_alerts import sample_alert
from tests.web_world import WebWorld


def hot_page(*facts: HotFact) -> HotPage:
    """All of one page."""
    alerts = [HotAlert(fact.alert_id, (0, 1, fact.since, 1), 9e9, [fact]) for fact in facts]
    return HotPage(page_key(facts[0].wiki, facts[0].title), alerts)


def changes(
    pages: Sequence[HotPage], spreads: Sequence[AmplificationState | tuple[str, None]] = ()
) -> PostChanges:
    """A spread as `(hot_id, None)` goes."""
    return PostChanges(
        hot_pages={state_id(page.key): page for page in pages},
        spreads={
            spread[0] if isinstance(spread, tuple) else spread.hot_id: None
            if isinstance(spread, tuple)
            else (spread, None)
            for spread in spreads
        },
    )


def commit(store: SqliteStore, of_posts: PostChanges, *alerts: Alert) -> None:
    SqliteStore.commit(store, Batch("posts", alerts=list(alerts), of_posts=of_posts), arrived=0.0)


def edit_alert(**fields: object) -> Alert:
    """The alert of the edit that made `FACT` hot."""
    return sample_alert(1, title=FACT.title, fact_changes=(FACT.fact,), **fields)


def with_post(alert: Alert, **fields: object) -> Alert:
    """With its one post changed."""
    (post,) = alert.posts
    changed: PostRef = msgspec.structs.replace(post, **fields)
    return msgspec.structs.replace(alert, posts=(changed,))


class SpreadWorld(WebWorld):
    def __init__(self, path: Path) -> None:
        self.store = StoreAlerts(path)
        super().__init__(self.store)
        self.facts = SqliteFactsReader(path)
        self.hot_facts: int | None = 1_234
        """None: of a program that knows alerts only."""
        self.post_sources = (
            PostSource("jetstream", SourceStatus("connected", "", 1.0)),
            PostSource("mastodon", SourceStatus("retrying", "no network: retrying in 9 s")),
        )

    def status(self) -> Status:
        return msgspec.structs.replace(
            super().status(),
            hot_facts=self.hot_facts,
            posts=500,
            posts_per_s=61.7,
            post_sources=self.post_sources,
        )

    def close(self) -> None:
        self.facts.close()
        self.store.close()


@contextmanager
def serve(world: SpreadWorld, tokens: Tokens | None = None) -> Iterator[SpreadWorld]:
    app = build_app(
        world.alerts,
        world.metrics.registry,
        world,
        world,
        tokens,
        more=[facts_route(world.facts)],
    )
    server = WebServer(app, "127.0.0.1:0")
    server.start()
    world.url = server.url
    try:
        yield world
    finally:
        server.stop()
