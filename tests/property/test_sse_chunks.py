"""Server-sent events mean the same however their bytes are cut."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from streams.sources.sse_parser import SseParser

VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "  x", "a:b", "\u2028", "\u0085", "\x0b\x0c\x1c", "{}", "\0", "500", "💡"]
    ),
)
LINES = st.one_of(
    st.tuples(
        st.sampled_from(["data", "id", "event", "retry", "", "other", "Data", "data "]),
        st.sampled_from([":", ": ", ""]),
        VALUES,
    ).map("".join),
    st.just(""),
    st.just(""),
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(st.tuples(LINES, ENDS), max_size=25))
    text = "".join(line.replace("\r", "").replace("\n", "") + end for line, end in lines)
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode("utf-8", "surrogatepass")


def reference(body: bytes) -> list[tuple[bytes, str, str]]:
    """The standard's algorithm, word by word, over the whole stream at once."""
    events: list[tuple[bytes, str, str]] = []
    data, kind, last_id = b"", "", ""
    for line in re.split(rb"\r\n|\n|\r", body.removeprefix(b"\xef\xbb\xbf"))[:-1]:
        if line == b"":
            if data:
                events.append((data.removesuffix(b"\n"), kind or "message", last_id))
            data, kind = b"", ""
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data += value + b"\n"
        elif name == b"event":
            kind = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            last_id = value.decode("utf-8", "replace")
    return events


def parsed(pieces: list[bytes], max_bytes: int = 1 << 20) -> list[tuple[bytes, str, str]]:
    parser = SseParser(max_bytes=max_bytes)
    return [(event.raw, event.event, event.last_id) for piece in pieces for event in parser.feed(piece)]


def cut_at(body: bytes, places: list[int]) -> list[bytes]:
    at = sorted({min(place, len(body)) for place in places} | {0, len(body)})
    return [body[start:end] for start, end in pairwise(at)]


@given(streams(), st.lists(st.integers(0, 400), max_size=40))
@example(b"data: a\r\n\r\ndata: b\r\r\ndata: c\n\n", list(range(40)))
@example(b"\xef\xbb\xbfdata: \xe2\x80\xa8\xf0\x9f\x92\xa1\n\n", list(range(40)))
@example(b"data\n\ndata\ndata\n\ndata:", [3])
def test_events_are_the_standards_whatever_the_chunks(body: bytes, places: list[int]) -> None:
    assert parsed(cut_at(body, places)) == reference(body)


@given(streams())
def test_byte_by_byte_is_the_same_as_at_once(body: bytes) -> None:
    assert parsed([body[at : at + 1] for at in range(len(body))]) == parsed([body])


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=20))
def test_any_bytes_are_taken(body: bytes, places: list[int]) -> None:
    assert parsed(cut_at(body, places)) == parsed([body])


@given(streams(), st.integers(0, 400))
def test_what_was_dispatched_before_a_drop_is_a_beginning_of_the_whole(body: bytes, place: int) -> None:
    before = parsed([body[:place]])
    assert before == reference(body)[: len(before)]


@given(
    st.lists(st.tuples(st.integers(1, 400_000), st.booleans()), min_size=1, max_size=4),
    st.integers(1_000, 100_000),
)
def test_an_event_is_too_large_exactly_when_its_data_passes_the_bound(
    sizes: list[tuple[int, bool]], piece: int
) -> None:
    bound = 150_000
    body = b"".join(
        (b":%s\n" % (b"c" * size) if comment else b"") + b"data: %s\n\n" % (b"x" * size)
        for size, comment in sizes
    )
    parser = SseParser(max_bytes=bound)
    events = [event for at in range(0, len(body), piece) for event in parser.feed(body[at : at + piece])]
    assert [event.too_large for event in events] == [size > bound for size, _ in sizes]
    assert [len(event.raw) for event in events] == [
        size if size <= bound else 64 << 10 for size, _ in sizes
    ]
