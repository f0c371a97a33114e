"""The wire between clients and a broker, on which requests or answers are lost, or held."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.integration.ports import free_port

#: Kafka's numbers of requests.
PRODUCE, END_TXN = 0, 26


#: The number of a request, and its bytes: names of topics are in them as they are.
Which = Callable[[int, bytes], bool]


class KafkaWire:
    """Listens on `port` and passes on to `broker`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.broker = ""
        """HOST:PORT, to be set before anybody comes."""
        self.lost = threading.Event()
        """Something was."""
        self.held = threading.Event()
        """Something is, or was."""
        self._go_on = threading.Event()
        self._request: Which | None = None
        self._hold: Which | None = None
        self._answer: Which | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", self.port))

    def lose_requests(self, which: Which) -> None:
        """These the broker never gets, and their senders wait, until `mend`."""
        self._request = which

    def lose_answer(self, which: Which) -> None:
        """The broker did what was asked, and in place of the answer all clients are cut off. Once."""
        self._answer = which

    def hold_request(self, which: Which) -> None:
        """The first such, and what comes after it by the same connection, waits for `go_on`."""
        self._hold = which

    def go_on(self) -> None:
        self._go_on.set()

    def mend(self) -> None:
        self._request = None

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return  # closed
            try:
                host, _, port = self.broker.rpartition(":")
                broker = socket.create_connection((host, int(port)))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, broker}
            asked: dict[int, tuple[int, bytes]] = {}
            for pump in (self._requests, self._answers):
                threading.Thread(target=pump, args=(client, broker, asked), daemon=True).start()

    def close(self) -> None:
        self.go_on()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._hang_up()

    def _requests(
        self, client: socket.socket, broker: socket.socket, asked: dict[int, tuple[int, bytes]]
    ) -> None:
        for frame in _frames(client):
            api, _, number = struct.unpack_from(">hhi", frame)
            asked[number] = (api, frame)
            if (which := self._hold) is not None and which(api, frame):
                self._hold = None
                self.held.set()
                self._go_on.wait()
            if (which := self._request) is not None and which(api, frame):
                self.lost.set()
            elif not _passed_on(frame, broker):
                break
        _hang_up(client, broker)

    def _answers(
        self, client: socket.socket, broker: socket.socket, asked: dict[int, tuple[int, bytes]]
    ) -> None:
        for frame in _frames(broker):
            api, request = asked.pop(struct.unpack_from(">i", frame)[0])
            if (which := self._answer) is not None and which(api, request):
                self._answer = None
                self.lost.set()
                self._hang_up()
                return
            if not _passed_on(frame, client):
                break
        _hang_up(client, broker)

    def _hang_up(self) -> None:
        with self._lock:
            ended, self._open = self._open, set()
        _hang_up(*ended)


@contextmanager
def kafka_wire() -> Iterator[KafkaWire]:
    wire = KafkaWire()
    serving = threading.Thread(target=wire.serve, name="kafka-wire", daemon=True)
    serving.start()
    try:
        yield wire
    finally:
        wire.close()
        serving.join()


def _frames(source: socket.socket) -> Iterator[bytes]:
    while True:
        size = _exactly(source, 4)
        if size is None:
            return
        frame = _exactly(source, struct.unpack(">i", size)[0])
        if frame is None:
            return
        yield frame


def _exactly(source: socket.socket, count: int) -> bytes | None:
    got = bytearray()
    while len(got) < count:
        try:
            piece = source.recv(count - len(got))
        except OSError:
            return None
        if not piece:
            return None
        got += piece
    return bytes(got)


def _passed_on(frame: bytes, to: socket.socket) -> bool:
    try:
        to.sendall(struct.pack(">i", len(frame)) + frame)
    except OSError:
        return False
    return True


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
