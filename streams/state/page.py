"""What is known of a page: its recent revisions, who reverted whom, disputes and protection.

The last `WINDOW` revisions are kept in the order the wiki made them, by time and then rev_id (ids
alone are no order: imported histories have them mixed up). Whatever follows from them, reverts, labels,
the last good revision, is a function of that list, so a revision that arrives a little late gives the
same result as one that came in time. What is older than the window is final.
"""

from __future__ import annotations

from enum import IntFlag

import msgspec

#: How far an identity revert may reach back: the field's usual radius.
REVERT_RADIUS = 15
#: Revisions kept: the radius, and room for some that arrive late.
WINDOW = 24
#: Editors whose edits on the page are counted; past it the more active half stays.
EDITORS_CAP = 64
#: Pairs (reverter, reverted) remembered beyond the window.
PAIRS_CAP = 48


class EntryFlag(IntFlag):
    NONE = 0
    ANONYMOUS = 1
    """An IP address or a temporary account."""
    BOT = 2
    TAGGED_REVERTED = 4
    """The wiki tagged it `mw-reverted`."""


class Entry(msgspec.Struct, array_like=True, gc=False):
    """One revision in the window."""

    rev_id: int
    event_time: float
    digest: int
    """Of the text, 60 bits; 0 where the text is not known."""
    performer: str
    flags: int
    row: int
    """Number of the edit in the store's log, to label it by."""
    undoes_rev: int = 0
    """Claimed by an undo summary: that revision."""
    undoes_performer: str = ""
    """Claimed by a rollback summary: the last edits of this performer."""
    restores_rev: int = 0
    """Claimed by a summary: the revision whose text is current again."""
    reverted_by: int = 0
    """rev_id of the revert that undid it, 0 while it stands."""
    reverts_to: int = 0
    """rev_id it restored, 0 if it is no revert; of an undo, the revision before the one undone."""
    risk: float = -1.0
    """revert_risk as given at the time; -1 until scored."""
    self_revert: bool = False
    """It undid none but its own performer's edits."""
    withdrawn_by: int = 0
    """rev_id by which its own performer undid it, 0 while that did not happen."""

    @property
    def stands(self) -> bool:
        """Neither reverted, by anybody's account, nor withdrawn."""
        return not self.reverted_by and not self.withdrawn_by and not self.flags & 4


class PageState(msgspec.Struct, array_like=True):
    key: str
    entries: list[Entry] = []
    seen: int = 0
    """Revisions folded in."""
    first_time: float = 0.0
    editors: dict[str, int] = {}
    pairs: dict[str, int] = {}
    """`reverter\\nreverted` -> times, of revisions that left the window."""
    reverts: int = 0
    horizon_time: float = -1.0
    horizon_rev: int = 0
    """Order of the newest revision that left the window: what is not newer is stale."""
    protection: str = ""
    """Action of the last protection log event (protect, modify, unprotect); "" if none was seen."""
    protection_time: float = 0.0
    disputes: list[str] = []
    """Dispute templates on the page, as far as edits with content told."""
    newest_rev: int = 0
    """Largest rev_id folded in: one above it can't be in the window already."""


class PageView(msgspec.Struct, frozen=True, gc=False):
    """What is known of the page just before an edit: input of the features."""

    seen: int
    age_s: float | None
    """Since the page was first seen."""
    since_last_s: float | None
    same_performer: bool
    """The last edit was this performer's too."""
    recent: int
    """Revisions the next numbers stand on: at most `REVERT_RADIUS`."""
    recent_reverted: int
    recent_reverts: int
    recent_anonymous: int
    last_was_revert: bool
    last_reverted: bool
    restores_back: int
    """How many revisions back this same text stood; 0 for a new text."""
    restores_reverted: bool
    """That earlier revision had itself been reverted: a restored vandalism, or an edit war."""
    own_recent: int
    """This performer's edits among the recent."""
    own_reverted: int
    protected: bool


def digest_of(sha1: str | None) -> int:
    """60 bits of a hex SHA-1; 0 for None."""
    return int(sha1[:15], 16) if sha1 else 0


def view_of(page: PageState, performer: str, digest: int, event_time: float) -> PageView:
    """The page as this edit meets it. Entries later than `event_time` are not looked at."""
    entries = page.entries
    if not entries:
        return _COLD
    stop = len(entries)
    while stop and entries[stop - 1].event_time > event_time:
        stop -= 1
    if not stop:
        return _COLD
    reverted = reverts = anonymous = own = own_reverted = 0
    back = 0
    restores_reverted = False
    first = max(0, stop - REVERT_RADIUS)
    for index in range(stop - 1, first - 1, -1):
        entry = entries[index]
        gone = entry.reverted_by != 0 or entry.flags & 4 != 0
        if gone:
            reverted += 1
        if entry.reverts_to:
            reverts += 1
        if entry.flags & 1:
            anonymous += 1
        if entry.performer == performer:
            own += 1
            if gone:
                own_reverted += 1
        if digest and back == 0 and entry.digest == digest:
            back = stop - index
            restores_reverted = gone
    last = entries[stop - 1]
    return PageView(
        page.seen,
        max(0.0, event_time - page.first_time),
        event_time - last.event_time,
        last.performer == performer,
        stop - first,
        reverted,
        reverts,
        anonymous,
        last.reverts_to != 0,
        last.reverted_by != 0,
        back,
        restores_reverted,
        own,
        own_reverted,
        page.protection in ("protect", "modify"),
    )


_COLD = PageView(
    0, None, None, False, 0, 0, 0, 0, False, False, 0, False, 0, 0, False
)  # fmt: skip
