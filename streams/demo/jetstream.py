"""Stands in for a Jetstream on loopback: v1 of the protocol, over a real websocket."""

from __future__ import annotations

import contextlib
import json
import threading
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from streams.demo.broadcast import Broadcast

PATH = "/subscribe"


class DemoJetstream:
    """Serves what is sent to `frames`, from its own threads until `close`."""

    def __init__(self, frames: Broadcast) -> None:
        self._frames = frames
        self._server = serve(
            self._stream,
            "127.0.0.1",
            0,
            process_request=_admit,
            compression=None,
            close_timeout=0.2,
        )
        self._serving = threading.Thread(
            target=self._server.serve_forever, name="demo-jetstream", daemon=True
        )
        self._serving.start()

    @property
    def spec(self) -> str:
        """As `--posts` takes it."""
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}{PATH}"

    def close(self) -> None:
        self._frames.close()
        self._server.shutdown()
        self._serving.join()

    def _stream(self, connection: ServerConnection) -> None:
        request = connection.request
        query = parse_qs(urlsplit(request.path).query) if request is not None else {}
        wanted = query.get("wantedCollections")
        cursor = query.get("cursor", [""])[0]
        since_us = int(cursor) if cursor.isascii() and cursor.isdigit() else None
        with contextlib.suppress(ConnectionClosed, OSError):
            for sent in self._frames.listen(since_us):
                if sent is None:
                    connection.ping()
                elif wanted is None or json.loads(sent.data)["commit"]["collection"] in wanted:
                    connection.send(sent.data, text=True)


def _admit(connection: ServerConnection, request: Request) -> Response | None:
    if urlsplit(request.path).path != PATH:
        return connection.respond(404, f"only {PATH} is here\n")
    return None
