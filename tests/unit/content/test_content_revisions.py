from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from streams.content.outcomes import FetchOutcome
from streams.content.revisions import RevisionsAnswer, content_digest, revisions_of
from streams.records import RevisionText


def answer(*revisions: dict[str, Any], **query: Any) -> RevisionsAnswer:
    body = {"query": {"pages": [{"pageid": 7, "ns": 0, "title": "T", "revisions": revisions}], **query}}
    return msgspec.json.decode(json.dumps(body), type=RevisionsAnswer)


def slot(text: str, model: str = "wikitext") -> dict[str, Any]:
    return {"main": {"contentmodel": model, "contentformat": "text/x-wiki", "content": text}}


def one(found: RevisionsAnswer, rev_id: int, **bounds: int) -> tuple[RevisionText, FetchOutcome]:
    read = revisions_of(found, **bounds)[rev_id]
    assert isinstance(read, tuple)
    return read


def test_a_revision_is_read_with_its_tags_and_parent() -> None:
    text = "Hafenstraße 12"
    revision, outcome = one(
        answer({"revid": 5, "parentid": 4, "tags": ["mw-undo"], "slots": slot(text)}), 5
    )
    assert outcome is FetchOutcome.FETCHED
    assert revision == RevisionText(
        rev_id=5,
        text=text,
        sha1=hashlib.sha1(text.encode()).hexdigest(),
        tags=("mw-undo",),
        page_id=7,
        parent_id=4,
    )


def test_of_a_flood_of_tags_the_first_64_are_kept_and_names_are_cut() -> None:
    tags = [f"{n:03}" + "x" * 200 for n in range(1_000)]
    revision, _ = one(answer({"revid": 5, "tags": tags, "slots": slot("a", model="m" * 200)}), 5)
    assert revision.tags == tuple(f"{n:03}" + "x" * 61 for n in range(64))
    assert revision.content_model == "m" * 64


def test_a_first_revision_has_no_parent() -> None:
    assert one(answer({"revid": 5, "parentid": 0, "slots": slot("a")}), 5)[0].parent_id is None


def test_our_digest_is_kept_where_the_wikis_differs() -> None:
    revision, _ = one(answer({"revid": 5, "sha1": "0" * 40, "slots": slot("a")}), 5)
    assert revision.sha1 == content_digest("a")


@pytest.mark.parametrize("where", ["slot", "revision"])
def test_hidden_text_is_hidden_and_not_missing(where: str) -> None:
    hidden: dict[str, Any] = {"revid": 5, "userhidden": True, "commenthidden": True, "sha1hidden": True}
    if where == "slot":
        hidden["slots"] = {"main": {"texthidden": True}}
    else:
        hidden["texthidden"] = True
    revision, outcome = one(answer(hidden), 5)
    assert outcome is FetchOutcome.HIDDEN
    assert (revision.text, revision.sha1) == (None, None)
    assert (revision.text_hidden, revision.user_hidden, revision.comment_hidden) == (True, True, True)


def test_a_suppressed_revision_hides_user_and_comment_too() -> None:
    revision, _ = one(answer({"revid": 5, "suppressed": True, "texthidden": True}), 5)
    assert (revision.user_hidden, revision.comment_hidden) == (True, True)


def test_deleted_revisions_are_missing_and_cut_ones_are_not_told() -> None:
    found = revisions_of(
        answer(
            {"revid": 5, "slots": slot("a")},
            {"revid": 6},  # cut at the size limit before its text
            {"revid": 7, "slots": {"main": {"textmissing": True}}},
            badrevids={"9": {"revid": 9, "missing": True}, "x": 1, "٣": {}},
        )
    )
    assert found[9] is FetchOutcome.MISSING
    assert set(found) == {5, 9}


def test_a_text_over_the_bound_keeps_its_digest_but_not_its_text() -> None:
    digest = "ab" * 20
    revision, outcome = one(
        answer({"revid": 5, "sha1": digest, "slots": slot("ü" * 60)}), 5, max_text_bytes=100
    )
    assert (outcome, revision.text, revision.sha1) == (FetchOutcome.TOO_LARGE, None, digest)


def test_only_the_main_slot_is_read_and_its_model_told() -> None:
    slots = {**slot('{"id":"Q1"}', "wikibase-item"), "mediainfo": {"content": "{}"}}
    revision, _ = one(answer({"revid": 5, "slots": slots}), 5)
    assert (revision.content_model, revision.text) == ("wikibase-item", '{"id":"Q1"}')


def test_a_bad_id_of_thousands_of_digits_is_nobodys() -> None:
    body = b'{"query": {"badrevids": {"%s": {}, "7": {}}}}' % (b"9" * 5_000)
    answer = msgspec.json.decode(body, type=RevisionsAnswer)
    assert revisions_of(answer) == {7: FetchOutcome.MISSING}


@pytest.mark.parametrize("ids", [{"revid": 10**30}, {"revid": 1, "parentid": 10**30}])
def test_an_id_that_no_store_could_keep_is_no_answer(ids: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        answer(ids)
