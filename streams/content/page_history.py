"""From an Action API answer to the revisions of a page before an edit: typed, pure, apart from I/O.

Shapes: https://www.mediawiki.org/wiki/API:Revisions with formatversion=2, asked by page id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from streams.content.revisions import HEX_SHA1, MAX_NAME_CHARS, MAX_TAGS, ApiAnswer
from streams.records import Content, Edit, RevisionText
from streams.stages import normalize
from streams.stages.performer_kinds import performer_kind
from streams.stages.recent_history import REVISIONS
from streams.state.page import REVERT_RADIUS

FIELDS = "ids|timestamp|user|comment|tags|sha1|size|flags"
TEXTS = 16
"""Fetched of a page at most: from 15 followed edits on, that a word is not remembered says something."""
TEXT_BYTES = 2 * 1024 * 1024
"""Of a page's texts together, by the sizes that the wiki tells."""
UNKNOWN_SIZE = 100_000

_Id = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


class _Past(msgspec.Struct, frozen=True, gc=False):
    revid: _Id
    parentid: _Id | None = None
    timestamp: str = ""
    user: str | None = None
    comment: str | None = None
    sha1: str | None = None
    size: _Id | None = None
    tags: tuple[str, ...] = ()
    minor: bool = False
    userhidden: bool = False
    commenthidden: bool = False
    sha1hidden: bool = False
    suppressed: bool = False


class _Page(msgspec.Struct, frozen=True):
    pageid: _Id | None = None
    missing: bool = False
    revisions: tuple[_Past, ...] = ()


class _Query(msgspec.Struct, frozen=True):
    pages: tuple[_Page, ...] = ()


class HistoryAnswer(ApiAnswer, frozen=True):
    query: _Query | None = None


def asked_of(edit: Edit) -> dict[str, str]:
    """Parameters of the call: what was there when the edit was made, newest first. By time: an error for
    a parent that is gone would look like a fault of the wiki."""
    made = datetime.fromtimestamp(edit.event_time, UTC)
    return {
        "action": "query",
        "prop": "revisions",
        "pageids": str(edit.page_id),
        "rvprop": FIELDS,
        "rvlimit": str(REVISIONS),
        "rvstart": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def past_of(
    answer: HistoryAnswer, edit: Edit, is_temporary: Callable[[str, str], bool]
) -> list[Edit] | None:
    """The revisions before `edit`, oldest first, without texts; None where the wiki has none: the page is
    gone. The parent of each is the one before it, as in histories, whatever `parentid` says."""
    found: dict[int, _Past] = {}
    times: dict[int, float] = {}
    for page in answer.query.pages if answer.query is not None else ():
        if page.pageid != edit.page_id:
            continue
        for past in page.revisions[:REVISIONS]:
            made = _seconds(past.timestamp)
            if made is not None and (made, past.revid) < (edit.event_time, edit.rev_id):
                found[past.revid], times[past.revid] = past, made
    found.pop(edit.rev_id, None)
    if not found:
        return None
    order = sorted(found, key=lambda rev_id: (times[rev_id], rev_id))
    oldest = found[order[0]].parentid or None
    parents = [oldest if oldest not in found else None, *order]
    return [
        _edit_of(found[rev_id], times[rev_id], parent_id, edit, is_temporary)
        for rev_id, parent_id in zip(order, parents, strict=False)
    ]


def texts_wanted(
    past: Sequence[Edit], held: Iterable[int], *, most: int = TEXTS, most_bytes: int = TEXT_BYTES
) -> list[int]:
    """Revisions whose texts to fetch, besides those in `held`: at most half for what reverts threw out,
    the rest the newest in a row. A text that stood twice, as after a revert, is fetched once."""
    names = [_text_name(edit) for edit in past]
    here = {name for edit, name in zip(past, names, strict=True) if edit.rev_id in set(held)}
    chosen: dict[str, int] = {}
    size = 0

    def take(at: int, bound: int) -> bool:
        nonlocal size
        name, edit = names[at], past[at]
        if name in here or name in chosen or _hidden(edit):
            return True
        more = edit.new_len if edit.new_len is not None else UNKNOWN_SIZE
        if len(chosen) >= bound or size + more > most_bytes:
            return False
        chosen[name] = edit.rev_id
        size += more
        return True

    for at in range(len(past) - 1, 1, -1):
        if names[at] in names[max(0, at - REVERT_RADIUS) : at - 1] and not (
            take(at, most // 2) and take(at - 1, most // 2)
        ):
            break
    for at in range(len(past) - 1, -1, -1):
        if not take(at, most):
            break
    return list(chosen.values())


def with_texts(past: Sequence[Edit], texts: Mapping[int, RevisionText]) -> list[Edit]:
    """`past` with the texts that were fetched, and with those that are the same by their digests."""
    by_name = {
        _text_name(edit): text
        for edit in past
        if (found := texts.get(edit.rev_id)) is not None and (text := found.text) is not None
    }
    revisions = []
    for edit in past:
        assert edit.content is not None
        bare = edit.content.revision
        revisions.append(msgspec.structs.replace(bare, text=by_name.get(_text_name(edit))))
    return [
        msgspec.structs.replace(edit, content=Content(revision, parent))
        for edit, revision, parent in zip(past, revisions, [None, *revisions], strict=False)
    ]


def _edit_of(
    past: _Past,
    made: float,
    parent_id: int | None,
    edit: Edit,
    is_temporary: Callable[[str, str], bool],
) -> Edit:
    hidden_user = past.userhidden or past.suppressed
    performer = "" if hidden_user else (past.user or "")[: normalize.MAX_NAME_CHARS]
    hidden_comment = past.commenthidden or past.suppressed
    sha1 = past.sha1 if past.sha1 and HEX_SHA1.fullmatch(past.sha1) else None
    revision = RevisionText(
        rev_id=past.revid,
        text=None,
        sha1=None if past.sha1hidden or past.suppressed else sha1,
        tags=tuple(tag[:MAX_NAME_CHARS] for tag in past.tags[:MAX_TAGS]),
        page_id=edit.page_id,
        parent_id=parent_id,
        text_hidden=past.sha1hidden or past.suppressed,
        user_hidden=hidden_user,
        comment_hidden=hidden_comment,
    )
    return msgspec.structs.replace(
        edit,
        event_id="",
        rev_id=past.revid,
        parent_id=parent_id,
        performer=performer,
        performer_kind=performer_kind(performer, lambda name: is_temporary(edit.wiki, name)),
        event_time=made,
        arrival_time=made,
        comment="" if hidden_comment else (past.comment or "")[: normalize.MAX_COMMENT_CHARS],
        minor=past.minor,
        bot=False,
        is_new=parent_id is None,
        old_len=None,
        new_len=past.size,
        content=Content(revision, None),
    )


def _text_name(edit: Edit) -> str:
    sha1 = edit.content.revision.sha1 if edit.content is not None else None
    return sha1 or str(edit.rev_id)


def _hidden(edit: Edit) -> bool:
    return edit.content is not None and edit.content.revision.text_hidden


def _seconds(timestamp: str) -> float | None:
    try:
        made = datetime.strptime(timestamp[:32], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return made if normalize.EARLIEST <= made <= normalize.LATEST else None
