"""Whom `factwatch doctor` asks over HTTP: EventStreams, wikis, Alertmanager. A webhook is only looked up:
whatever was sent to it, it might act on."""

from __future__ import annotations

import socket
import time
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

import msgspec
import urllib3

from streams.cli.doctor_check import ANSWER_S, Clocks, Trouble
from streams.cli.http_errors import cause_of
from streams.settings import Settings

#: Alertmanager tells its whole configuration with its version.
MAX_STATUS_BYTES = 4 << 20


class _Version(msgspec.Struct):
    version: str


class _Status(msgspec.Struct):
    version_info: _Version = msgspec.field(name="versionInfo")


def eventstreams(settings: Settings, clocks: Clocks) -> str:
    url = settings.eventstreams_url
    response = _get(settings, url, place_of(url), " `factwatch demo` needs no network.", preload=False)
    try:
        if response.status != 200:
            raise Trouble(f"answers {response.status}: is FACTWATCH_EVENTSTREAMS_URL right?")
        _note(response, "eventstreams", clocks)
        return "answers"
    finally:
        response.close()


def action_api(settings: Settings, wiki: str, host: str, clocks: Clocks) -> str:
    address = settings.mediawiki_api.replace("{server_name}", host)
    response = _get(settings, f"{address}?action=query&meta=siteinfo&format=json", place_of(address))
    if response.status != 200:
        raise Trouble(
            f"{address} answers {response.status}: is FACTWATCH_MEDIAWIKI_API right, and does"
            " FACTWATCH_USER_AGENT name a contact?"
        )
    _note(response, f"api {wiki}", clocks)
    return f"{address} answers"


def alertmanager(settings: Settings, url: str, clocks: Clocks) -> str:
    place = place_of(url)
    ready = _get(settings, f"{url.rstrip('/')}/-/ready", place)
    if ready.status != 200:
        raise Trouble(
            f"{place} answers {ready.status} to /-/ready: is FACTWATCH_ALERTMANAGER_URL its base address?"
        )
    status = _get(settings, f"{url.rstrip('/')}/api/v2/status", place, preload=False)
    try:
        _note(status, "alertmanager", clocks)
        found = msgspec.json.decode(status.read(MAX_STATUS_BYTES), type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError, urllib3.exceptions.HTTPError):
        raise Trouble(
            f"{place} is ready, but has no /api/v2/status: is FACTWATCH_ALERTMANAGER_URL its base address"
            " (Alertmanager 0.16 or newer)?"
        ) from None
    finally:
        status.close()
    return f"{place} is ready: Alertmanager {found.version_info.version}"


def webhook(url: str, variable: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        socket.getaddrinfo(host, parts.port or parts.scheme)
    except (OSError, UnicodeError):
        raise Trouble(f"the name {host} does not resolve: is {variable} right?") from None
    return f"{place_of(url)} resolves; nothing was sent to it"


def place_of(url: str) -> str:
    """Without user, path and query, which often hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _get(
    settings: Settings, url: str, place: str, hint: str = "", *, preload: bool = True
) -> urllib3.BaseHTTPResponse:
    parts = urlsplit(url)
    headers = {"User-Agent": settings.user_agent}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers |= urllib3.make_headers(basic_auth=login)
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    pool = urllib3.PoolManager(retries=False, timeout=ANSWER_S)
    try:
        return pool.request("GET", address, headers=headers, preload_content=preload)
    except urllib3.exceptions.HTTPError as err:
        raise Trouble(
            f"{place} can't be reached: {cause_of(err)}. Is it up, is there a network, a proxy, a"
            f" firewall?{hint}"
        ) from None


def _note(response: urllib3.BaseHTTPResponse, whose: str, clocks: Clocks) -> None:
    date = response.headers.get("Date")
    if date is None:
        return
    try:
        clocks.note(whose, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return
