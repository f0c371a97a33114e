"""`factwatch api`: the page and the API on what the archive holds."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import click
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response

from streams.cli.archive import archive_extra, database_of, quiet_libraries
from streams.cli.output import say, set_up_logging
from streams.clock import SystemClock
from streams.settings import load_settings
from streams.web.app import build_app
from streams.web.problems import problem_response
from streams.web.server import WebServer
from streams.web.tokens import load_tokens


@click.command(short_help="Serve the page and the API from the archive.")
def api() -> None:
    """Serve what `factwatch archive` keeps in FACTWATCH_DATABASE_URL at FACTWATCH_HTTP_BIND: the page,
    /v1, /metrics. It only reads, and any number may run. While the database is away, /v1 answers 503.
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
    app = build_app(reader, CollectorRegistry(), status, status, tokens)
    app.add_exception_handler(ArchiveUnavailable, _unavailable)
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


def _unavailable(request: Request, error: Exception) -> Response:
    """/readyz has the reason: it names hosts, which are nobody's business who reads alerts."""
    return problem_response(
        503, "The archive's database can't be read now. Try again in a while.", {"Retry-After": "5"}
    )
