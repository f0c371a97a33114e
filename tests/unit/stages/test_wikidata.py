"""Entities: compared by their JSON, else told by the autosummary."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.records import ChangeType, Content, Edit, PerformerKind, RevisionText
from streams.stages.diff import text_delta
from streams.stages.facts import fact_changes
from streams.stages.wikidata import entity_changes
from streams.stages.wikidata_summary import parse_summary

SUMMARY = "/* wbsetclaim-update:2||1 */ [[Property:P569]]: 1 January 1900"


def an_edit(comment: str = "", before: str | None = None, after: str | None = None) -> Edit:
    content = None
    if after is not None:
        parent = RevisionText(1, before, content_model="wikibase-item") if before is not None else None
        content = Content(RevisionText(2, after, content_model="wikibase-item"), parent)
    return Edit(
        event_id="e",
        wiki="wikidatawiki",
        server_name="www.wikidata.org",
        title="Q1",
        namespace=0,
        rev_id=2,
        parent_id=1,
        performer="192.0.2.7",
        performer_kind=PerformerKind.IP,
        event_time=0.0,
        arrival_time=0.0,
        comment=comment,
        content=content,
    )


def told(edit: Edit) -> list[tuple[str, str, str]]:
    return [(c.section, c.before, c.after) for c in fact_changes(edit, text_delta(None, None))]


@pytest.mark.parametrize(
    ("comment", "changes"),
    [
        (SUMMARY, [("P569", "", "1 January 1900")]),
        ("/* wbcreateclaim-create:1| */ [[Property:P31]]: [[Q5]], #petscan", [("P31", "", "Q5")]),
        ("/* wbremoveclaims-remove:1| */ [[Property:P31]]: [[Q5]]", [("P31", "Q5", "")]),
        ("/* wbsetdescription-add:1|en */ a town", [("description/en", "", "a town")]),
        ("/* wbsetdescription-remove:1|en */ a town", [("description/en", "a town", "")]),
        ("/* wbsetlabel-set:1|zh */ 怨恨", [("label/zh", "", "怨恨")]),
        ("/* wbsetaliases-add:2|ru */ а, б", [("alias/ru", "", "а, б")]),
        ("/* wbsetsitelink-remove:1|eswiki */ Mott", [("sitelink/eswiki", "Mott", "")]),
        ("/* clientsitelink-update:0|dewiki|dewiki:A|dewiki:B */", [("sitelink/dewiki", "A", "B")]),
        ("/* wbsetqualifier-add:1| */ [[Property:P195]]: [[Q1]], my words", [("P195", "", "Q1")]),
        ("/* wbsetreference-add:2| */ [[Property:P155]]: [[Q2]]", []),
        ("/* wbeditentity-update:0| */ Bot: many things", []),
        ("/* undo:0||645124687|Somebody */ with a reason", []),
        ("/* restore:0||645124687|Somebody */", []),
        ("no summary at all", []),
    ],
)
def test_summaries(comment: str, changes: list[tuple[str, str, str]]) -> None:
    assert told(an_edit(comment)) == changes


def test_undo_names_revision_and_user_and_tools_sign() -> None:
    undo = parse_summary(
        "/* undo:0||645124687|Some|body */ reason ([[:toollabs:editgroups/b/x|details]])"
    )
    assert undo is not None
    assert undo.arguments == ("", "645124687", "Some", "body")
    assert undo.text == "reason"
    tool = parse_summary("/* wbsetlabel-add:1|en */ Mr, #quickstatements; #temporary_batch_1")
    assert tool is not None
    assert tool.tool


def statement(key: str, kind: str, value: Any, rank: str = "normal", **more: Any) -> dict[str, Any]:
    snak = {"snaktype": "value", "property": "P", "datavalue": {"type": kind, "value": value}}
    return {"id": key, "rank": rank, "type": "statement", "mainsnak": snak, **more}


def a_time(time: str, precision: int = 11) -> dict[str, Any]:
    return {
        "time": time,
        "precision": precision,
        "calendarmodel": "http://www.wikidata.org/entity/Q1985727",
    }


def entity(**parts: Any) -> str:
    return json.dumps({"type": "item", "id": "Q1", "labels": [], "claims": [], **parts})


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("time", a_time("+1809-02-12T00:00:00Z"), "1809-02-12"),
        ("time", a_time("+1809-02-00T00:00:00Z", 10), "1809-02"),
        ("time", a_time("-0044-00-00T00:00:00Z", 9), "44 BCE"),
        ("time", a_time("+1805-00-00T00:00:00Z", 8), "1800s"),
        ("time", a_time("+1801-00-00T00:00:00Z", 7), "19. century"),
        (
            "quantity",
            {"amount": "+193", "unit": "http://www.wikidata.org/entity/Q174728"},
            "193 Q174728",
        ),
        ("quantity", {"amount": "-2.5", "unit": "1"}, "-2.5"),
        ("string", "abc", "abc"),
        ("wikibase-entityid", {"entity-type": "item", "numeric-id": 5}, "Q5"),
        ("globecoordinate", {"latitude": 53.5, "longitude": -2.1, "globe": "x/Q2"}, "53.5, -2.1"),
        ("monolingualtext", {"text": "Ja", "language": "de"}, "Ja (de)"),
        ("later-type", {"a": 1}, '{"a": 1}'),
    ],
)
def test_values_as_a_reader_sees_them(kind: str, value: Any, shown: str) -> None:
    before = entity(claims={"P1": [statement("s", "string", "old")]})
    after = entity(claims={"P1": [statement("s", kind, value)]})
    (change,) = fact_changes(an_edit("", before, after), text_delta(None, None))
    assert (change.change_type, change.section) == (ChangeType.PROPERTY, "P1")
    assert (change.before, change.after) == ("old", shown)


def test_what_differs_is_told_replaced_values_first() -> None:
    old = {
        "labels": {"en": {"language": "en", "value": "Ada"}},
        "aliases": {"en": [{"language": "en", "value": "A"}]},
        "sitelinks": {"enwiki": {"site": "enwiki", "title": "Ada", "badges": []}},
        "claims": {
            "P1": [statement("a", "string", "one"), statement("b", "string", "two")],
            "P2": [statement("c", "string", "x", qualifiers={"P9": []})],
        },
    }
    new = json.loads(json.dumps(old))
    new["labels"]["en"]["value"] = "poop"
    new["aliases"]["en"].append({"language": "en", "value": "B"})
    new["sitelinks"] = []
    new["claims"]["P1"][1]["rank"] = "deprecated"
    new["claims"]["P1"].append(statement("n", "string", "three"))
    new["claims"]["P2"][0]["mainsnak"] = {"snaktype": "novalue", "property": "P2"}
    assert told(an_edit("", entity(**old), entity(**new))) == [
        ("P1", "two (normal rank)", "two (deprecated rank)"),
        ("P2", "x", "no value"),
        ("label/en", "Ada", "poop"),
        ("P1", "", "three"),
        ("alias/en", "", "B"),
        ("sitelink/enwiki", "Ada", ""),
    ]


def test_a_statement_replaced_by_another_is_one_change() -> None:
    before = entity(claims={"P1": [statement("a", "string", "one")]})
    after = entity(claims={"P1": [statement("b", "string", "two")]})
    assert told(an_edit("", before, after)) == [("P1", "one", "two")]


def test_summary_and_content_give_one_key() -> None:
    before = entity(claims={"P569": [statement("a", "string", "one")]})
    after = entity(claims={"P569": [statement("a", "string", "two")]})
    (compared,) = entity_changes(an_edit("", before, after))
    (reverted,) = entity_changes(an_edit("", after, before))
    (summarized,) = entity_changes(an_edit(SUMMARY))
    assert compared.fact_key == reverted.fact_key == summarized.fact_key


@pytest.mark.parametrize(
    "text",
    ["", "[", "[" * 200_000, '{"a":' * 200_000, "[]", '"x"', '{"claims":{"P1":3}}', '{"claims":[1,2]}',
     '{"labels":{"en":{"value":3}}}', '{"labels":{"en":{"value":"\\ud800"}}}', "\x00"],
)  # fmt: skip
def test_unreadable_json_falls_back_to_the_summary(text: str) -> None:
    assert told(an_edit(SUMMARY, entity(), text)) == [("P569", "", "1 January 1900")]


def test_a_hidden_text_falls_back_to_the_summary() -> None:
    edit = an_edit(SUMMARY, entity(), entity())
    assert edit.content is not None
    hidden = Content(RevisionText(2, None, content_model="wikibase-item"), edit.content.parent)
    assert told(msgspec.structs.replace(edit, content=hidden)) == [("P569", "", "1 January 1900")]


def test_real_summaries_all_parse(shared_data: Path) -> None:
    parsed: Counter[bool] = Counter()
    with gzip.open(shared_data / "events" / "wikidata-recentchange-2018.jsonl.gz") as lines:
        for line in lines:
            event = json.loads(line)
            if event["type"] in ("edit", "new") and event["namespace"] in (0, 120):
                parsed[parse_summary(event["comment"]) is not None] += 1
    assert parsed == {True: 5656}
