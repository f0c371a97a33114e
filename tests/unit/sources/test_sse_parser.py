"""What the property test's random streams would seldom hold."""

from __future__ import annotations

from streams.sources.sse_parser import SseParser


def test_a_data_line_that_begins_empty_keeps_its_newline() -> None:
    (event,) = SseParser().feed(b"data:\ndata: x\n\n")
    assert event.raw == b"\nx"


def test_an_id_persists_until_another_and_one_with_nul_is_ignored() -> None:
    parser = SseParser("0")
    events = parser.feed(b"data: a\n\nid: 1\ndata: b\n\nid: 2\x00\ndata: c\n\nid\ndata: d\n\n")
    assert [event.last_id for event in events] == ["0", "1", "1", ""]


def test_an_id_counts_only_once_its_event_is_dispatched() -> None:
    parser = SseParser("1")
    parser.feed(b"id: 2\ndata: half")
    assert parser.last_id == "1"
    parser.feed(b"\n\n")
    assert parser.last_id == "2"


def test_an_id_too_long_for_a_header_is_ignored() -> None:
    parser = SseParser("1")
    parser.feed(b"id: " + b"9" * 10_000 + b"\ndata: x\n\n")
    assert parser.last_id == "1"


def test_retry_is_kept_within_bounds() -> None:
    parser = SseParser()
    parser.feed(b"retry: 0\n")
    assert parser.retry_ms == 100
    parser.feed(b"retry: 99999999999999\n")
    assert parser.retry_ms == 300_000
    parser.feed("retry: ٥٠٠\n".encode())
    assert parser.retry_ms == 300_000


def test_what_is_too_long_and_no_data_is_dropped_without_a_trace() -> None:
    parser = SseParser(max_bytes=1_000)
    events = [
        event
        for piece in [b"data: a\n:", *[b"x" * 10_000] * 50, b"\nother: ", *[b"y" * 10_000] * 50, b"\n\n"]
        for event in parser.feed(piece)
    ]
    assert [(event.raw, event.too_large) for event in events] == [(b"a", False)]


def test_comments_and_blank_lines_count_as_lines() -> None:
    parser = SseParser()
    assert parser.feed(b":\n\n") == []
    assert parser.lines == 2


def test_the_record_is_sseclients_and_dumps_as_one() -> None:
    (event,) = SseParser().feed(b"id: 7\nevent: message\ndata: a\ndata: b\n\n")
    assert event.dump() == "id: 7\ndata: a\ndata: b\n\n"


def test_data_of_exactly_the_bound_is_whole_and_one_byte_more_is_not() -> None:
    parser = SseParser(max_bytes=10)
    events = parser.feed(b"data: 0123456789\n\ndata: 01234\ndata: 6789\n\ndata: 0123456789a\n\n")
    assert [event.too_large for event in events] == [False, False, True]
