"""A local HTTP server over real sockets whose every byte and pause a test decides."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Self

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


class Visit:
    """One connection, its request read."""

    def __init__(self, connection: socket.socket, request: str, server: SseServer) -> None:
        self.connection = connection
        self.server = server
        first, *lines = request.split("\r\n")
        self.path = first.split(" ")[1]
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.sendall(piece)

    def hold(self) -> None:
        """Keeps the connection open and silent until the test is over or the client hangs up."""
        self.connection.settimeout(0.05)
        while not self.server.over.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1024):
                    return


Script = Callable[[Visit], None]


class SseServer:
    """Answers the n-th connection with the n-th script, later ones with the last."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts
        self.visits: list[Visit] = []
        self.over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v2/stream/mediawiki.recentchange"
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                got = connection.recv(65536)
                if not got:
                    return
                request += got
            visit = Visit(connection, request.decode("latin-1").strip(), self)
            self.visits.append(visit)
            self.scripts[min(len(self.visits), len(self.scripts)) - 1](visit)


def taking(count: int, items: Iterator[object]) -> list[object]:
    """The first `count` items."""
    return [next(items) for _ in range(count)]
