"""What was sent, to whoever listens."""

from __future__ import annotations

from itertools import takewhile

from streams.demo.broadcast import KEPT, Broadcast


def heard(broadcast: Broadcast, since_us: int | None) -> list[bytes]:
    """All that is there now."""
    listening = broadcast.listen(since_us)
    broadcast.close()
    return [sent.data for sent in takewhile(lambda sent: sent is not None, listening) if sent]


def test_a_listener_hears_what_comes_after_it_began() -> None:
    broadcast = Broadcast()
    broadcast.send("a", 1, b"before")
    listening = broadcast.listen(None)
    broadcast.send("a", 2, b"after")
    sent = next(listening)
    assert sent is not None
    assert (sent.data, sent.number) == (b"after", 2)


def test_from_a_time_on_what_is_kept_comes_first() -> None:
    broadcast = Broadcast()
    for number in range(KEPT + 10):
        broadcast.send("a", number, b"%d" % number)
    listening = broadcast.listen(KEPT + 5)
    assert [sent.data for _, sent in zip(range(5), listening, strict=False) if sent] == [
        b"%d" % number for number in range(KEPT + 5, KEPT + 10)
    ]
    assert broadcast.kept()[0].data == b"10"


def test_it_tells_that_nothing_comes_and_ends_when_it_is_closed() -> None:
    broadcast = Broadcast()
    assert next(broadcast.listen(None)) is None
    assert heard(broadcast, None) == []
