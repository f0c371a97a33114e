"""uvicorn in a thread of the program: no signal handlers, no access log, a taken port told at once."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.errors import BadSetting
from streams.web.guards import LoopbackHosts, is_loopback
from streams.web.stream import MAX_CLIENTS

log = logging.getLogger(__name__)
START_S = 10.0
#: Connections beyond those of streams; more get a 503.
OTHER_CONNECTIONS = 128
#: A connection that takes longer to send a whole request is closed: it keeps others out.
REQUEST_S = 10.0


class WebServer:
    """Serves `app` on `bind` (`HOST:PORT`, port 0 takes a free one). On a loopback address requests
    for other host names are refused."""

    def __init__(self, app: Starlette, bind: str) -> None:
        host, _, port = bind.rpartition(":")
        self._host = host.removeprefix("[").removesuffix("]")
        self._port = int(port)
        self._app = app
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Returns when requests are answered. Raises `BadSetting` when the address can't be had."""
        sock = self._bound_socket()
        self._port = sock.getsockname()[1]
        loopback = is_loopback(self._host)
        if not loopback and self._app.state.open_to_all:
            log.warning(
                "%s:%s: everyone who reaches this address can read the alerts; set "
                "FACTWATCH_API_TOKENS_FILE or bind to 127.0.0.1",
                self._host,
                self._port,
            )
        config = uvicorn.Config(
            LoopbackHosts(self._app) if loopback else self._app,
            log_config=None,
            access_log=False,
            lifespan="on",
            loop="asyncio",
            http=_H11,
            ws="none",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CLIENTS + OTHER_CONNECTIONS,
            timeout_graceful_shutdown=2,
        )
        # It tells at level info that it starts and stops: the program does that itself.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        server = self._server = _Server(config, self._app)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[sock])), name="web", daemon=True
        )
        self._thread.start()
        if not server.answering.wait(START_S):
            sock.close()
            raise BadSetting(f"FACTWATCH_HTTP_BIND: the server on {self.url} did not start: see the log")

    @property
    def url(self) -> str:
        """For a browser on this machine; a wildcard address is shown as loopback."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - shown only
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    def stop(self) -> None:
        """Ends the streams and returns when the thread has ended. Harmless when not started."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(5)

    def _bound_socket(self) -> socket.socket:
        name = f"FACTWATCH_HTTP_BIND: {self._host}:{self._port}"
        try:
            family, kind, proto, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
        except socket.gaierror as err:
            raise BadSetting(f"{name}: no such address here ({err.strerror})") from None
        sock = socket.socket(family, kind, proto)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            # Bound but not listening, a second program could bind beside it.
            sock.listen(128)
        except OSError as err:
            sock.close()
            raise BadSetting(
                f"{name} can't be had ({err.strerror}): stop what listens there or choose another, "
                "for example FACTWATCH_HTTP_BIND=127.0.0.1:0 for any free port"
            ) from None
        return sock


class _H11(H11Protocol):
    """uvicorn's, which waits for ever for a request. Between requests its keep-alive timer runs; while
    a response is sent, as a stream is, no timer does."""

    _hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as there
        super().connection_made(transport)
        self._hurry = self.loop.call_later(REQUEST_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._no_hurry()
        elif (
            self._hurry is None
        ):  # the next request has begun; what comes drop by drop gets no more time
            self._hurry = self.loop.call_later(REQUEST_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_hurry()
        super().connection_lost(exc)

    def _no_hurry(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self.answering = threading.Event()
        self._alerts_app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.answering.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Streams never end by themselves; the server would wait for them.
        self._alerts_app.state.feed.close()
        await super().shutdown(sockets=sockets)
