"""Every way a recent change may look, and the one record or reason it becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.reasons import DeadReason, SkipReason
from streams.records import DeadLetter, Edit, LogEvent, PerformerKind, Skip, TagsChange
from streams.stages.normalize import (
    MAX_COMMENT_CHARS,
    MAX_EVENT_BYTES,
    Normalizer,
    quote_untrusted,
)
from streams.stages.performer_kinds import performer_kind
from tests.core_world import HOST, START, change, raw_change

NORMALIZE = Normalizer()


def edit_of(**fields: Any) -> Edit:
    record = NORMALIZE(raw_change(**fields))
    assert isinstance(record, Edit), record
    return record


def test_todays_edit() -> None:
    assert edit_of() == Edit(
        event_id="5f1c0c3e-0000-4000-8000-000000000001",
        wiki="enwiki",
        server_name=HOST,
        title="Tower",
        namespace=0,
        rev_id=1_001,
        parent_id=1_000,
        performer="Alice",
        performer_kind=PerformerKind.REGISTERED,
        event_time=START,
        arrival_time=START + 1.25,
        comment="/* History */ typo",
        minor=True,
        old_len=100,
        new_len=120,
    )


def test_the_form_of_2018() -> None:
    body = change(meta={"dt": "2026-01-01T00:00:01+00:00", "schema_uri": "mediawiki/recentchange/1"})
    del body["$schema"]
    record = NORMALIZE(json.dumps(body).encode())
    assert isinstance(record, Edit)
    assert record.arrival_time == START + 1


def test_only_meta_is_required_and_everything_may_be_null() -> None:
    names = set(change()) - {"meta", "type", "wiki", "title", "revision"}
    absent = edit_of(**dict.fromkeys(names))
    nulled = json.dumps(change() | dict.fromkeys(names)).encode()
    record = NORMALIZE(nulled)
    assert isinstance(record, Edit)
    assert record == absent
    assert record.performer_kind is PerformerKind.HIDDEN
    assert (record.old_len, record.new_len, record.bot, record.minor) == (None, None, False, False)
    assert record.event_time == record.arrival_time == START + 1.25


@pytest.mark.parametrize("lengths", [{"old": None, "new": 5}, {}, {"new": 5}])
def test_lengths_may_be_null_or_absent(lengths: dict[str, int | None]) -> None:
    record = edit_of(length=lengths, revision={"old": None, "new": 7}, type="new")
    assert (record.old_len, record.parent_id, record.rev_id, record.is_new) == (None, None, 7, True)


def test_a_parent_of_zero_is_no_parent() -> None:
    assert edit_of(revision={"old": 0, "new": 7}).parent_id is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"meta": {"domain": "canary"}}, SkipReason.CANARY),
        ({"type": "categorize", "revision": None, "length": None}, SkipReason.NOT_AN_EDIT),
        ({"type": "external"}, SkipReason.NOT_AN_EDIT),
        ({"type": None}, SkipReason.NOT_AN_EDIT),
        ({"type": "log", "log_type": "upload", "revision": None}, SkipReason.NOT_AN_EDIT),
        ({"type": "log", "revision": None}, SkipReason.NOT_AN_EDIT),
        ({"revision": None}, SkipReason.NO_REVISION),
        ({"revision": {"old": 5, "new": None}}, SkipReason.NO_REVISION),
        ({"revision": {"old": 5, "new": 0}}, SkipReason.NO_REVISION),
        ({"wiki": "dewiki"}, SkipReason.OTHER_WIKI),
        ({"namespace": 1}, SkipReason.OTHER_NAMESPACE),
    ],
)
def test_each_skip_has_its_reason(fields: dict[str, Any], reason: SkipReason) -> None:
    record = Normalizer(["enwiki"], [0])(raw_change(**fields))
    assert isinstance(record, Skip)
    assert record.reason is reason


def test_a_canary_tells_when_it_came() -> None:
    assert NORMALIZE(raw_change(meta={"domain": "canary"})) == Skip(SkipReason.CANARY, START + 1.25)


HUGE = 10**400


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"wiki": None}, DeadReason.SCHEMA),
        ({"wiki": "énwiki"}, DeadReason.SCHEMA),
        ({"wiki": "w" * 65}, DeadReason.SCHEMA),
        ({"wiki": 5}, DeadReason.SCHEMA),
        ({"bot": "yes"}, DeadReason.SCHEMA),
        ({"length": {"old": -1, "new": 5}}, DeadReason.SCHEMA),
        ({"length": {"old": 1, "new": HUGE}}, DeadReason.SCHEMA),
        ({"revision": {"old": 1, "new": HUGE}}, DeadReason.SCHEMA),
        ({"revision": {"old": 1, "new": 2.5}}, DeadReason.SCHEMA),
        ({"namespace": HUGE}, DeadReason.SCHEMA),
        ({"namespace": -65}, DeadReason.SCHEMA),
        ({"timestamp": HUGE}, DeadReason.SCHEMA),
        ({"timestamp": -HUGE}, DeadReason.SCHEMA),
        ({"timestamp": "1767225600"}, DeadReason.SCHEMA),
        ({"meta": {"dt": "yesterday"}}, DeadReason.SCHEMA),
        ({"title": None}, DeadReason.BAD_TITLE),
        ({"title": ""}, DeadReason.BAD_TITLE),
        ({"title": "x" * 601}, DeadReason.BAD_TITLE),
        ({"title": "two\nlines"}, DeadReason.BAD_TITLE),
        ({"title": "nul\0"}, DeadReason.BAD_TITLE),
        ({"title": "para\u2029graph"}, DeadReason.BAD_TITLE),
        ({"timestamp": None, "meta": {"dt": None}}, DeadReason.BAD_TIME),
        ({"timestamp": 0}, DeadReason.BAD_TIME),
        ({"timestamp": int(START) + 86_402}, DeadReason.BAD_TIME),
        ({"timestamp": int(START) - 121 * 86_400}, DeadReason.BAD_TIME),
        ({"timestamp": 1 << 60}, DeadReason.BAD_TIME),
        ({"meta": {"dt": "9999-12-31T23:59:59Z"}}, DeadReason.BAD_TIME),
        ({"meta": {"dt": "0001-01-01T00:00:00Z"}}, DeadReason.BAD_TIME),
    ],
    ids=str,
)
def test_each_dead_letter_has_its_reason_and_its_bytes(
    fields: dict[str, Any], reason: DeadReason
) -> None:
    raw = raw_change(**fields)
    record = NORMALIZE(raw, "12:1")
    assert isinstance(record, DeadLetter), record
    assert (record.reason, record.raw, record.position) == (reason, raw, "12:1")
    assert record.stage == "normalize"
    assert "\n" not in record.message
    assert len(record.message) <= 500 * 6


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", DeadReason.NOT_JSON),
        (b"null", DeadReason.SCHEMA),
        (b"[]", DeadReason.SCHEMA),
        (b"{}", DeadReason.SCHEMA),
        (b'{"meta": null}', DeadReason.SCHEMA),
        (b'{"meta": {}, "timestamp": NaN}', DeadReason.NOT_JSON),
        (b'{"meta": {}', DeadReason.NOT_JSON),
        (b'{"meta": {}, "title": "\xff\xfe"}', DeadReason.INVALID_UTF8),
        (b'{"meta": {}, "title": "\\ud800"}', DeadReason.NOT_JSON),
        (b'{"meta": {}, "title": "\xed\xa0\x80"}', DeadReason.INVALID_UTF8),
        (b'{"meta": ' + b'{"x": ' * 100_000, DeadReason.TOO_DEEP),
        (b'{"meta": {}, "log_params": ' + b"[" * 100_000, DeadReason.TOO_DEEP),
        (b'{"meta": {}, "title": "' + b"x" * MAX_EVENT_BYTES + b'"}', DeadReason.TOO_LARGE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bytes_that_are_no_recent_change(raw: bytes, reason: DeadReason) -> None:
    record = NORMALIZE(raw)
    assert isinstance(record, DeadLetter)
    assert record.reason is reason
    assert record.raw == raw


def test_an_event_sent_again_weeks_later_is_taken() -> None:
    assert edit_of(timestamp=int(START) - 100 * 86_400).event_time == START - 100 * 86_400


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ({"target": "Spire", "noredir": "0"}, "Spire"),
        ({}, None),
        ([], None),
        (None, None),
        ({"target": 5}, None),
        ({"target": ""}, None),
        ({"target": "two\nlines"}, None),
        ("Spire", None),
    ],
    ids=str,
)
def test_a_moves_target(params: object, target: str | None) -> None:
    record = NORMALIZE(
        raw_change(type="log", log_type="move", log_action="move", log_params=params, revision=None)
    )
    assert isinstance(record, LogEvent)
    assert (record.log_type, record.log_action, record.target_title) == ("move", "move", target)


def test_only_a_move_has_a_target() -> None:
    record = NORMALIZE(raw_change(type="log", log_type="protect", log_action="modify",
                                  log_params={"target": "X"}, log_id=10**30))  # fmt: skip
    assert isinstance(record, LogEvent)
    assert (record.log_type, record.target_title) == ("protect", None)


def tags_change(**fields: Any) -> bytes:
    body = {
        "$schema": "/mediawiki/revision/tags-change/1.0.0",
        "meta": {"id": "t1", "dt": "2026-01-01T00:00:00Z", "domain": HOST},
        "database": "enwiki",
        "page_title": "Eiffel_Tower",
        "rev_id": 1_001,
        "tags": ["mw-reverted", "mobile edit"],
    } | fields
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def test_a_tags_change() -> None:
    assert NORMALIZE(tags_change()) == TagsChange(
        event_id="t1",
        wiki="enwiki",
        rev_id=1_001,
        title="Eiffel Tower",
        tags=("mw-reverted", "mobile edit"),
        event_time=START,
        arrival_time=START,
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"database": None}, DeadReason.SCHEMA),
        ({"database": "en\nwiki"}, DeadReason.SCHEMA),
        ({"database": "w" * 65}, DeadReason.SCHEMA),
        ({"page_title": None}, DeadReason.SCHEMA),
        ({"rev_id": 0}, DeadReason.SCHEMA),
        ({"meta": {"id": "t1"}}, DeadReason.SCHEMA),
        ({"page_title": "a\nb"}, DeadReason.BAD_TITLE),
        ({"meta": {"dt": "1970-01-01T00:00:00Z"}}, DeadReason.BAD_TIME),
    ],
    ids=str,
)
def test_a_broken_tags_change(fields: dict[str, Any], reason: DeadReason) -> None:
    record = NORMALIZE(tags_change(**fields))
    assert isinstance(record, DeadLetter)
    assert record.reason is reason


def test_tags_of_a_wiki_that_is_not_watched() -> None:
    record = Normalizer(["dewiki"])(tags_change())
    assert isinstance(record, Skip)
    assert record.reason is SkipReason.OTHER_WIKI


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Alice", PerformerKind.REGISTERED),
        ("", PerformerKind.HIDDEN),
        (None, PerformerKind.HIDDEN),
        ("192.0.2.7", PerformerKind.IP),
        ("2001:DB8::1", PerformerKind.IP),
        ("24.60.184.xxx", PerformerKind.IP),
        ("conversion script", PerformerKind.REGISTERED),
        ("1999 fan", PerformerKind.REGISTERED),
        ("192.0.2.700", PerformerKind.REGISTERED),
        ("::1%eth0", PerformerKind.REGISTERED),
        ("~2026-13936-08", PerformerKind.TEMPORARY),
        ("~2026-12345", PerformerKind.TEMPORARY),
        ("~2026-", PerformerKind.REGISTERED),
        ("~tilde", PerformerKind.REGISTERED),
    ],
)
def test_who_a_performer_is(name: str | None, kind: PerformerKind) -> None:
    assert performer_kind(name) is kind


def test_a_wiki_has_its_own_pattern_of_temporary_accounts() -> None:
    normalize = Normalizer(is_temporary=lambda wiki, name: wiki == "enwiki" and name.startswith("~x"))
    of_wiki = [normalize(raw_change(user="~x1", wiki=wiki)) for wiki in ("enwiki", "dewiki")]
    kinds = [record.performer_kind for record in of_wiki if isinstance(record, Edit)]
    assert kinds == [PerformerKind.TEMPORARY, PerformerKind.REGISTERED]


def test_an_id_that_is_none_is_made_of_the_bytes() -> None:
    ids = [edit_of(meta={"id": given}).event_id for given in (None, "a\nb", "x" * 65, "é")]
    assert len(set(ids)) == 4
    assert all(len(one) == 32 for one in ids)
    assert edit_of(meta={"id": None}).event_id == ids[0]


def test_long_names_and_comments_are_cut() -> None:
    record = edit_of(user="u" * 5_000, comment="c" * 5_000)
    assert (len(record.performer), len(record.comment)) == (600, MAX_COMMENT_CHARS)


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/w", "/w"), ("", ""), ("/a/b-c", "/a/b-c"), ("/../x", "/w"), ("/w?x=1", "/w"), (None, "/w")],
)
def test_a_script_path_is_kept_if_it_looks_like_one(path: str | None, kept: str) -> None:
    assert edit_of(server_script_path=path).script_path == kept


def test_quoted_text_is_one_bounded_line() -> None:
    assert quote_untrusted("a\nb\x00\u2028") == "a\\u000ab\\u0000\\u2028"
    assert len(quote_untrusted("x" * 9_999)) == 500


@pytest.mark.parametrize(
    ("unshown", "escaped"),
    [
        ("\x9b31m", "\\u009b31m"),
        ("\xad\u034f\u061c", "\\u00ad\\u034f\\u061c"),
        ("\u200b\u200e\u200f\u2029", "\\u200b\\u200e\\u200f\\u2029"),
        ("\u202a\u202e\u2060\u2069", "\\u202a\\u202e\\u2060\\u2069"),
        ("\ufeff\ufff9\ufffb\ud800", "\\ufeff\\ufff9\\ufffb\\ud800"),
        ("\U000e0001\U000e007f", "\\U000e0001\\U000e007f"),
    ],
)
def test_what_a_terminal_obeys_or_hides_is_escaped(unshown: str, escaped: str) -> None:
    assert quote_untrusted(unshown) == escaped


@pytest.mark.parametrize(
    "text",
    ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f468\u200d\U0001f33e", "\xa0é\ufffd"],
)
def test_joiners_of_words_and_emoji_are_shown(text: str) -> None:
    assert quote_untrusted(text) == text


def test_a_live_feed_has_nothing_from_tomorrow() -> None:
    """Three events of the year 2199 would end every episode and never let time pass again."""
    ahead = 7_226_582_400  # 1 January 2199
    line = raw_change(timestamp=ahead, meta={"dt": "2199-01-01T00:00:01Z"})
    assert isinstance(Normalizer()(line), Edit)
    dead = Normalizer(now=lambda: START)(line)
    assert isinstance(dead, DeadLetter)
    assert dead.reason is DeadReason.BAD_TIME


@pytest.mark.parametrize("wiki", ["x:y", "../x", "en wiki", "w" * 65, "wíki"])
def test_a_wiki_that_is_no_database_name_is_refused(wiki: str) -> None:
    assert isinstance(NORMALIZE(raw_change(wiki=wiki)), DeadLetter)


def test_a_host_is_bounded() -> None:
    assert len(edit_of(server_name="h" * 900_000).server_name) == 255
