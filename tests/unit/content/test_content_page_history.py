"""What an answer says of a page's past, and which texts are worth asking for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams.content.page_history import (
    HistoryAnswer,
    asked_of,
    past_of,
    texts_wanted,
    with_texts,
)
from streams.content.revisions import content_digest
from streams.records import Edit, PerformerKind, RevisionText
from streams.stages.normalize import MAX_COMMENT_CHARS, MAX_NAME_CHARS

#: 1 January 2026, 12:00:00.
NOON = 1_767_268_800.0
EDIT = Edit(
    event_id="e100",
    wiki="testwiki",
    server_name="wiki.example",
    title="Page",
    namespace=0,
    rev_id=100,
    parent_id=99,
    performer="203.0.113.7",
    performer_kind=PerformerKind.IP,
    event_time=NOON,
    arrival_time=NOON + 1,
    page_id=7,
)


def revision(rev_id: int, text: str = "", minute: int | None = None, **fields: Any) -> dict[str, Any]:
    """As the API gives it; a minute apart, the newest just before noon."""
    minute = rev_id - 40 if minute is None else minute
    return {
        "revid": rev_id,
        "parentid": rev_id - 1,
        "minor": False,
        "user": "Ana",
        "timestamp": f"2026-01-01T11:{minute:02}:00Z",
        "size": len(text),
        "sha1": content_digest(text or f"text {rev_id}"),
        "comment": "a comment",
        "tags": [],
        **fields,
    }


def answer(*revisions: dict[str, Any], **page: Any) -> HistoryAnswer:
    body = {
        "query": {"pages": [{"pageid": 7, "ns": 0, "title": "Page", "revisions": revisions, **page}]}
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=HistoryAnswer)


def past(*revisions: dict[str, Any], **page: Any) -> list[Edit]:
    found = past_of(answer(*revisions, **page), EDIT, lambda wiki, name: name.startswith("~2"))
    assert found is not None
    return found


def test_one_call_asks_for_fifty_revisions_up_to_the_edit_without_texts() -> None:
    asked = asked_of(EDIT)
    assert (asked["pageids"], asked["rvlimit"]) == ("7", "50")
    assert asked["rvstart"] == "2026-01-01T12:00:00Z"
    assert "content" not in asked["rvprop"]


def test_revisions_come_oldest_first_each_with_the_one_before_it_as_parent() -> None:
    found = past(revision(99), revision(98, parentid=12), revision(97))
    assert [edit.rev_id for edit in found] == [97, 98, 99]
    assert [edit.parent_id for edit in found] == [96, 97, 98]
    assert found[-1].event_time == NOON - 60
    assert {edit.wiki for edit in found} == {"testwiki"}


def test_the_first_revision_of_a_page_has_no_parent() -> None:
    (first,) = past(revision(99, parentid=0))
    assert first.parent_id is None


def test_the_edit_itself_and_what_came_after_are_not_its_past() -> None:
    later = [
        revision(101, timestamp="2026-01-01T12:00:00Z"),
        revision(102, timestamp="2026-01-01T12:00:01Z"),
        revision(100, timestamp="2026-01-01T11:30:00Z"),
    ]
    assert [edit.rev_id for edit in past(*later, revision(99))] == [99]


def test_kinds_of_performers_are_told_apart() -> None:
    found = past(
        revision(95, user="192.0.2.7", anon=True),
        revision(96, user="~2026-1-2", temp=True),
        revision(97, user="Ana"),
        revision(98, userhidden=True, user=None),
        revision(99, suppressed=True),
    )
    assert [edit.performer_kind for edit in found] == [
        PerformerKind.IP,
        PerformerKind.TEMPORARY,
        PerformerKind.REGISTERED,
        PerformerKind.HIDDEN,
        PerformerKind.HIDDEN,
    ]
    assert [edit.performer for edit in found[-2:]] == ["", ""]


def test_hidden_comments_and_digests_are_not_read() -> None:
    found = past(
        revision(98, commenthidden=True, comment=None, sha1hidden=True, sha1=None),
        revision(99, suppressed=True),
    )
    for edit in found:
        assert edit.comment == ""
        assert edit.content is not None
        assert edit.content.revision.sha1 is None
        assert edit.content.revision.text_hidden
    assert texts_wanted(found, ()) == []


@pytest.mark.parametrize(
    "gone",
    [
        msgspec.json.decode(b"{}", type=HistoryAnswer),
        msgspec.json.decode(b'{"query": {}}', type=HistoryAnswer),
        msgspec.json.decode(
            b'{"query": {"pages": [{"pageid": 7, "missing": true}]}}', type=HistoryAnswer
        ),
        answer(),
        answer(revision(99), pageid=8),
        answer(revision(101, timestamp="2026-01-01T13:00:00Z")),
    ],
)
def test_a_page_without_a_past_gives_none(gone: HistoryAnswer) -> None:
    assert past_of(gone, EDIT, lambda wiki, name: False) is None


@pytest.mark.parametrize(
    "time", ["", "yesterday", "2026-13-01T00:00:00Z", "1969-01-01T00:00:00Z", "2" * 90]
)
def test_a_revision_without_a_time_that_can_be_is_left_out(time: str) -> None:
    assert [edit.rev_id for edit in past(revision(98, timestamp=time), revision(99))] == [99]


def test_what_a_wiki_sends_is_bounded() -> None:
    many = [revision(rev_id, minute=1) for rev_id in range(1, 99)]
    assert len(past(*many)) == 50
    (long,) = past(
        revision(99, user="u" * 5_000, comment="c" * 90_000, tags=["t" * 900] * 500, sha1="no digest")
    )
    assert (len(long.performer), len(long.comment)) == (MAX_NAME_CHARS, MAX_COMMENT_CHARS)
    assert long.content is not None
    tags = long.content.revision.tags
    assert (len(tags), max(map(len, tags))) == (64, 64)
    assert long.content.revision.sha1 is None


# -- texts -----------------------------------------------------------------------------------------


def test_the_newest_texts_in_a_row_are_asked_for_but_not_what_is_held() -> None:
    found = past(*(revision(rev_id) for rev_id in range(60, 100)))
    assert sorted(texts_wanted(found, [99], most=4)) == [95, 96, 97, 98]


def test_what_reverts_threw_out_is_asked_for_first() -> None:
    """Revision 71 was thrown out by 72, long ago."""
    found = past(
        *(
            revision(rev_id, text="good" if rev_id in (70, 72) else f"text {rev_id}")
            for rev_id in range(60, 100)
        )
    )
    wanted = texts_wanted(found, [99], most=8)
    assert wanted[:2] == [72, 71]
    assert sorted(wanted[2:]) == [93, 94, 95, 96, 97, 98]


def test_a_text_that_stood_twice_is_asked_for_once() -> None:
    texts = ["good", "bad 1", "good", "bad 2", "good", "bad 3", "good"]
    found = past(*(revision(93 + at, text=text) for at, text in enumerate(texts)))
    assert sorted(texts_wanted(found, [99], most=8)) == [94, 96, 98]


def test_no_more_bytes_are_asked_for_than_the_bound() -> None:
    found = past(*(revision(rev_id, size=40_000) for rev_id in range(60, 100)))
    assert len(texts_wanted(found, [99], most_bytes=100_000)) == 2
    unsized = past(*(revision(rev_id, size=None) for rev_id in range(60, 100)))
    assert len(texts_wanted(unsized, [99], most_bytes=250_000)) == 2


def test_each_revision_gets_its_text_and_its_parents_and_those_of_the_same_digest() -> None:
    found = past(revision(97, text="good"), revision(98, text="bad"), revision(99, text="good"))
    whole = with_texts(found, {98: RevisionText(98, "bad"), 99: RevisionText(99, "good")})
    texts = [
        (edit.content.revision.text, edit.content.parent.text if edit.content.parent else None)
        for edit in whole
        if edit.content is not None
    ]
    assert texts == [("good", None), ("bad", "good"), ("good", "bad")]


def test_a_text_that_was_not_had_is_a_gap() -> None:
    found = past(*(revision(rev_id) for rev_id in range(96, 100)))
    whole = with_texts(found, {99: RevisionText(99, "text 99"), 97: RevisionText(97, None)})
    assert [edit.content.revision.text for edit in whole if edit.content is not None] == [
        None, None, None, "text 99",
    ]  # fmt: skip
