"""What people do on the demo's Bluesky, worded as Jetstream v1 words it."""

from __future__ import annotations

from datetime import UTC, datetime

from streams.demo.pages import Json
from streams.demo.people import Person

POST, REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"


def did(person: Person) -> str:
    return f"did:web:{person.name}.{person.host}"


def address(person: Person, rkey: str, collection: str = POST) -> str:
    return f"at://{did(person)}/{collection}/{rkey}"


def said(
    person: Person,
    rkey: str,
    text: str,
    language: str,
    now: float,
    *,
    link: str = "",
    parent: str = "",
    edited: bool = False,
) -> Json:
    record: Json = {
        "$type": POST,
        "createdAt": _iso(now),
        "langs": [language],
        "text": text,
    }
    if link:
        record["embed"] = {
            "$type": "app.bsky.embed.external",
            "external": {"uri": link, "title": "", "description": ""},
        }
    if parent:
        reference = {"uri": parent, "cid": "bafyreidemo"}
        record["reply"] = {"parent": reference, "root": reference}
    return _commit(person, POST, rkey, "update" if edited else "create", now, record)


def reposted(person: Person, rkey: str, of: str, now: float) -> Json:
    record = {
        "$type": REPOST,
        "createdAt": _iso(now),
        "subject": {"uri": of, "cid": "bafyreidemo"},
    }
    return _commit(person, REPOST, rkey, "create", now, record)


def deleted(person: Person, rkey: str, now: float) -> Json:
    return _commit(person, POST, rkey, "delete", now, None)


def _commit(
    person: Person, collection: str, rkey: str, operation: str, now: float, record: Json | None
) -> Json:
    commit: Json = {
        "rev": f"3demo{round(now * 1e6):017d}",
        "operation": operation,
        "collection": collection,
        "rkey": rkey,
    }
    if record is not None:
        commit |= {"record": record, "cid": "bafyreidemo"}
    return {"did": did(person), "time_us": round(now * 1e6), "kind": "commit", "commit": commit}


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
