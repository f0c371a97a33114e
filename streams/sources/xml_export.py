"""One pass over a MediaWiki XML export: bytes in, edits with their texts out, in bounded memory.

Formats 0.3 to 0.11 (https://www.mediawiki.org/xml/export-0.11.xsd). Old ones have neither parent id,
namespace, hash nor model, and keep names of people and scripts in `<ip>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b, sha1
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

from streams.errors import BadInput
from streams.records import Content, Edit, PerformerKind, RevisionText
from streams.sources.base import SourceItem
from streams.sources.compressed import ByteStream
from streams.sources.wiki_names import wiki_of_file, wiki_of_host
from streams.stages.normalize import (
    EARLIEST,
    LATEST,
    MAX_COMMENT_CHARS,
    MAX_NAME_CHARS,
    MAX_TITLE_CHARS,
    performer_kind,
    quote_untrusted,
)

#: A text above this is not kept (MediaWiki's own bound is 2 MiB); its digest and length are.
MAX_TEXT_BYTES = 4 << 20
#: lxml holds an element until its end: one larger than this is damage or an attack.
MAX_ELEMENT_BYTES = 128 << 20
#: Small elements take some 50 times their bytes. A revision has about 15 tags, a siteinfo a few hundred.
MAX_ELEMENT_TAGS = 500_000
#: The parser is fed this much at once, and revisions are given out between.
FEED_BYTES = 1 << 17
#: The root element comes at once; before it only a declaration and comments.
MAX_PROLOG_BYTES = 1 << 16

_PROLOG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?>(?>(?:<\?.*?\?>|<!--.*?-->)\s*+)*+)<mediawiki[\s>/]", re.DOTALL
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_WIKI_NAME = re.compile(r"[!-~]{1,64}")
_MAX_ID = 1 << 62


class Place(NamedTuple):
    """Where a revision is: both ordinals from 1, and its id to notice that the file is another."""

    page: int
    revision: int
    rev_id: int


class _Page(NamedTuple):
    ordinal: int
    title: str
    namespace: int
    page_id: int | None


class Export:
    """One pass over an export."""

    def __init__(self, path: str, stream: ByteStream, max_text_bytes: int) -> None:
        self._path = path
        self._stream = stream
        self._max_text_bytes = max_text_bytes
        self._prefix = ""
        """`{namespace}` that every tag of the export begins with."""
        self._wiki = wiki_of_file(path)
        self._server_name = ""
        self._namespaces: dict[str, int] = {}
        self._page: _Page | None = None
        self._pages = 0
        self._revisions = 0
        """Ordinal of the last revision read, within its page."""
        self._parent: RevisionText | None = None
        self._parent_bytes: int | None = None
        self._last_id = 0
        self._waiting_bytes = 0
        """Fed since something was freed, as the tags below."""
        self._waiting_tags = 0

    def items(self, after: Place | None) -> Iterator[SourceItem]:
        parser = etree.XMLPullParser(
            events=("end",),
            tag=("{*}revision", "{*}page", "{*}siteinfo", "{*}logitem", "{*}mediawiki"),
            encoding="utf-8",  # and nothing else, whatever the declaration says
            huge_tree=True,  # texts above 10 MB; our own bound is MAX_ELEMENT_BYTES
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,  # so that a text is one string
            remove_pis=True,
        )
        for data, damage in self._feeds():
            broken: etree.XMLSyntaxError | None = None
            try:
                if data:
                    parser.feed(data)
                elif damage is None and not self._stream.stopped():
                    parser.close()
            except etree.XMLSyntaxError as err:
                broken = err
            self._waiting_bytes += len(data)
            self._waiting_tags += data.count(b"<")
            for _, element in parser.read_events():
                item, after = self._ended(element, after)
                if item is not None:
                    yield item
                if self._stream.stopped():
                    return
            if damage is not None:
                raise BadInput(f"{damage} ({self._where()})")
            why = _fatal(parser) or (str(broken) if broken is not None else None)
            if why is not None:
                raise BadInput(f"{self._path}: damaged {self._where()}: {_one_line(why)}")
            if self._waiting_bytes > MAX_ELEMENT_BYTES:
                raise self._too_large(f"is larger than {MAX_ELEMENT_BYTES >> 20} MiB")
            if self._waiting_tags > MAX_ELEMENT_TAGS:
                raise self._too_large(f"has more than {MAX_ELEMENT_TAGS} tags")
        if after is not None and not self._stream.stopped():
            raise BadInput(f"{self._path}: shorter than where it was left, {self._left_at(after)}")

    def _feeds(self) -> Iterator[tuple[bytes, BadInput | None]]:
        """The file in pieces, checked to begin as an export; the last is empty or has the damage."""
        held = bytearray()
        started = False
        damage: BadInput | None = None
        while True:
            try:
                data = self._stream.read()
            except BadInput as err:
                damage, data = err, b""
            held += data
            if not started and (not data or len(held) >= MAX_PROLOG_BYTES):
                if self._stream.stopped():
                    return
                if not _PROLOG.match(held):
                    raise damage or self._no_export(bytes(held[:MAX_PROLOG_BYTES]))
                started = True
            if held and (not data or len(held) >= FEED_BYTES):
                yield bytes(held), None
                held.clear()
            if not data:
                yield b"", damage
                return

    def _too_large(self, how: str) -> BadInput:
        return BadInput(f"{self._path}: damaged {self._where()}: one element {how}")

    def _no_export(self, head: bytes) -> BadInput:
        if not head.strip():
            return BadInput(f"{self._path}: is empty, wants a MediaWiki XML export")
        if b"<!DOCTYPE" in head.upper() and b"<mediawiki" in head:
            return BadInput(f"{self._path}: not a MediaWiki XML export: has a document type declaration")
        begin = quote_untrusted(head.lstrip()[:60].decode(errors="replace"))
        return BadInput(f"{self._path}: not a MediaWiki XML export: begins with {begin!r}")

    def _ended(self, element: Any, after: Place | None) -> tuple[SourceItem | None, Place | None]:
        """Folds one ended element in and frees it. Of the tree only the open branch is left."""
        item: SourceItem | None = None
        kind = element.tag[len(self._prefix) :] if self._prefix else self._learn_prefix(element)
        if kind == "revision":
            if self._page is None:
                self._page = self._begin_page(element.getparent())
            self._revisions += 1
            if after is None:
                item = self._revision(self._page, element)
            elif self._reached(self._page, after, element):
                self._revision(self._page, element)
                after = None
        elif kind == "page":
            self._end_page()
        elif kind == "siteinfo":
            self._siteinfo(element)
        elif kind == "logitem":
            raise BadInput(f"{self._path}: is a dump of log entries, wants one of page histories")
        else:
            return None, after
        # The element's own tail may still be growing in the parser; what lies before it is done.
        element.clear(keep_tail=True)
        parent = element.getparent()
        if parent is not None:
            while element.getprevious() is not None:
                del parent[0]
            if self._in_place(kind, parent):
                self._waiting_bytes = self._waiting_tags = 0
        return item, after

    def _in_place(self, kind: str, parent: Any) -> bool:
        """Whether an element ended where the format has it: deeper, its siblings' parents pile up."""
        if kind == "revision":
            if parent.tag != f"{self._prefix}page":
                return False
            parent = parent.getparent()
        return parent is not None and parent.getparent() is None

    def _learn_prefix(self, element: Any) -> str:
        tag: str = element.tag
        self._prefix = tag[: tag.rfind("}") + 1]
        return tag[len(self._prefix) :]

    def _siteinfo(self, element: Any) -> None:
        try:
            self._server_name = urlsplit((element.findtext(f"{self._prefix}base") or "").strip()).netloc
        except ValueError:
            self._server_name = ""
        named = (element.findtext(f"{self._prefix}dbname") or "").strip()
        derived = wiki_of_host(self._server_name)
        for candidate in (named, derived):
            if candidate and _WIKI_NAME.fullmatch(candidate):
                self._wiki = candidate
                break
        for space in element.iter(f"{self._prefix}namespace"):
            key = _integer(space.get("key"), low=-64)
            if key is not None and space.text:
                self._namespaces[space.text] = key

    def _begin_page(self, page: Any) -> _Page:
        self._pages += 1
        prefix = self._prefix
        title = page.findtext(f"{prefix}title") or ""
        namespace = _integer(page.findtext(f"{prefix}ns"), low=-64)
        if namespace is None:
            name, colon, _ = title.partition(":")
            namespace = self._namespaces.get(name, 0) if colon else 0
        return _Page(self._pages, title, namespace, _integer(page.findtext(f"{prefix}id")))

    def _end_page(self) -> None:
        if self._page is None:
            self._pages += 1
        self._page = None
        self._revisions = 0
        self._parent = None
        self._parent_bytes = None

    def _reached(self, page: _Page, after: Place, element: Any) -> bool:
        """Whether this revision is the one to go on after. If not, only its id is remembered."""
        rev_id = _integer(element.findtext(f"{self._prefix}id")) or 0
        if (page.ordinal, self._revisions) < (after.page, after.revision):
            self._last_id = rev_id
            self._parent = RevisionText(rev_id, None)
            return False
        if (page.ordinal, self._revisions, rev_id) != after:
            raise BadInput(f"{self._path}: not the file that was left {self._left_at(after)}")
        return True

    def _revision(self, page: _Page, element: Any) -> SourceItem:
        prefix = len(self._prefix)
        found: dict[str, Any] = {}
        for child in element:
            found.setdefault(child.tag[prefix:], child)
        rev_id = _integer(_text(found.get("id"))) or 0
        self._last_id = rev_id
        parent, parent_bytes = self._parent, self._parent_bytes
        given_parent = _integer(_text(found.get("parentid"))) or None
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
        self._parent, self._parent_bytes = revision, size
        cursor = f"{page.ordinal}:{self._revisions}:{rev_id}"
        performer = "" if user_hidden else self._performer(contributor)
        event_time = _seconds(_text(found.get("timestamp")))
        title = page.title
        broken = not title or len(title) > MAX_TITLE_CHARS or _CONTROL.search(title) is not None
        if event_time is None or broken or not rev_id:
            return SourceItem(cursor, raw=self._as_recent_change(page, rev_id, parent_id, event_time))
        return SourceItem(
            cursor,
            edit=Edit(
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
            ),
        )

    def _body(self, element: Any) -> tuple[str | None, str | None, int | None, bool]:
        """Text, digest and length of a `<text>`, and whether it is hidden. A dump without texts
        gives lengths only."""
        if element is None:
            return None, None, None, False
        said = _integer(element.get("bytes"))
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
        prefix = self._prefix
        return contributor.findtext(f"{prefix}username") or contributor.findtext(f"{prefix}ip") or ""

    def _as_recent_change(
        self, page: _Page, rev_id: int, parent_id: int | None, event_time: float | None
    ) -> bytes:
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

    def _where(self) -> str:
        if self._page is not None:
            title = quote_untrusted(self._page.title, 80)
            revision = f"revision {self._revisions} (id {self._last_id})"
            return f"after {revision} of page {self._pages}, {title!r}"
        return f"after page {self._pages}" if self._pages else "before its first page"

    def _left_at(self, after: Place) -> str:
        return f"after revision {after.revision} (id {after.rev_id}) of page {after.page}"


def _text(element: Any) -> str | None:
    if element is None:
        return None
    text: str | None = element.text
    return text


def _integer(text: str | None, low: int = 0) -> int | None:
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


def _fatal(parser: Any) -> str | None:
    """What ended the parse. Some errors (an undefined entity) stop it without raising."""
    for entry in parser.feed_error_log:
        if entry.level >= etree.ErrorLevels.ERROR:
            return f"{entry.message}, line {entry.line}"
    return None


def _one_line(text: str) -> str:
    return quote_untrusted(" ".join(text.split()), 200)
