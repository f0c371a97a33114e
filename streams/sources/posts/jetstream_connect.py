"""One connection to a Jetstream: its address, its opening, its frames unpacked and bounded."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Sequence
from email.utils import formatdate
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec
import zstandard
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from streams.content.throttle import retry_after_s
from streams.errors import BadInput, BadSetting, SourceUnavailable
from streams.sources.posts.bounded_get import bounded_get
from streams.stages.normalize import quote_untrusted
from streams.stages.posts.bluesky_records import POST, REPOST

COLLECTIONS = (POST, REPOST)
V1_PATH = "/subscribe"
V2_PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"
DICTIONARY_PATH = "/xrpc/network.bsky.jetstream.getZstdDictionary"
#: A dictionary of theirs has 110 KB.
MAX_DICTIONARY_BYTES = 4 << 20
CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
#: Frames received and not taken yet. Then the socket is left alone, which slows the server.
MAX_QUEUED_FRAMES = 32
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_WINDOW_BYTES = 8 << 20
_TOO_BIG = 1009


class Endpoint:
    """The address of a stream: `jetstream://HOST[:PORT]` (v2 over TLS), or a `wss://` or `ws://` URL
    whose path tells the version. Raises `BadSetting` for anything else."""

    def __init__(self, spec: str) -> None:
        parts = urlsplit(spec)
        if parts.scheme == "jetstream":
            parts = parts._replace(scheme="wss")
        path = parts.path.rstrip("/") or V2_PATH
        try:
            port = parts.port
        except ValueError:
            port = -1
        if (
            parts.scheme not in ("ws", "wss")
            or not parts.hostname
            or port == -1
            or path not in (V1_PATH, V2_PATH)
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise BadSetting(
                f"{quote_untrusted(spec, 200)}: wants jetstream://HOST, wss://HOST{V2_PATH} or, for the "
                f"older protocol, wss://HOST{V1_PATH}; without a user, a query or a fragment"
            )
        self.secure = parts.scheme == "wss"
        self.hostname = parts.hostname
        self.port = port or (443 if self.secure else 80)
        self.host = parts.netloc.lower()
        """As it stands in cursors and in what a person reads."""
        self.v2 = path == V2_PATH
        self._base = SplitResult(parts.scheme, parts.netloc, path, "", "")

    def url(self, cursor: int | None, max_bytes: int, dictionary_id: int | None) -> str:
        """Accounts are asked for too: their deletions. (v1 sends them always.)"""
        fields: list[tuple[str, str | int]]
        if self.v2:
            fields = [("kinds", "commit"), ("kinds", "account")]
            fields += [("collections", name) for name in COLLECTIONS]
            if dictionary_id is not None:
                fields.append(("zstdDictionary", dictionary_id))
        else:
            fields = [("wantedCollections", name) for name in COLLECTIONS]
            if dictionary_id is not None:
                fields.append(("compress", "true"))
        fields.append(("maxMessageSizeBytes", max_bytes))
        if cursor is not None:
            fields.append(("cursor", cursor))
        return self._base._replace(query=urlencode(fields)).geturl()

    @property
    def dictionary_url(self) -> str:
        scheme = "https" if self.secure else "http"
        return SplitResult(scheme, self._base.netloc, DICTIONARY_PATH, "", "").geturl()


class Refused(SourceUnavailable):
    """The server answered, and not with a stream. `name` is XRPC's word for why, or ""."""

    def __init__(self, message: str, name: str, retry_after_s: float | None) -> None:
        super().__init__(message, retry_after_s)
        self.name = name


class TooLargeFrame(SourceUnavailable):
    """A message passed the bound: websockets ends the connection over it, and its place is unknown."""


class Unpacker:
    """Frames out of messages, which are packed or not."""

    def __init__(self, dictionary: bytes | None, max_bytes: int) -> None:
        """Raises `BadInput` for what is no zstd dictionary."""
        self._max_bytes = max_bytes
        self.dictionary_id: int | None = None
        self._unpack = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
        if dictionary is None:
            return
        try:
            loaded = zstandard.ZstdCompressionDict(dictionary, zstandard.DICT_TYPE_FULLDICT)
            self.dictionary_id = loaded.dict_id()
            self._unpack = zstandard.ZstdDecompressor(loaded, max_window_size=_MAX_WINDOW_BYTES)
            self._unpack.decompress(zstandard.ZstdCompressor(dict_data=loaded).compress(b"{}"))
        except (zstandard.ZstdError, ValueError, MemoryError) as err:
            raise BadInput(f"no zstd dictionary: {err}") from None

    def frame(self, message: bytes) -> bytes | None:
        """The frame; of what can't be unpacked the message; None for one beyond the bound."""
        if not message.startswith(_ZSTD_MAGIC):
            return message
        try:
            size = zstandard.frame_content_size(message)
            if size > self._max_bytes:
                return None
            if size >= 0:
                return self._unpack.decompress(message)
            with self._unpack.stream_reader(message) as reader:
                frame = reader.read(self._max_bytes + 1)
            return frame if len(frame) <= self._max_bytes else None
        except (zstandard.ZstdError, MemoryError):
            return message


class Connection:
    """An open stream. `message` is for one thread; `hang_up` for any."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(websocket)

    def message(self, timeout_s: float) -> bytes:
        """The next message, text not looked into. Raises `SourceUnavailable` when there is none within
        `timeout_s` or the connection ended."""
        try:
            message = self._websocket.recv(timeout_s, decode=False)
        except TimeoutError:
            raise SourceUnavailable(f"silent for {timeout_s:g} s") from None
        except ConnectionClosed as err:
            if err.sent is not None and err.sent.code == _TOO_BIG and not err.rcvd_then_sent:
                raise TooLargeFrame("a message larger than any post") from None
            raise SourceUnavailable(_why_closed(err)) from None
        return message if isinstance(message, bytes) else message.encode("utf-8", "surrogatepass")

    def hang_up(self) -> None:
        """Ends a blocked `message` at once; no farewell."""
        with contextlib.suppress(OSError):
            self._websocket.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.hang_up()
        self._stack.close()


def dial(endpoint: Endpoint, url: str, user_agent: str, max_bytes: int) -> Connection:
    """Connects; ends within three times `CONNECT_TIMEOUT_S`. Raises `Refused` or `SourceUnavailable`.
    Redirects are not followed: no answer names a host to call."""
    try:
        raw = socket.create_connection((endpoint.hostname, endpoint.port), CONNECT_TIMEOUT_S)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError as err:
        raise SourceUnavailable(f"can't be reached: {err.strerror or err}".lower()) from None
    offered: Sequence[Subprotocol] | None = [Subprotocol("xrpc.v1.json")] if endpoint.v2 else None
    try:
        websocket = connect(
            url,
            sock=raw,
            ssl=ssl.create_default_context() if endpoint.secure else None,
            subprotocols=offered,
            compression=None,  # what is packed has a bound of its own: `Unpacker`
            user_agent_header=user_agent,
            proxy=None,
            open_timeout=CONNECT_TIMEOUT_S,
            ping_timeout=None,  # a slow reader leaves pongs unread; silence is measured by `message`
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=max_bytes,
            max_queue=MAX_QUEUED_FRAMES,
        )
    except InvalidStatus as err:
        raw.close()
        raise _refusal(err) from None
    except (OSError, WebSocketException, ValueError, EOFError) as err:
        raw.close()
        raise SourceUnavailable(" ".join(quote_untrusted(f"{err}", 200).split())) from None
    return Connection(websocket)


def fetch_dictionary(endpoint: Endpoint, user_agent: str) -> bytes:
    """v2: the dictionary that the server packs with now. Raises `SourceUnavailable`."""
    headers = {"User-Agent": user_agent}
    return bounded_get(endpoint.dictionary_url, headers, MAX_DICTIONARY_BYTES)


class _XrpcError(msgspec.Struct, gc=False):
    error: str = ""
    message: str = ""


def _refusal(err: InvalidStatus) -> Refused:
    response = err.response
    told = _XrpcError()
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = msgspec.json.decode(bytes(response.body or b""), type=_XrpcError)
    why = f"HTTP {response.status_code}"
    if told.error:
        why += f" {quote_untrusted(f'{told.error}: {told.message}', 200)}"
    headers = response.headers
    try:
        date = headers.get("Date") or formatdate(usegmt=True)
        wait = retry_after_s(headers.get("Retry-After"), date)
    except LookupError:  # the header is there twice
        wait = None
    return Refused(why, told.error, wait)


def _why_closed(err: ConnectionClosed) -> str:
    if err.rcvd is not None:
        reason = quote_untrusted(err.rcvd.reason, 120)
        return f"the server closed the connection ({err.rcvd.code}{' ' if reason else ''}{reason})"
    return "the connection was cut"
