"""From an Action API answer to `RevisionText`: typed, pure, apart from I/O.

Shapes: https://www.mediawiki.org/wiki/API:Revisions with formatversion=2 and rvslots=main.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

import msgspec

from streams.content.outcomes import FetchOutcome
from streams.records import RevisionText

MAX_TEXT_BYTES = 4 * 1024 * 1024
"""MediaWiki takes 2 MiB a page; some wikis allow more."""
MAX_TAGS = 64
"""Of a revision that are kept, as of a recent change. Real ones have a handful."""
MAX_NAME_CHARS = 64
"""Of a tag or a content model."""
HEX_SHA1 = re.compile(r"[0-9a-f]{40}")


class ApiError(msgspec.Struct, frozen=True):
    code: str = ""
    info: str = ""


class ApiAnswer(msgspec.Struct, frozen=True):
    """What every answer may carry."""

    error: ApiError | None = None
    warnings: dict[str, msgspec.Raw] = {}
    continue_: dict[str, msgspec.Raw] | None = msgspec.field(default=None, name="continue")
    """The wiki cut the answer at its size limit."""


#: As the store can keep them.
_Id = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


class _Slot(msgspec.Struct, frozen=True, gc=False):
    content: str | None = None
    contentmodel: str = "wikitext"
    texthidden: bool = False


class _Revision(msgspec.Struct, frozen=True, gc=False):
    revid: _Id
    parentid: _Id | None = None
    sha1: str | None = None
    tags: tuple[str, ...] = ()
    slots: dict[str, _Slot] = {}
    texthidden: bool = False
    userhidden: bool = False
    commenthidden: bool = False
    suppressed: bool = False


class _Page(msgspec.Struct, frozen=True):
    pageid: _Id | None = None
    revisions: tuple[_Revision, ...] = ()


class _Query(msgspec.Struct, frozen=True):
    pages: tuple[_Page, ...] = ()
    badrevids: dict[str, msgspec.Raw] = {}


class RevisionsAnswer(ApiAnswer, frozen=True):
    query: _Query | None = None


def content_digest(text: str) -> str:
    """Hex SHA-1 of the UTF-8 bytes: what MediaWiki calls the sha1 of a one-slot revision."""
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def revisions_of(
    answer: RevisionsAnswer, max_text_bytes: int = MAX_TEXT_BYTES
) -> dict[int, tuple[RevisionText, FetchOutcome] | FetchOutcome]:
    """By rev_id, what the answer says: a revision as fetched, hidden or too large, or MISSING. A
    revision that isn't in here was cut off the answer: ask again.

    The digest is computed from the text wherever there is one: the API's is of all slots together, and
    where the two differ on a page of one slot ours at least is of the text we hold."""
    found: dict[int, tuple[RevisionText, FetchOutcome] | FetchOutcome] = {}
    if answer.query is None:
        return found
    for key in answer.query.badrevids:
        if key.isascii() and key.isdigit() and len(key) <= 19:
            found[int(key)] = FetchOutcome.MISSING
    for page in answer.query.pages:
        for revision in page.revisions:
            read = _read(page, revision, max_text_bytes)
            if read is not None:
                found[revision.revid] = read
    return found


def _read(
    page: _Page, revision: _Revision, max_text_bytes: int
) -> tuple[RevisionText, FetchOutcome] | None:
    slot = revision.slots.get("main")
    hidden = revision.texthidden or (slot is not None and slot.texthidden)
    text = slot.content if slot is not None and not hidden else None
    if text is None and not hidden:
        # a slot that can't be loaded, or one that the size limit cut off: not an answer
        return None
    outcome = FetchOutcome.HIDDEN if hidden else FetchOutcome.FETCHED
    digest = revision.sha1 if revision.sha1 and HEX_SHA1.fullmatch(revision.sha1) else None
    if text is not None:
        if len(text) > max_text_bytes or len(text.encode("utf-8", "surrogatepass")) > max_text_bytes:
            text, outcome = None, FetchOutcome.TOO_LARGE
        else:
            digest = content_digest(text)
    return RevisionText(
        rev_id=revision.revid,
        text=text,
        sha1=digest,
        tags=tuple(tag[:MAX_NAME_CHARS] for tag in revision.tags[:MAX_TAGS]),
        page_id=page.pageid,
        parent_id=revision.parentid or None,
        text_hidden=hidden,
        user_hidden=revision.userhidden or revision.suppressed,
        comment_hidden=revision.commenthidden or revision.suppressed,
        content_model=slot.contentmodel[:MAX_NAME_CHARS] if slot is not None else "wikitext",
    ), outcome
