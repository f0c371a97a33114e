"""The Action API's answers about the demo's wikis, formatversion 2."""

from __future__ import annotations

from collections.abc import Mapping

from streams.content.revisions import content_digest
from streams.demo.articles import DATA_WIKI
from streams.demo.feed import iso
from streams.demo.pages import Json, Revision

MESSAGES = {
    "undo-summary": "Undid revision $1 by [[Special:Contributions/$2|$2]] ([[User talk:$2|talk]])",
    "undo-summary-username-hidden": "Undid revision $1 by a hidden user",
    "revertpage": "Reverted edits by [[Special:Contributions/$2|$2]] ([[User talk:$2|talk]]) to last "
    "revision by [[User:$1|$1]]",
    "revertpage-nouser": "Reverted edits by a hidden user to last revision by [[User:$1|$1]]",
}


def answer_query(params: dict[str, str], revisions: Mapping[int, Revision]) -> Json:
    """The answer to a query, formatversion 2."""
    answer: Json = {"batchcomplete": True, "query": {}}
    if "revids" in params:
        answer["query"] |= _revisions(params["revids"].split("|")[:50], revisions)
    meta = params.get("meta", "").split("|")
    if "siteinfo" in meta:
        answer["query"]["general"] = {
            "sitename": "Demo",
            "lang": "en",
            "generator": "MediaWiki 1.46.0",
        }
        answer["query"]["autocreatetempuser"] = {"enabled": True, "matchPatterns": ["~2$1"]}
    if "allmessages" in meta:
        answer["query"]["allmessages"] = [
            {"name": name, "normalizedname": name, "content": MESSAGES[name]}
            if name in MESSAGES
            else {"name": name, "normalizedname": name, "missing": True}
            for name in params.get("ammessages", "").split("|")
        ]
    return answer


def _revisions(asked: list[str], revisions: Mapping[int, Revision]) -> Json:
    pages: dict[int, Json] = {}
    bad: Json = {}
    for text in asked:
        rev_id = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
        revision = revisions.get(rev_id)
        if revision is None:
            bad[text] = {"revid": rev_id, "missing": True}
            continue
        page = revision.page
        told = pages.setdefault(
            page.page_id, {"pageid": page.page_id, "ns": 0, "title": page.title, "revisions": []}
        )
        told["revisions"].append(_revision(revision))
    query: Json = {"pages": list(pages.values())}
    return {"badrevids": bad, **query} if bad else query


def _revision(revision: Revision) -> Json:
    told: Json = {
        "revid": revision.rev_id,
        "parentid": revision.parent_id,
        "minor": revision.minor,
        "timestamp": iso(revision.at),
        "size": revision.size,
        "tags": list(revision.tags),
    }
    if revision.hidden:
        hidden = {"userhidden": True, "sha1hidden": True, "commenthidden": True}
        return {**told, **hidden, "slots": {"main": {"texthidden": True}}}
    model, kind = (
        ("wikibase-item", "application/json")
        if revision.page.wiki == DATA_WIKI
        else ("wikitext", "text/x-wiki")
    )
    return {
        **told,
        "user": revision.by,
        "comment": revision.comment,
        "sha1": content_digest(revision.text),
        "slots": {"main": {"contentmodel": model, "contentformat": kind, "content": revision.text}},
    }
