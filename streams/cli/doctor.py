"""`factwatch doctor`: is everything there that a run needs? A line for each, with a way out."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import click
import msgspec
import urllib3

from streams.cli.archive import archive_extra, database_of
from streams.cli.compose import load_model, store_path
from streams.cli.output import print_json, safe
from streams.errors import FactwatchError
from streams.settings import PARSERS, Settings, load_settings, variable_of
from streams.store.sqlite import SCHEMA_VERSION, SqliteStore
from streams.web.tokens import load_tokens

TIMEOUT_S = 5.0
#: State grows by about 1 GB a month for enwiki.
LEAST_FREE_BYTES = 2 << 30
MOST_CLOCK_SKEW_S = 30.0
#: Settings whose value may hold a secret: shown as set or not.
SECRET = frozenset({"webhook_url", "database_url"})


class Check(msgspec.Struct, frozen=True):
    name: str
    ok: bool
    detail: str
    """What was found; of a failure also the way out."""


@click.command(short_help="Check settings, state, model, network, clock and disk.")
@click.option("--settings", "list_settings", is_flag=True, help="List every setting and its value.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def doctor(list_settings: bool, as_json: bool) -> None:
    """Check what a run needs. Exit code 1 if anything is not as it should be."""
    settings = load_settings(os.environ)
    if list_settings:
        _list_settings(settings, os.environ, as_json=as_json)
        return
    failed = False
    for check in checks(settings):
        failed |= not check.ok
        if as_json:
            print_json(check)
        else:
            mark = click.style("ok  ", fg="green") if check.ok else click.style("FAIL", fg="red")
            click.echo(f"{mark} {check.name:<13} {safe(check.detail, 500)}")
    sys.exit(1 if failed else 0)


def checks(settings: Settings) -> Iterator[Check]:
    """Each is done when it is asked for, and none raises."""
    yield Check("settings", True, f"{len(PARSERS)} settings read; list them with --settings")
    for name, check in (
        ("model", _model),
        ("state", _state),
        ("disk", _disk),
        ("page", _bind),
        ("tokens", _tokens),
        ("eventstreams", _eventstreams),
    ):
        yield _safely(name, lambda check=check: check(settings))  # type: ignore[misc]
    if settings.database_url:
        yield _safely("archive", lambda: _archive(settings))
    for wiki, host in settings.wikis.items():
        if host and settings.content:
            yield _safely(f"api {wiki}", lambda host=host: _api(settings, host))  # type: ignore[misc]


def _safely(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except (FactwatchError, OSError, ValueError) as err:
        return Check(name, False, str(err))
    except urllib3.exceptions.HTTPError as err:
        reason = str(getattr(err, "reason", None) or err).rpartition(": ")[2]
        return Check(
            name,
            False,
            f"can't be reached: {reason}. Is there a network, a proxy, a firewall?"
            " `factwatch demo` needs none",
        )


def _model(settings: Settings) -> str:
    model = load_model(settings)
    return f"{model.version}, {len(model.feature_names)} features"


def _state(settings: Settings) -> str:
    path = store_path(settings)
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(settings.data_dir, os.W_OK):
            raise ValueError(f"{settings.data_dir} can't be written: set FACTWATCH_DATA_DIR")
        return f"{path} (none yet; made at the first run, schema {SCHEMA_VERSION})"
    store = SqliteStore(path, read_only=True)
    try:
        found = store.query("PRAGMA quick_check(1)")
        if found != [("ok",)]:
            raise ValueError(
                f"{path} is damaged ({found[0][0]}): restore it from a backup, or remove it"
            )
        seq = store.last_seq()
        dead = store.query("SELECT count(*) FROM dead_letters")[0][0]
    finally:
        store.close()
    return f"{path}: {path.stat().st_size / 1e6:,.0f} MB, {seq:,} alert changes, {dead:,} dead letters"


def _disk(settings: Settings) -> str:
    directory = settings.data_dir
    while not directory.exists():
        directory = directory.parent
    free = shutil.disk_usage(directory).free
    if free < LEAST_FREE_BYTES:
        raise ValueError(
            f"{free / 1e9:.1f} GB free at {directory}, under 2 GB: free some, or move FACTWATCH_DATA_DIR"
        )
    return f"{free / 1e9:,.0f} GB free at {directory}"


def _archive(settings: Settings) -> str:
    with archive_extra():
        from streams.archive.migrate import newest, version
    database = database_of(settings)
    found = version(database)
    if found is None:
        return f"{database.place} answers; `factwatch archive` will make its tables"
    behind = "" if found == newest() else f", `factwatch archive` brings them to {newest()}"
    return f"{database.place} answers: tables of version {found}{behind}"


def _bind(settings: Settings) -> str:
    host, _, port = settings.http_bind.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as err:
            raise ValueError(
                f"{settings.http_bind}: {err.strerror} (is factwatch running already? else set"
                " FACTWATCH_HTTP_BIND)"
            ) from None
    return f"http://{settings.http_bind}/ is free"


def _tokens(settings: Settings) -> str:
    if not settings.api_tokens_file:
        return "none set: whoever reaches the page may read it"
    load_tokens(Path(settings.api_tokens_file))
    return f"{settings.api_tokens_file} is read"


def _eventstreams(settings: Settings) -> str:
    response = _get(settings, settings.eventstreams_url, preload=False)
    try:
        if response.status != 200:
            raise ValueError(f"answers {response.status}: is FACTWATCH_EVENTSTREAMS_URL right?")
        return f"answers; {_clock(response)}"
    finally:
        response.drain_conn() if response.status != 200 else response.close()


def _api(settings: Settings, host: str) -> str:
    address = settings.mediawiki_api.replace("{server_name}", host)
    response = _get(settings, f"{address}?action=query&meta=siteinfo&format=json")
    if response.status != 200:
        raise ValueError(
            f"{address} answers {response.status}: is FACTWATCH_MEDIAWIKI_API right, and does"
            " FACTWATCH_USER_AGENT name a contact?"
        )
    return f"{address} answers"


def _get(settings: Settings, url: str, *, preload: bool = True) -> urllib3.BaseHTTPResponse:
    pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S)
    return pool.request("GET", url, headers={"User-Agent": settings.user_agent}, preload_content=preload)


def _clock(response: urllib3.BaseHTTPResponse) -> str:
    date = response.headers.get("Date")
    if date is None:
        return "its clock is not told"
    skew = time.time() - parsedate_to_datetime(date).timestamp()
    if abs(skew) > MOST_CLOCK_SKEW_S:
        raise ValueError(f"this machine's clock is {skew:+,.0f} s off: set it (NTP)")
    return f"clocks differ by {abs(skew):.0f} s"


def _list_settings(settings: Settings, environ: Mapping[str, str], *, as_json: bool) -> None:
    for field in PARSERS:
        value = getattr(settings, field)
        shown = ("(set)" if value else "") if field in SECRET else _shown(value)
        is_set = variable_of(field) in environ
        if as_json:
            print_json({"name": variable_of(field), "value": shown, "set": is_set})
        else:
            click.echo(f"{variable_of(field):<32} {shown}{'' if is_set else '  (default)'}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={host}" if host else name for name, host in value.items())
    if isinstance(value, frozenset):
        return ",".join(str(member) for member in sorted(value))
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)
