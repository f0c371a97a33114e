"""The elements of a MediaWiki XML export, read: its wiki, a page, a revision with its text.

Formats 0.3 to 0.11 (https://www.mediawiki.org/xml/export-0.11.xsd). Old ones have neither parent id,
namespace, hash nor model, and keep names of people and scripts in `<ip>`.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import blake2b, sha1
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from streams.records import Content, Edit, PerformerKind, RevisionText
from streams.sources.base import SourceItem
from streams.sources.wiki_names import wiki_of_host
from streams.stages.normalize import (
    EARLIEST,
    LATEST,
    MAX_COMMENT_CHARS,
    MAX_NAME_CHARS,
    MAX_TITLE_CHARS,
)
from streams.stages.performer_kinds import performer_kind

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_WIKI_NAME = re.compile(r"[!-~]{1,64}")
_MAX_ID = 1 << 62


class Page(NamedTuple):
    ordinal: int
    title: str
    namespace: int
    page_id: int | None


class Revision(NamedTuple):
    """A revision read: as an edit, or as JSON where it can be none."""

    item: SourceItem
    text: RevisionText
    size: int | None
    """Bytes of its text."""


class Elements:
    """Reads ended elements. Of a wiki, what was last said of it."""

    def __init__(self, wiki: str, max_text_bytes: int) -> None:
        self.prefix = ""
        """`{namespace}` that every tag of the export begins with."""
        self._wiki = wiki
        self._server_name = ""
        self._namespaces: dict[str, int] = {}
        self._max_text_bytes = max_text_bytes

    def take_siteinfo(self, element: Any) -> None:
        """What the export says of its wiki."""
        try:
            self._server_name = urlsplit((element.findtext(f"{self.prefix}base") or "").strip()).netloc
        except ValueError:
            self._server_name = ""
        named = (element.findtext(f"{self.prefix}dbname") or "").strip()
        derived = wiki_of_host(self._server_name)
        for candidate in (named, derived):
            if candidate and _WIKI_NAME.fullmatch(candidate):
                self._wiki = candidate
                break
        for space in element.iter(f"{self.prefix}namespace"):
            key = integer(space.get("key"), low=-64)
            if key is not None and space.text:
                self._namespaces[space.text] = key

    def page(self, page: Any, ordinal: int) -> Page:
        prefix = self.prefix
        title = page.findtext(f"{prefix}title") or ""
        namespace = integer(page.findtext(f"{prefix}ns"), low=-64)
        if namespace is None:
            name, colon, _ = title.partition(":")
            namespace = self._namespaces.get(name, 0) if colon else 0
        return Page(ordinal, title, namespace, integer(page.findtext(f"{prefix}id")))

    def revision(
        self,
        element: Any,
        page: Page,
        ordinal: int,
        parent: RevisionText | None,
        parent_bytes: int | None,
    ) -> Revision:
        """The `ordinal`th of the page; `parent` is the one before it, None for the first."""
        prefix = len(self.prefix)
        found: dict[str, Any] = {}
        for child in element:
            found.setdefault(child.tag[prefix:], child)
        rev_id = integer(_text(found.get("id"))) or 0
        given_parent = integer(_text(found.get("parentid"))) or None
        if parent is not None:
            parent_id = parent.rev_id or None
        else:
            parent_id = given_parent
            if parent_id is not None:  # the export begins in the middle of the page
                parent = RevisionText(parent_id, None, page_id=page.page_id)
        contributor, comment = found.get("contributor"), found.get("comment")
        user_hidden = contributor is not None and contributor.get("deleted") is not None
        comment_hidden = comment is not None and comment.get("deleted") is not None
        text, digest, size, text_hidden = self._body(found.get("text"))
        revision = RevisionText(
            rev_id=rev_id,
            text=text,
            sha1=digest,
            page_id=page.page_id,
            parent_id=parent_id,
            text_hidden=text_hidden,
            user_hidden=user_hidden,
            comment_hidden=comment_hidden,
            content_model=(_text(found.get("model")) or "wikitext")[:64],
        )
        cursor = f"{page.ordinal}:{ordinal}:{rev_id}"
        performer = "" if user_hidden else self._performer(contributor)
        event_time = _seconds(_text(found.get("timestamp")))
        title = page.title
        broken = not title or len(title) > MAX_TITLE_CHARS or _CONTROL.search(title) is not None
        if event_time is None or broken or not rev_id:
            raw = self._as_recent_change(page, rev_id, parent_id, event_time)
            return Revision(SourceItem(cursor, raw=raw), revision, size)
        edit = Edit(
            event_id=blake2b(f"{self._wiki}:{rev_id}".encode(), digest_size=16).hexdigest(),
            wiki=self._wiki,
            server_name=self._server_name,
            title=title,
            namespace=page.namespace,
            rev_id=rev_id,
            parent_id=parent_id,
            performer=performer[:MAX_NAME_CHARS],
            performer_kind=performer_kind(performer) if performer else PerformerKind.HIDDEN,
            event_time=event_time,
            arrival_time=event_time,
            comment="" if comment_hidden else (_text(comment) or "")[:MAX_COMMENT_CHARS],
            minor="minor" in found,
            is_new=parent_id is None,
            old_len=parent_bytes if parent_id is not None else None,
            new_len=size,
            page_id=page.page_id,
            content=Content(revision, parent),
        )
        return Revision(SourceItem(cursor, edit=edit), revision, size)

    def _body(self, element: Any) -> tuple[str | None, str | None, int | None, bool]:
        """Text, digest and length of a `<text>`, and whether it is hidden. A dump without texts
        gives lengths only."""
        if element is None:
            return None, None, None, False
        said = integer(element.get("bytes"))
        if element.get("deleted") is not None:
            return None, None, said, True
        text: str = element.text or ""
        if not text and said:
            return None, None, said, False
        body = text.encode()
        digest = sha1(body, usedforsecurity=False).hexdigest()
        if len(body) > self._max_text_bytes:
            return None, digest, len(body), False
        return text, digest, len(body), False

    def _performer(self, contributor: Any) -> str:
        if contributor is None:
            return ""
        prefix = self.prefix
        return contributor.findtext(f"{prefix}username") or contributor.findtext(f"{prefix}ip") or ""

    def _as_recent_change(
        self, page: Page, rev_id: int, parent_id: int | None, event_time: float | None
    ) -> bytes:
        """For `normalize`, which dead-letters it with the reason."""
        return msgspec.json.encode(
            {
                "meta": {"domain": self._server_name},
                "type": "edit",
                "wiki": self._wiki,
                "title": page.title[: MAX_TITLE_CHARS + 1],
                "namespace": page.namespace,
                "timestamp": None if event_time is None else int(event_time),
                "revision": {"old": parent_id, "new": rev_id},
            }
        )


def _text(element: Any) -> str | None:
    if element is None:
        return None
    text: str | None = element.text
    return text


def integer(text: str | None, low: int = 0) -> int | None:
    """None for what is no number, or none that an id or a length can be."""
    if text is None or len(text) > 32:
        return None
    try:
        number = int(text)
    except ValueError:
        return None
    return number if low <= number <= _MAX_ID else None


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if moment.tzinfo is not None and EARLIEST <= seconds <= LATEST else None
