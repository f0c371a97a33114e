"""`factwatch api`: the page and the API on what the archive holds."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.cli.archive import archive_extra, database_of, quiet_libraries
from streams.cli.output import say, set_up_logging
from streams.cli.without_extra import kafka_extra
from streams.clock import SystemClock
from streams.errors import BrokerUnavailable, NoTopics
from streams.matching.answer_findings import CheckedAnswer
from streams.metrics import ProcessMetrics
from streams.posts import Post, PostsGone
from streams.records import EditsVerdict
from streams.settings import Settings, load_settings, variable_of
from streams.store.facts_query import FactsFound, FactsQuery
from streams.store.verdicts import GivenVerdict, on_edits
from streams.web.app import build_app
from streams.web.check import Check, check_route
from streams.web.facts import facts_route
from streams.web.post_intake import PostIntake
from streams.web.problems import Problem, problem_response
from streams.web.server import WebServer
from streams.web.tokens import Tokens, load_tokens
from streams.web.verdicts import Keep, verdict_route

if TYPE_CHECKING:
    from streams.archive.reader import ArchiveReader
    from streams.kafka.acked_sender import AckedSender
    from streams.kafka.security import Connection
    from streams.runners.fact_follower import FactFollower

log = logging.getLogger("factwatch")


@click.command(short_help="Serve the page and the API from the archive.")
def api() -> None:
    """Serve what `factwatch archive` keeps in FACTWATCH_DATABASE_URL at FACTWATCH_HTTP_BIND: the page,
    /v1, /metrics. Any number may run. While the database is away, /v1 answers 503. Where
    FACTWATCH_KAFKA_BOOTSTRAP is set, POST /v1/posts writes to factwatch.posts.v1, people's verdicts go
    to factwatch.verdicts.v1, and POST /v1/check and GET /v1/facts answer by factwatch.hot-facts.v1.
    Ctrl-C or SIGTERM ends it.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    quiet_libraries()
    with archive_extra():
        from streams.archive.database import ArchiveUnavailable
        from streams.archive.migrate import version
        from streams.archive.reader import ArchiveReader
        from streams.archive.status import ArchiveStatus
    database = database_of(settings)
    try:
        version(database)  # one of a newer factwatch is refused
    except ArchiveUnavailable as err:
        say(f"api: {err}; serving it as soon as it can be read")
    reader = ArchiveReader(database)
    status = ArchiveStatus(reader, SystemClock(), database.place, tuple(settings.wikis))
    tokens = load_tokens(Path(settings.api_tokens_file)) if settings.api_tokens_file else None
    more: list[Route] = []
    senders: list[AckedSender[Any]] = []
    facts: FactFollower | None = None
    if variable_of("kafka_bootstrap") in os.environ:
        connection = _connection(settings)
        posts, facts = _post_sender(connection), _facts(connection)
        verdicts = _verdict_sender(connection)
        senders = [posts, verdicts]
        more = [
            _intake(settings, posts, tokens),
            check_route(_checked_by(facts)),
            facts_route(_FactsAsKnown(facts)),
            verdict_route(_keep(reader, verdicts), tokens, SystemClock().now),
        ]
        status.takes_verdicts = True
        status.beside["facts"] = facts.part
        facts.start()
    registry = CollectorRegistry()
    ProcessMetrics(registry, settings.data_dir if database.is_sqlite else None)
    app = build_app(reader, registry, status, status, tokens, more=more)
    app.add_exception_handler(ArchiveUnavailable, _unavailable)
    app.add_exception_handler(BrokerUnavailable, _not_taken)
    app.add_exception_handler(NoTopics, _not_taken)
    server = WebServer(app, settings.http_bind)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, frame: stopping.set())
    server.start()
    try:
        say(f"Factwatch serves {database.place}.")
        say(f"  page   {server.url}/")
        say(f"  alerts {server.url}/v1/alerts   metrics {server.url}/metrics")
        stopping.wait()
    finally:
        server.stop()
        reader.close()
        for sender in senders:
            sender.close()
        if facts is not None:
            facts.stop()


def _connection(settings: Settings) -> Connection:
    with kafka_extra():
        from streams.kafka.complaints import listen
        from streams.kafka.security import connection_of
    listen(shown=settings.log_level == "debug")
    return connection_of(settings)


def _post_sender(connection: Connection) -> AckedSender[Post | PostsGone]:
    with kafka_extra():
        from streams.kafka.acked_sender import AckedSender
        from streams.runners.ingest_posts import HandedIn
    return AckedSender(connection, HandedIn(SystemClock()))


def _verdict_sender(connection: Connection) -> AckedSender[EditsVerdict]:
    with kafka_extra():
        from streams.kafka.acked_sender import AckedSender
        from streams.kafka.verdicts import verdict_sendings
    return AckedSender(connection, verdict_sendings)


def _keep(reader: ArchiveReader, sender: AckedSender[EditsVerdict]) -> Keep:
    """On the edits that the archive tells of."""

    def keep(given: GivenVerdict) -> int:
        verdict = on_edits(given, (stored.alert for stored in reader.history(given.alert_id)))
        if verdict is None:
            return 0
        sender.send([verdict])
        return len(verdict.edits)

    return keep


def _facts(connection: Connection) -> FactFollower:
    with kafka_extra():
        from models.pair_model import load_pair_model
        from streams.runners.fact_follower import FactFollower
    return FactFollower(connection, load_pair_model())


def _checked_by(facts: FactFollower) -> Check:
    def check(text: str, language: str | None) -> CheckedAnswer:
        try:
            return facts.check(text, language)
        except BrokerUnavailable:
            raise _not_known_yet() from None

    return check


class _FactsAsKnown:
    """Implements `FactsReader`."""

    def __init__(self, facts: FactFollower) -> None:
        self._facts = facts

    def facts(self, query: FactsQuery) -> FactsFound:
        try:
            return self._facts.facts(query)
        except BrokerUnavailable:
            raise _not_known_yet() from None


def _not_known_yet() -> Problem:
    return Problem(503, "What is hot is not known yet. Try again in a while.", {"Retry-After": "5"})


def _intake(settings: Settings, sender: AckedSender[Post | PostsGone], tokens: Tokens | None) -> Route:
    from streams.cli.compose_posts import post_normalizer

    async def accept(records: Sequence[Post | PostsGone]) -> None:
        await run_in_threadpool(sender.send, records)

    return PostIntake(post_normalizer(settings), accept, tokens, SystemClock().now).route()


def _unavailable(request: Request, error: Exception) -> Response:
    """/readyz has the reason: it names hosts, which are nobody's business who reads alerts."""
    return problem_response(
        503, "The archive's database can't be read now. Try again in a while.", {"Retry-After": "5"}
    )


def _not_taken(request: Request, error: Exception) -> Response:
    log.warning("what was handed in can't be written: %s", error)
    return problem_response(
        503, "Kafka takes nothing now. Send the same body again in a while.", {"Retry-After": "5"}
    )
