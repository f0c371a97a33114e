"""One pass over a MediaWiki XML export: bytes in, edits with their texts out, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lxml import etree  # type: ignore[import-untyped]  # lxml has no types

from streams.errors import BadInput
from streams.records import RevisionText
from streams.sources.base import SourceItem
from streams.sources.compressed import ByteStream
from streams.sources.wiki_names import wiki_of_file
from streams.sources.xml_elements import Elements, Page, integer
from streams.stages.normalize import quote_untrusted

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


class Place(NamedTuple):
    """Where a revision is: both ordinals from 1, and its id to notice that the file is another."""

    page: int
    revision: int
    rev_id: int


class Export:
    """One pass over an export."""

    def __init__(self, path: str, stream: ByteStream, max_text_bytes: int) -> None:
        self._path = path
        self._stream = stream
        self._elements = Elements(wiki_of_file(path), max_text_bytes)
        self._page: Page | None = None
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
        begin = _text(head.lstrip()[:60])
        how = f'begins with "{quote_untrusted(begin)}"' if begin is not None else "is no text in UTF-8"
        return BadInput(f"{self._path}: not a MediaWiki XML export: {how}")

    def _ended(self, element: Any, after: Place | None) -> tuple[SourceItem | None, Place | None]:
        """Folds one ended element in and frees it. Of the tree only the open branch is left."""
        item: SourceItem | None = None
        prefix = self._elements.prefix
        kind = element.tag[len(prefix) :] if prefix else self._learn_prefix(element)
        if kind == "revision":
            if self._page is None:
                self._pages += 1
                self._page = self._elements.page(element.getparent(), self._pages)
            self._revisions += 1
            if after is None:
                item = self._read(self._page, element)
            elif self._reached(self._page, after, element):
                self._read(self._page, element)
                after = None
        elif kind == "page":
            self._end_page()
        elif kind == "siteinfo":
            self._elements.take_siteinfo(element)
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
            if parent.tag != f"{self._elements.prefix}page":
                return False
            parent = parent.getparent()
        return parent is not None and parent.getparent() is None

    def _learn_prefix(self, element: Any) -> str:
        tag: str = element.tag
        self._elements.prefix = tag[: tag.rfind("}") + 1]
        return tag[len(self._elements.prefix) :]

    def _end_page(self) -> None:
        if self._page is None:
            self._pages += 1
        self._page = None
        self._revisions = 0
        self._parent = None
        self._parent_bytes = None

    def _reached(self, page: Page, after: Place, element: Any) -> bool:
        """Whether this revision is the one to go on after. If not, only its id is remembered."""
        rev_id = integer(element.findtext(f"{self._elements.prefix}id")) or 0
        if (page.ordinal, self._revisions) < (after.page, after.revision):
            self._last_id = rev_id
            self._parent = RevisionText(rev_id, None)
            return False
        if (page.ordinal, self._revisions, rev_id) != after:
            raise BadInput(f"{self._path}: not the file that was left {self._left_at(after)}")
        return True

    def _read(self, page: Page, element: Any) -> SourceItem:
        read = self._elements.revision(element, page, self._revisions, self._parent, self._parent_bytes)
        self._parent, self._parent_bytes = read.text, read.size
        self._last_id = read.text.rev_id
        return read.item

    def _where(self) -> str:
        if self._page is not None:
            title = quote_untrusted(self._page.title, 80)
            revision = f"revision {self._revisions} (id {self._last_id})"
            return f"after {revision} of page {self._pages}, {title!r}"
        return f"after page {self._pages}" if self._pages else "before its first page"

    def _left_at(self, after: Place) -> str:
        return f"after revision {after.revision} (id {after.rev_id}) of page {after.page}"


def _fatal(parser: Any) -> str | None:
    """What ended the parse. Some errors (an undefined entity) stop it without raising."""
    for entry in parser.feed_error_log:
        if entry.level >= etree.ErrorLevels.ERROR:
            return f"{entry.message}, line {entry.line}"
    return None


def _one_line(text: str) -> str:
    return quote_untrusted(" ".join(text.split()), 200)


def _text(begin: bytes) -> str | None:
    """None for bytes that are none. They may end within a character."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(begin)
    except UnicodeDecodeError:
        return None
    return None if any(sign < " " and not sign.isspace() for sign in text) else text
