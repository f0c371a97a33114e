"""Fold an edit into its page: who reverted whom, what the community thereby said of earlier edits.

Identity reverts as in the field (`mwreverts`): a revision whose text equals that of one of the 15
before it, with at least one other between, undoes those between. Undos and rollbacks that only a
summary or tag tells of count where no text is known to prove them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.records import Edit, LogEvent, PerformerKind
from streams.stages.controversy import Dispute, dispute_of, fold_pair
from streams.state.page import REVERT_RADIUS, WINDOW, Entry, EntryFlag, PageState


class RevertClaim(msgspec.Struct, frozen=True, gc=False):
    """What an edit's summary says it undid."""

    rev_id: int = 0
    performer: str = ""
    to_rev: int = 0
    """The revision whose text it says is current again."""


class Revert(msgspec.Struct, frozen=True):
    """An edit that undid others."""

    to_rev: int
    undone: tuple[Entry, ...]
    """In the order they were made; the performer's own among them."""
    evidence: str
    """identity or comment."""
    self_revert: bool


class LabelUpdate(msgspec.Struct, frozen=True, gc=False):
    """The entry was reverted (`reverted_by` its revert, 0 where only a tag tells), or, with
    `retracted`, a revision that came late showed that it was not."""

    entry: Entry
    reverted_by: int
    labelled_time: float
    evidence: str
    retracted: bool = False


class Observation(msgspec.Struct, frozen=True):
    """What folding one edit in showed. `entry` is None for a stale one: nothing was folded."""

    entry: Entry | None
    revert: Revert | None = None
    labels: tuple[LabelUpdate, ...] = ()
    dispute: Dispute | None = None
    already_reverted: bool = False
    """It came late: what undid it was there before it."""
    last_good_rev: int | None = None
    """Newest earlier revision by another performer that stands; None where none is known."""


STALE = Observation(None)


def track(
    page: PageState, edit: Edit, digest: int, row: int, claim: RevertClaim | None = None
) -> Observation:
    """Fold `edit` in, in place. `digest` is 0 where its text is not known. An edit older than the
    page's window, or one that is in it already, leaves the state as it is and gives `STALE`."""
    event_time, rev_id = edit.event_time, edit.rev_id
    index = place_of(page, event_time, rev_id)
    if index is None:
        return STALE
    kind = edit.performer_kind
    anonymous = kind is PerformerKind.IP or kind is PerformerKind.TEMPORARY
    entry = Entry(
        rev_id,
        event_time,
        digest,
        edit.performer,
        (1 if anonymous else 0) | (2 if edit.bot else 0),
        row,
        claim.rev_id if claim is not None else 0,
        claim.performer if claim is not None else "",
        claim.to_rev if claim is not None else 0,
    )
    return _fold_in(page, entry, index)


def track_again(page: PageState, known: Entry) -> None:
    """Fold in a revision that was folded into another state of the page; `known` stays as it is."""
    index = place_of(page, known.event_time, known.rev_id)
    if index is not None:
        entry = Entry(
            known.rev_id,
            known.event_time,
            known.digest,
            known.performer,
            known.flags & int(EntryFlag.ANONYMOUS | EntryFlag.BOT | EntryFlag.TAGGED_REVERTED),
            known.row,
            known.undoes_rev,
            known.undoes_performer,
            known.restores_rev,
        )
        _fold_in(page, entry, index)


def forget_fetched(page: PageState, rev_id: int) -> bool:
    """The feed brings a revision, late, that the fetched history has already: it counts once, as met."""
    if rev_id > page.newest_rev:
        return False
    for at, entry in enumerate(page.entries):
        if entry.rev_id == rev_id and entry.flags & EntryFlag.FETCHED:
            del page.entries[at]
            page.seen -= 1
            if entry.reverts_to and not entry.self_revert:
                page.reverts -= 1
            return True
    return False


def _fold_in(page: PageState, entry: Entry, index: int) -> Observation:
    entries = page.entries
    event_time, rev_id = entry.event_time, entry.rev_id
    late = index < len(entries)
    if not page.seen:
        page.first_time = event_time
    page.seen += 1
    if event_time < page.first_time:
        page.first_time = event_time
    page.newest_rev = max(page.newest_rev, rev_id)
    if late:
        entries.insert(index, entry)
        revert, labels = _derive_again(entries, index)
    else:
        entries.append(entry)
        revert, labels = _derive(entries, index)
    dispute = None
    if revert is not None and not revert.self_revert:
        page.reverts += 1
        dispute = dispute_of(page, index)
    observation = Observation(
        entry,
        revert,
        labels,
        dispute,
        entry.reverted_by != 0 or entry.withdrawn_by != 0,
        _last_good_before(entries, index),
    )
    if len(entries) > WINDOW:
        _evict(page)
    return observation


def place_of(page: PageState, event_time: float, rev_id: int) -> int | None:
    """Where in the window a revision belongs; None if it is older than that, or was met already, at
    whatever time: a feed may send a revision again with another one."""
    entries = page.entries
    index = len(entries)
    while index:
        before = entries[index - 1]
        if before.event_time < event_time or (
            before.event_time == event_time and before.rev_id < rev_id
        ):
            break
        index -= 1
    if page.horizon_rev and index < REVERT_RADIUS:
        return None
    if rev_id <= page.newest_rev:
        for entry in entries:
            if entry.rev_id == rev_id and not entry.flags & EntryFlag.FETCHED:
                return None
    return index


def track_tag(page: PageState, rev_id: int, event_time: float) -> LabelUpdate | None:
    """The wiki tagged a revision `mw-reverted`. None if it is not in the window or known reverted."""
    for entry in reversed(page.entries):
        if entry.rev_id == rev_id:
            if entry.flags & EntryFlag.TAGGED_REVERTED or entry.reverted_by:
                entry.flags |= int(EntryFlag.TAGGED_REVERTED)
                return None
            entry.flags |= int(EntryFlag.TAGGED_REVERTED)
            return LabelUpdate(entry, 0, event_time, "tag")
    return None


def track_log(page: PageState, event: LogEvent) -> None:
    """Fold a protection in; of several the newest counts, in whatever order they come. Moves and
    deletions change which page a state belongs to: the pipeline does that."""
    if event.log_type == "protect" and event.event_time >= page.protection_time:
        page.protection = event.log_action
        page.protection_time = event.event_time


def last_good(page: PageState) -> int | None:
    """Newest revision that stands and that somebody else's standing edit follows, or that is itself
    a revert. A function of the window alone."""
    standing_performer: str | None = None
    for entry in reversed(page.entries):
        if not entry.stands:
            continue
        if entry.reverts_to or (
            standing_performer is not None and standing_performer != entry.performer
        ):
            return entry.rev_id
        if standing_performer is None:
            standing_performer = entry.performer
    return None


def _undone_range(entries: Sequence[Entry], index: int) -> tuple[int, int, str] | None:
    """`(first, stop, evidence)` of the entries that `entries[index]` undoes."""
    entry = entries[index]
    first = max(0, index - REVERT_RADIUS)
    if entry.digest:
        for back in range(index - 1, first - 1, -1):
            if entries[back].digest == entry.digest:
                return (back + 1, index, "identity") if back < index - 1 else None
    if entry.restores_rev:
        for back in range(index - 2, first - 1, -1):
            if entries[back].rev_id == entry.restores_rev:
                return back + 1, index, "comment"
    if entry.undoes_rev:
        for back in range(index - 1, first - 1, -1):
            if entries[back].rev_id == entry.undoes_rev:
                return back, back + 1, "comment"
    if entry.undoes_performer:
        back = index
        while back > first and entries[back - 1].performer == entry.undoes_performer:
            back -= 1
        if back < index:
            return back, index, "comment"
    return None


def _derive(entries: list[Entry], index: int) -> tuple[Revert | None, tuple[LabelUpdate, ...]]:
    entry = entries[index]
    found = _undone_range(entries, index)
    if found is None:
        return None, ()
    first, stop, evidence = found
    undone = tuple(entries[first:stop])
    entry.set_reverts_to(entries[first - 1].rev_id if first else -1)
    labels = []
    own = True
    for earlier in undone:
        if earlier.performer == entry.performer:
            earlier.withdrawn_by = earlier.withdrawn_by or entry.rev_id
            continue
        own = False
        if not earlier.reverted_by:
            earlier.set_reverted_by(entry.rev_id)
            if not earlier.flags & EntryFlag.TAGGED_REVERTED:
                labels.append(LabelUpdate(earlier, entry.rev_id, entry.event_time, evidence))
    entry.self_revert = own
    return Revert(entry.reverts_to, undone, evidence, own), tuple(labels)


def _derive_again(entries: list[Entry], index: int) -> tuple[Revert | None, tuple[LabelUpdate, ...]]:
    """A late entry stands at `index`: everything from there on is derived anew, and only what that
    changes is reported."""
    redone = {entry.rev_id for entry in entries[index:]}
    before = {entry.rev_id: entry.reverted_by for entry in entries}
    for entry in entries:
        if entry.reverted_by in redone:
            entry.set_reverted_by(0)
        if entry.withdrawn_by in redone:
            entry.withdrawn_by = 0
    revert: Revert | None = None
    given: dict[int, LabelUpdate] = {}
    for at in range(index, len(entries)):
        entries[at].set_reverts_to(0)
        entries[at].self_revert = False
        derived, labels = _derive(entries, at)
        if at == index:
            revert = derived
        for label in labels:
            given[label.entry.rev_id] = label
    changes = [label for rev_id, label in given.items() if before[rev_id] != label.reverted_by]
    changes.extend(
        LabelUpdate(entry, 0, entry.event_time, "", retracted=True)
        for entry in entries
        if before[entry.rev_id] and not entry.reverted_by
    )
    return revert, tuple(changes)


def _last_good_before(entries: Sequence[Entry], index: int) -> int | None:
    performer = entries[index].performer
    for at in range(index - 1, -1, -1):
        entry = entries[at]
        if entry.stands and entry.performer != performer:
            return entry.rev_id
    return None


def _evict(page: PageState) -> None:
    """Let the oldest entry go; what it says of a dispute is folded into `pairs`."""
    gone = page.entries.pop(0)
    page.horizon_time, page.horizon_rev = gone.event_time, gone.rev_id
    editors = page.editors
    if gone.performer in editors:
        editors[gone.performer] += 1
    if not gone.reverted_by:
        return
    for entry in page.entries[: REVERT_RADIUS + 1]:
        if entry.rev_id == gone.reverted_by:
            fold_pair(page, entry.performer, gone.performer)
            return
