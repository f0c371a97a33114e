"""GET /v1/alerts/stream: the log of alerts as server-sent events.

One poller watches the store's newest seq and wakes every client. A client holds a place in the log and
nothing else, so a slow one costs no memory: it reads the log later.
"""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from streams.sinks.alert_json import alert_json
from streams.store.reader import AlertFilter, AlertReader, StoredAlert
from streams.web.problems import problem_response

MAX_CLIENTS = 64
POLL_S = 0.2
HEARTBEAT_S = 15.0
STALLED_S = 60.0
"""A client that takes nothing for this long is cut: it holds a place that another could have."""
BATCH = 100
RETRY_MS = 3000


class AlertFeed:
    """The shared poller and the bound on clients. Lives in the server's event loop."""

    def __init__(
        self,
        reader: AlertReader,
        *,
        max_clients: int = MAX_CLIENTS,
        poll_s: float = POLL_S,
        heartbeat_s: float = HEARTBEAT_S,
        stalled_s: float = STALLED_S,
    ) -> None:
        self.reader = reader
        self.max_clients = max_clients
        self.heartbeat_s = heartbeat_s
        self.stalled_s = stalled_s
        self.clients = 0
        self.closed = False
        self._poll_s = poll_s
        self._newest = 0
        self._news = asyncio.Event()

    async def watch(self) -> None:
        """Runs for the server's life. Asks the store nothing while nobody listens."""
        while True:
            await asyncio.sleep(self._poll_s)
            if self.clients:
                newest = await run_in_threadpool(self.reader.last_seq)
                if newest != self._newest:
                    self._newest = newest
                    self._wake()

    def close(self) -> None:
        """Ends every stream, so that the server can stop."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def past(self, seq: int, wait_s: float) -> bool:
        """True once the log reaches beyond `seq` or the feed is closed, False after `wait_s` without."""
        until = asyncio.get_running_loop().time() + wait_s
        try:
            async with asyncio.timeout_at(until):
                while self._newest <= seq and not self.closed:
                    await self._news.wait()
        except TimeoutError:
            return False
        return True


class AlertStream:
    """The response to one client: everything in the log after `after` that `where` lets through, then
    what comes."""

    def __init__(self, feed: AlertFeed, where: AlertFilter, after: int) -> None:
        self._feed = feed
        self._where = where
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        feed = self._feed
        if feed.clients >= feed.max_clients:
            refusal = problem_response(
                503,
                f"{feed.max_clients} clients listen already, which is the limit. Try again later, or "
                "poll /v1/alerts.",
                {"Retry-After": "30"},
            )
            await refusal(scope, receive, send)
            return
        feed.clients += 1
        try:
            await self._until_gone(scope, receive, send)
        finally:
            feed.clients -= 1

    async def _until_gone(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send_all(scope, send))
        leaving = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            results = await asyncio.gather(sending, leaving, return_exceptions=True)
        failure = results[0]
        # A stalled client ends by TimeoutError: its connection is closed, it resumes where it was.
        if isinstance(failure, Exception) and not isinstance(failure, TimeoutError):
            raise failure

    async def _send_all(self, scope: Scope, send: Send) -> None:
        feed = self._feed
        clock = asyncio.get_running_loop().time
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def put(body: bytes, more: bool = True) -> None:
            async with asyncio.timeout(feed.stalled_s):
                await send({"type": "http.response.body", "body": body, "more_body": more})

        if scope["method"] == "HEAD":
            await put(b"", more=False)
            return
        await put(b"retry: %d\n: alerts of Factwatch\n\n" % RETRY_MS)
        spoke = clock()
        cursor = self._after
        while not feed.closed:
            newest = await run_in_threadpool(feed.reader.last_seq)
            batch = await run_in_threadpool(feed.reader.log, cursor, BATCH, self._where)
            if batch:
                await put(b"".join(map(event, batch)))
                spoke = clock()
                cursor = batch[-1].seq
            if len(batch) < BATCH:
                cursor = max(cursor, newest)
                while not await feed.past(cursor, spoke + feed.heartbeat_s - clock()):
                    await put(b": still here\n\n")
                    spoke = clock()
        await put(b"", more=False)


def event(stored: StoredAlert) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        stored.seq,
        stored.alert.kind.encode(),
        alert_json(stored),
    )


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
