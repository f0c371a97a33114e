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
#: Editors in disputes whose edits on the page are counted; past it the more active half stays.
EDITORS_CAP = 24
#: Pairs (reverter, reverted) remembered beyond the window.
PAIRS_CAP = 16


class EntryFlag(IntFlag):
    NONE = 0
    ANONYMOUS = 1
    """An IP address or a temporary account."""
    BOT = 2
    TAGGED_REVERTED = 4
    """The wiki tagged it `mw-reverted`."""
    SUSPECT = 8
    """Its revert_risk was that of vandalism when it was made. Set when it is decided on: only
    `decide` may read it."""
    REVERTED = 16
    """`reverted_by` is set."""
    REVERT = 32
    """`reverts_to` is set."""
    FETCHED = 64
    """Of the page's recent history, which was fetched: the feed did not bring it, the log has no row of
    it and no label is given to it."""


#: Reverted by anybody's account. Plain numbers: these are read for every entry of every edit.
GONE = int(EntryFlag.TAGGED_REVERTED | EntryFlag.REVERTED)
REVERT = int(EntryFlag.REVERT)


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
    self_revert: bool = False
    """It undid none but its own performer's edits."""
    withdrawn_by: int = 0
    """rev_id by which its own performer undid it, 0 while that did not happen."""

    @property
    def stands(self) -> bool:
        """Neither reverted, by anybody's account, nor withdrawn."""
        return not self.flags & GONE and not self.withdrawn_by

    def set_reverted_by(self, rev_id: int) -> None:
        self.reverted_by = rev_id
        self.flags = self.flags | 16 if rev_id else self.flags & ~16

    def set_reverts_to(self, rev_id: int) -> None:
        self.reverts_to = rev_id
        self.flags = self.flags | REVERT if rev_id else self.flags & ~REVERT


class PageState(msgspec.Struct, array_like=True):
    key: str
    entries: list[Entry] = []
    seen: int = 0
    """Revisions folded in."""
    first_time: float = 0.0
    editors: dict[str, int] = {}
    """Edits that left the window, of those who are in `pairs`."""
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
    history_known: bool = False
    """Its recent history was fetched: once is enough."""


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
    reverts: int = 0
    """Reverts of others' edits among the `seen`."""


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
    window = entries[max(0, stop - REVERT_RADIUS) : stop]
    for entry in window:
        flags = entry.flags
        gone = flags & GONE
        if gone:
            reverted += 1
        if flags & REVERT:
            reverts += 1
        anonymous += flags & 1
        if entry.performer == performer:
            own += 1
            if gone:
                own_reverted += 1
    back = 0
    restores_reverted = False
    if digest:
        for at, entry in enumerate(reversed(window), 1):
            if entry.digest == digest:
                back, restores_reverted = at, entry.flags & GONE != 0
                break
    last = entries[stop - 1]
    return PageView(
        page.seen,
        max(0.0, event_time - page.first_time),
        event_time - last.event_time,
        last.performer == performer,
        len(window),
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
        page.reverts,
    )


_COLD = PageView(
    0, None, None, False, 0, 0, 0, 0, False, False, 0, False, 0, 0, False
)  # fmt: skip
