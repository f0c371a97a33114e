"""What the demo's wikis do, worded as Wikimedia's feed words it: recentchange 1.0.1 and
revision/tags-change 1.0.0."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from urllib.parse import quote

from streams.demo.articles import HOSTS
from streams.demo.pages import Json, Page, Revision
from streams.demo.scenario import ADMIN, BOTS

RECENT_CHANGE, TAGS_CHANGE = "mediawiki.recentchange", "mediawiki.revision-tags-change"


def edited(made: Revision, old: Revision, rc_id: int, now: float) -> tuple[str, Json]:
    return RECENT_CHANGE, {
        **_change(made.page, made.by, made.comment, rc_id, now),
        "type": "edit",
        "notify_url": f"https://{HOSTS[made.page.wiki]}/w/index.php?diff={made.rev_id}&oldid={old.rev_id}",
        "minor": made.minor,
        "length": {"old": old.size, "new": made.size},
        "revision": {"old": old.rev_id, "new": made.rev_id},
    }


def logged(
    page: Page, kind: str, params: Json, by: str, comment: str, rc_id: int, now: float
) -> tuple[str, Json]:
    return RECENT_CHANGE, {
        **_change(page, by, comment, rc_id, now),
        "type": "log",
        "log_id": rc_id,
        "log_type": kind,
        "log_action": kind,
        "log_params": params,
        "log_action_comment": f"{kind} [[{page.title}]]: {comment}",
    }


def _change(page: Page, by: str, comment: str, rc_id: int, now: float) -> Json:
    """What all recent changes have."""
    host = HOSTS[page.wiki]
    url = f"https://{host}/wiki/{quote(page.title.replace(' ', '_'))}"
    return {
        "$schema": "/mediawiki/recentchange/1.0.1",
        "meta": _meta(RECENT_CHANGE, host, url, now),
        "id": rc_id,
        "namespace": 0,
        "title": page.title,
        "title_url": url,
        "comment": comment,
        "timestamp": int(now),
        "user": by,
        "bot": by in BOTS,
        "server_url": f"https://{host}",
        "server_name": host,
        "server_script_path": "/w",
        "wiki": page.wiki,
        "parsedcomment": "",
    }


def tagged(revision: Revision, before: list[str], now: float) -> tuple[str, Json]:
    page = revision.page
    host = HOSTS[page.wiki]
    return TAGS_CHANGE, {
        "$schema": "/mediawiki/revision/tags-change/1.0.0",
        "meta": _meta(TAGS_CHANGE, host, f"https://{host}/wiki/{quote(page.title)}", now),
        "database": page.wiki,
        "page_id": page.page_id,
        "page_title": page.title.replace(" ", "_"),
        "page_namespace": 0,
        "page_is_redirect": False,
        "rev_id": revision.rev_id,
        "rev_timestamp": iso(revision.at),
        "tags": list(revision.tags),
        "prior_state": {"tags": before},
        "performer": {"user_text": ADMIN, "user_groups": ["sysop"], "user_is_bot": False},
    }


def canary(stream: str, now: float) -> Json:
    """Wikimedia's sign of life: an event of no wiki."""
    return {
        "$schema": "/mediawiki/recentchange/1.0.1",
        "meta": _meta(stream, "canary", "https://canary.example/", now),
    }


def _meta(stream: str, domain: str, uri: str, now: float) -> Json:
    return {
        "uri": uri,
        "request_id": str(uuid.uuid4()),
        "id": str(uuid.uuid4()),
        "domain": domain,
        "stream": stream,
        "dt": iso(now, milliseconds=True),
        "topic": f"eqiad.{stream}",
        "partition": 0,
    }


def iso(at: float, milliseconds: bool = False) -> str:
    text = datetime.fromtimestamp(at, UTC).isoformat(
        timespec="milliseconds" if milliseconds else "seconds"
    )
    return text.replace("+00:00", "Z")
