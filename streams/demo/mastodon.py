"""What people do on the demo's Mastodon, worded as its streaming interface words it."""

from __future__ import annotations

import html

from streams.demo.feed import iso
from streams.demo.pages import Json
from streams.demo.people import Person

FIRST_PART = 16
"""Bits of an id below its milliseconds."""


def status_id(now: float, number: int) -> str:
    return str((round(now * 1000) << FIRST_PART) + number % (1 << FIRST_PART))


def status(
    person: Person,
    local_id: str,
    text: str,
    language: str,
    now: float,
    *,
    link: str = "",
    answers: str | None = None,
    edited: float | None = None,
    reblog: Json | None = None,
) -> Json:
    """`now` is when it was made, `edited` when it was reworded."""
    base = f"https://{person.host}"
    content = f"<p>{html.escape(text)}</p>" if text else ""
    if link:
        content += f'<p><a href="{html.escape(link)}">{html.escape(link)}</a></p>'
    return {
        "id": local_id,
        "created_at": iso(now, milliseconds=True),
        "visibility": "public",
        "language": language,
        "uri": f"{base}/users/{person.name}/statuses/{local_id}",
        "url": f"{base}/@{person.name}/{local_id}",
        "content": content,
        "spoiler_text": "",
        "in_reply_to_id": answers,
        "edited_at": None if edited is None else iso(edited, milliseconds=True),
        "reblog": reblog,
        "account": {
            "id": person.name,
            "acct": f"{person.name}@{person.host}",
            "uri": f"{base}/users/{person.name}",
            "followers_count": person.followers,
        },
    }
