"""The Action API's answers about the demo's wikis, formatversion 2."""

from __future__ import annotations

from collections.abc import Mapping

from streams.content.revisions import content_digest
from streams.demo.articles import DATA_WIKI
from streams.demo.feed import iso
from streams.demo.pages import Json, Page, Revision
from streams.records import PerformerKind
from streams.stages.performer_kinds import performer_kind

MOST = 50
"""Revisions that one call gives."""
DEFAULT_PROPS = "ids|timestamp|flags|comment|user"
MESSAGES = {
    "undo-summary": "Undid revision $1 by [[Special:Contributions/$2|$2]] ([[User talk:$2|talk]])",
    "undo-summary-username-hidden": "Undid revision $1 by a hidden user",
    "revertpage": "Reverted edits by [[Special:Contributions/$2|$2]] ([[User talk:$2|talk]]) to last "
    "revision by [[User:$1|$1]]",
    "revertpage-nouser": "Reverted edits by a hidden user to last revision by [[User:$1|$1]]",
}

# Which value of `rvprop` asks for a field.
_PROP_OF = {
    "revid": "ids", "parentid": "ids", "timestamp": "timestamp", "minor": "flags", "size": "size",
    "tags": "tags", "user": "user", "anon": "user", "userhidden": "user",
    "comment": "comment", "commenthidden": "comment", "sha1": "sha1", "sha1hidden": "sha1", "slots": "content",
}  # fmt: skip


def answer_query(
    params: dict[str, str], revisions: Mapping[int, Revision], pages: Mapping[int, Page]
) -> Json:
    """The answer to a query, formatversion 2. `pages` by page id, of all wikis."""
    answer: Json = {"batchcomplete": True, "query": {}}
    props = frozenset(params.get("rvprop", DEFAULT_PROPS).split("|"))
    if "revids" in params:
        answer["query"] |= _revisions(params["revids"].split("|")[:MOST], revisions, props)
    elif "pageids" in params:
        answer = _history(params, pages, props)
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


def _history(params: dict[str, str], pages: Mapping[int, Page], props: frozenset[str]) -> Json:
    """Of one page, newest first, those not after `rvstart`."""
    page_id = _number(params["pageids"])
    page = pages.get(page_id)
    if page is None:
        missing = {"pageid": page_id, "missing": True}
        return {"batchcomplete": True, "query": {"pages": [missing]}}
    start = params.get("rvstart", "9999")
    most = min(_number(params.get("rvlimit", "")) or 1, MOST)
    found = [revision for revision in reversed(page.history) if iso(revision.at) <= start]
    told = {**_page(page), "revisions": [_revision(revision, props) for revision in found[:most]]}
    answer: Json = {"query": {"pages": [told]}}
    if len(found) <= most:
        return {"batchcomplete": True, **answer}
    rest = found[most]
    when = "".join(sign for sign in iso(rest.at) if sign.isdigit())
    return {"continue": {"rvcontinue": f"{when}|{rest.rev_id}", "continue": "||"}, **answer}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _page(page: Page) -> Json:
    return {"pageid": page.page_id, "ns": 0, "title": page.title}


def _revisions(asked: list[str], revisions: Mapping[int, Revision], props: frozenset[str]) -> Json:
    pages: dict[int, Json] = {}
    bad: Json = {}
    for text in asked:
        rev_id = _number(text)
        revision = revisions.get(rev_id)
        if revision is None:
            bad[text] = {"revid": rev_id, "missing": True}
            continue
        page = revision.page
        told = pages.setdefault(page.page_id, {**_page(page), "revisions": []})
        told["revisions"].append(_revision(revision, props))
    query: Json = {"pages": list(pages.values())}
    return {"badrevids": bad, **query} if bad else query


def _revision(revision: Revision, props: frozenset[str]) -> Json:
    return {name: value for name, value in _all_of(revision).items() if _PROP_OF[name] in props}


def _all_of(revision: Revision) -> Json:
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
    if performer_kind(revision.by) is PerformerKind.IP:
        told["anon"] = True
    return {
        **told,
        "user": revision.by,
        "comment": revision.comment,
        "sha1": content_digest(revision.text),
        "slots": {"main": {"contentmodel": model, "contentformat": kind, "content": revision.text}},
    }
