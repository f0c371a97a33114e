"""Who sends JSON that is wrong is told which field is, and what is wanted there, in words of no language."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from streams.stages.posts.submitted import SubmittedPost
from streams.stages.wrong_json import in_words
from streams.web.check import AskedCheck
from streams.web.verdicts import AskedVerdict

GOOD = {"verdict": "good", "verdict_id": "a"}


def told(body: bytes, form: type[msgspec.Struct]) -> str:
    """Empty where nothing is wrong."""
    try:
        msgspec.json.decode(body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as err:
        return in_words(err, form)
    return ""


def told_of_verdict(**fields: Any) -> str:
    return told(json.dumps({**GOOD, **fields}).encode(), AskedVerdict)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"verdict": "bad"}, "verdict: wants one of damaging, good, unsure"),
        ({"verdict": 1}, "verdict: wants a string, not a whole number"),
        ({"verdict_id": ""}, "verdict_id: wants at least 1 character"),
        ({"verdict_id": "x" * 201}, "verdict_id: wants at most 200 characters"),
        ({"verdict_id": "a\0"}, "verdict_id: has characters that are not taken there"),
        ({"rev_id": 0}, "rev_id: wants at least 1"),
        ({"rev_id": "7"}, "rev_id: wants a whole number or null, not a string"),
        ({"rev_id": 1.5}, "rev_id: wants a whole number or null, not a decimal number"),
        ({"note": ["a"]}, "note: wants a string, not a list"),
        ({"note": {}}, "note: wants a string, not an object"),
        (
            {"by": "me"},
            "by: there is no such field; there are verdict, verdict_id, rev_id, given_by, note",
        ),
    ],
)
def test_the_field_and_what_is_wanted_are_told(fields: dict[str, Any], says: str) -> None:
    assert told_of_verdict() == ""
    assert told_of_verdict(**fields) == says


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no whole JSON"),
        (b'{"text": "a"', "no whole JSON"),
        (b"{'text': 1}", "not JSON at byte 1"),
        (b"[]", "the body: wants an object, not a list"),
        (b"{}", "text: missing"),
        (b'{"text": "\xff"}', "not UTF-8"),
    ],
)
def test_what_is_no_json_is_told_by_its_place(body: bytes, says: str) -> None:
    assert told(body, AskedCheck) == says


def test_of_a_list_the_item_is_told() -> None:
    body = b'{"platform": "forum", "links": ["https://a.example", 1]}'
    # msgspec tells which item or only that it is one of them, as the version goes.
    assert told(body, SubmittedPost).startswith("links[")
    assert told(body, SubmittedPost).endswith("]: wants a string, not a whole number")


def test_a_name_that_looks_like_an_error_is_told_as_a_name() -> None:
    hostile = "x`y - at `$.text`\u202e\x1b[2J" + "z" * 500
    said = told(json.dumps({"text": "a", hostile: 1}).encode(), AskedCheck)
    assert said.startswith("x`y - at `$.text`\\u202e\\u001b[2J")
    assert said.endswith(": there is no such field; there are text, language")
    assert len(said) < 200


@given(
    some.sampled_from([AskedCheck, AskedVerdict, SubmittedPost]).flatmap(
        lambda form: some.tuples(
            some.just(form),
            some.dictionaries(
                some.sampled_from([field.name for field in msgspec.structs.fields(form)]),
                some.recursive(
                    some.none()
                    | some.booleans()
                    | some.integers()
                    | some.floats()
                    | some.text(max_size=3),
                    lambda inner: (
                        some.lists(inner, max_size=2)
                        | some.dictionaries(some.text(max_size=2), inner, max_size=2)
                    ),
                    max_leaves=3,
                ),
            ),
        )
    )
)
def test_nothing_of_the_parsers_own_words_is_told(
    asked: tuple[type[msgspec.Struct], dict[str, Any]],
) -> None:
    form, body = asked
    said = told(msgspec.json.encode(body), form)
    assert "`" not in said
    assert "$" not in said
    assert "Expected" not in said
    assert "\n" not in said
