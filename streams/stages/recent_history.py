"""A page met cold, as if it had been followed through its recent history.

The same fold as of edits that are met, over what was fetched. Nothing comes of it but the state: labels
that the past would give are not given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from streams.records import Edit, PerformerKind
from streams.stages.diff import TextDelta
from streams.stages.fold import fold_edit
from streams.stages.track import RevertClaim, track_again
from streams.state import performer as performers
from streams.state.page import REVERT_RADIUS, Entry, EntryFlag, PageState, PageView
from streams.state.words import WordMemory

REVISIONS = 50
"""Fetched of a page: what one call gives."""
ASK_SHARE = 0.75
"""Of an edit's threshold, from which its page is asked about. Less asked of twice as many good edits and
found no more."""
UNLOGGED = -1
"""Number of an edit that the log has no row of."""
_OWN = int(EntryFlag.ANONYMOUS | EntryFlag.BOT | EntryFlag.TAGGED_REVERTED | EntryFlag.SUSPECT)


def is_cold(page: PageState, words: WordMemory) -> bool:
    """Whether too little was known of a page before its newest edit to say what is usual there. One whose
    beginning was seen is known, however short."""
    return not page.history_known and page.seen <= REVERT_RADIUS and not words.from_creation


def with_history(
    page: PageState,
    newest: Entry,
    past: Sequence[Edit],
    claim: Callable[[Edit], RevertClaim | None],
) -> tuple[PageState, WordMemory]:
    """The page as it stood just before `newest`, its last entry, and its words. `past` is what was
    fetched, in any order. Entries that were met stay the same objects, with what follows from the past
    written into them: whoever holds one goes on holding it."""
    met = {entry.rev_id: entry for entry in page.entries if entry is not newest}
    whole, words = PageState(page.key), WordMemory()
    fetched = {edit.rev_id: edit for edit in past if edit.rev_id != newest.rev_id}
    times = {rev_id: edit.event_time for rev_id, edit in fetched.items()}
    times.update({rev_id: entry.event_time for rev_id, entry in met.items()})
    for event_time, rev_id in sorted((time, rev_id) for rev_id, time in times.items()):
        edit, entry = fetched.get(rev_id), met.get(rev_id)
        if (event_time, rev_id) > (newest.event_time, newest.rev_id):
            continue
        if edit is None:
            assert entry is not None
            track_again(whole, entry)
            continue
        fold_edit(
            msgspec.structs.replace(edit, event_time=event_time),
            page=whole,
            performer=None,
            words=lambda: words,
            number=UNLOGGED,
            claim=claim(edit),
            features=_nothing,
        )
    for at, entry in enumerate(whole.entries):
        own = met.get(entry.rev_id)
        if own is None:
            entry.flags |= int(EntryFlag.FETCHED)
            continue
        own.flags = own.flags & _OWN | entry.flags & ~_OWN
        own.reverted_by, own.reverts_to = entry.reverted_by, entry.reverts_to
        own.self_revert, own.withdrawn_by = entry.self_revert, entry.withdrawn_by
        whole.entries[at] = own
    whole.disputes = page.disputes
    whole.protection, whole.protection_time = page.protection, page.protection_time
    whole.history_known = True
    return whole, words


def performer_among(entries: Iterable[Entry], edit: Edit) -> performers.PerformerView:
    """What the entries before an edit tell of its performer: those of theirs, and of the same network."""
    is_address = edit.performer_kind is PerformerKind.IP
    network_name = performers.network_of(edit.performer) if is_address else None
    own = performers.PerformerState()
    network = performers.PerformerState() if network_name is not None else None
    for entry in entries:
        if entry.event_time > edit.event_time:
            break
        states = [own] if entry.performer == edit.performer else []
        anonymous = entry.flags & EntryFlag.ANONYMOUS
        if network and anonymous and performers.network_of(entry.performer) == network_name:
            states.append(network)
        for state in states:
            state.fold_edit(0, entry.event_time)
            if entry.reverted_by:
                state.fold_reverted()
    return performers.view_of(own, network, edit.event_time)


def known_better(
    met: performers.PerformerView | None, here: performers.PerformerView
) -> performers.PerformerView:
    """Of what was met of a performer anywhere and what the page's history tells of them: the one that
    stands on more edits, of the performer and of the network each."""
    if met is None:
        return here
    own = here if here.edits > met.edits else met
    network = here if here.network_edits > met.network_edits else met
    return msgspec.structs.replace(
        own, network_edits=network.network_edits, network_reverted_share=network.network_reverted_share
    )


def _nothing(
    edit: Edit,
    delta: TextDelta | None,
    page: PageView,
    performer: performers.PerformerView | None,
    words: WordMemory | None,
) -> None:
    """No row: nobody asks how an edit of the past is to be scored."""
