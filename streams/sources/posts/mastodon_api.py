"""What a Mastodon server is asked beside its stream: where that is, and what was missed."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec
import urllib3

from streams.errors import BadSetting, SourceUnavailable
from streams.sources.posts.bounded_get import BadAnswer, bounded_get
from streams.stages.normalize import quote_untrusted

MAX_ANSWER_BYTES = 16 << 20
#: Mastodon's own bound.
PAGE_STATUSES = 40
STREAM_PATH = "/api/v1/streaming/public"
_TIMELINE_PATH = "/api/v1/timelines/public"
_INSTANCE_PATH = "/api/v2/instance"


class _Urls(msgspec.Struct, gc=False):
    streaming: str = ""


class _Configuration(msgspec.Struct, gc=False):
    urls: _Urls | None = None


class _Instance(msgspec.Struct, gc=False):
    configuration: _Configuration | None = None


class _Id(msgspec.Struct, gc=False):
    id: str


class FetchedStatus(msgspec.Struct, frozen=True, gc=False):
    status_id: str
    raw: bytes


class MastodonApi:
    """Of the server that `mastodon://HOST[:PORT]` names, over TLS (`mastodon+http://` without: for one
    on loopback). Calls block for half a minute at most."""

    def __init__(self, spec: str, user_agent: str, token: str | None) -> None:
        """Raises `BadSetting` for an address that is none. `token` goes to this server, and to the host
        of its streams, only."""
        parts = urlsplit(spec)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if (
            parts.scheme not in ("mastodon", "mastodon+http")
            or not parts.hostname
            or port == -1
            or parts.path not in ("", "/")
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise BadSetting(f"{quote_untrusted(spec, 200)}: wants mastodon://HOST, nothing more")
        self.host = parts.netloc.lower()
        """As in cursors and in the names of posts."""
        self._scheme = "http" if parts.scheme == "mastodon+http" else "https"
        self._hostname = parts.hostname
        self._http = urllib3.PoolManager(retries=False)
        self.headers = {"User-Agent": user_agent}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"

    def stream_url(self) -> str:
        """Where the server says that its streams are; with itself where it does not say. Raises
        `SourceUnavailable`, also for a host that is neither its own nor a neighbour's."""
        try:
            answer = self._get(_INSTANCE_PATH, {})
        except BadAnswer as err:
            if err.status != 404:
                raise
            return self._url(self.host, STREAM_PATH)  # before Mastodon 4.0
        try:
            instance = msgspec.json.decode(answer, type=_Instance)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise SourceUnavailable("its description can't be read") from None
        configuration = instance.configuration
        told = configuration.urls.streaming if configuration is not None and configuration.urls else ""
        return self._url(self._streaming_host(told) if told else self.host, STREAM_PATH)

    def newer_than(self, since_id: str, before_id: str | None) -> list[FetchedStatus]:
        """A page of public statuses, the newest first. Raises `SourceUnavailable`."""
        query = {"since_id": since_id, "limit": str(PAGE_STATUSES)}
        if before_id is not None:
            query["max_id"] = before_id
        answer = self._get(_TIMELINE_PATH, query)
        try:
            answer.decode()  # msgspec doesn't look into values that stay raw
            page = msgspec.json.decode(answer, type=list[msgspec.Raw])
            return [FetchedStatus(msgspec.json.decode(raw, type=_Id).id, bytes(raw)) for raw in page]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise SourceUnavailable("its timeline can't be read") from None

    def close(self) -> None:
        """Lets go of the connection that is kept between calls."""
        self._http.clear()

    def _streaming_host(self, told: str) -> str:
        """A server names the host itself, and it gets the token: so only one under the same domain, as
        `streaming.mastodon.social` of `mastodon.social`."""
        try:
            parts = urlsplit(told)
            found, _ = parts.hostname or "", parts.port
        except ValueError:
            found = ""
        secure = self._scheme == "https"
        if found and parts.scheme in (("wss", "https") if secure else ("ws", "http")):
            own = self._hostname
            parent = own.partition(".")[2]
            named = re.search(r"[a-z]", own) is not None and "." in parent
            near = found == own or found.endswith(f".{own}")
            if "@" not in parts.netloc and (near or (named and f".{found}".endswith(f".{parent}"))):
                return parts.netloc.lower()
        raise SourceUnavailable(f"its streams are at another place: {quote_untrusted(told, 120)}")

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        url = self._url(self.host, path, urlencode(query))
        return bounded_get(url, self.headers, MAX_ANSWER_BYTES, self._http)

    def _url(self, host: str, path: str, query: str = "") -> str:
        return SplitResult(self._scheme, host, path, query, "").geturl()


def read_token(path: Path) -> str:
    """The access token in a file of its own. Raises `BadSetting` naming the file, never the token."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        raise BadSetting(f"{path} can't be read: {getattr(err, 'strerror', None) or err}") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise BadSetting(f"{path}: wants one line, the access token")
    return token
