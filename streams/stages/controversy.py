"""Who reverts whom and is reverted back: mutual reverts on a page, whether those are a quarrel or the
cleaning up of vandalism, and how controversial the page is."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streams.state.page import EDITORS_CAP, PAIRS_CAP, Entry, EntryFlag, PageState

#: Reverts further apart than this are no edit war.
DISPUTE_WINDOW_S = 86_400.0
#: Edits on the page that make an account one of its editors, whatever its edits look like.
ESTABLISHED_EDITS = 3
#: Looked like vandalism, or nobody knows: an edit of a fetched history was never scored.
_NO_EDITORS = EntryFlag.SUSPECT | EntryFlag.FETCHED


class Dispute(msgspec.Struct, frozen=True):
    """Mutual reverts on a page, as of one revert."""

    mutual_reverts: int
    """Within `DISPUTE_WINDOW_S`, among editors who reverted one another."""
    editors: tuple[str, ...]
    involved: tuple[Entry, ...]
    """The revisions that those reverts undid."""
    reverters: tuple[str, ...]
    """Who undid each of `involved`."""
    edits: Mapping[str, int]
    """Of those editors on the page: what stands of the window, and what left it since their first revert
    here."""
    before: int | None
    """The revision that stood before the first of them; None where the window begins with it."""
    controversy: float
    """M of Yasseri et al. 2012: E times the sum of min(N_reverted, N_reverter) over mutual pairs,
    without the top pair. N are edits on the page, from the editor's first revert here on."""


def dispute_of(page: PageState, index: int) -> Dispute | None:
    """Mutual reverts as of `entries[index]`; None where nobody reverted back."""
    entries = page.entries
    performer_of = {entry.rev_id: entry.performer for entry in entries}
    now = entries[index].event_time
    recent: dict[tuple[str, str], list[Entry]] = {}
    counts: dict[tuple[str, str], int] = {}
    for name, times in page.pairs.items():
        reverter, _, reverted = name.partition("\n")
        counts[reverter, reverted] = times
    for entry in entries[: index + 1]:
        reverter = performer_of.get(entry.reverted_by, "") if entry.reverted_by else ""
        if not reverter:
            continue
        pair = (reverter, entry.performer)
        counts[pair] = counts.get(pair, 0) + 1
        if now - entry.event_time <= DISPUTE_WINDOW_S:
            recent.setdefault(pair, []).append(entry)
    if not any((reverted, reverter) in counts for reverter, reverted in counts):
        return None
    mutual = [
        (entry, reverter)
        for (reverter, reverted), undone in recent.items()
        if (reverted, reverter) in recent
        for entry in undone
    ]
    involved = [entry for entry, _ in mutual]
    edits = dict(page.editors)
    for entry in entries[: index + 1]:
        edits[entry.performer] = edits.get(entry.performer, 0) + 1
    controversy = _controversy(counts, edits)
    if not involved and not controversy:
        return None
    # One revert that undoes several edits of a performer is one revert.
    reverts = {entry.reverted_by for entry in involved}
    editors = sorted({performer_of[rev_id] for rev_id in reverts})
    undone = {entry.rev_id for entry in involved}
    first = next((at for at, entry in enumerate(entries) if entry.rev_id in undone), 0)
    before = entries[first - 1].rev_id if first else None
    known = {name: page.editors.get(name, 0) for _, name in mutual}
    for entry in entries[: index + 1]:
        if entry.performer in known and entry.stands:
            known[entry.performer] += 1
    return Dispute(
        len(reverts),
        tuple(editors),
        tuple(involved),
        tuple(reverter for _, reverter in mutual),
        known,
        before,
        controversy,
    )


def is_quarrel(dispute: Dispute, mutual_reverts: int) -> bool:
    """Whether at least `mutual_reverts` of the reverts belong to quarrels: to people joined by mutual
    reverts, at least two of whom are to be taken for editors. A vandal and who cleans up is none.

    Taken for an editor is whose edits that were undone mostly did not look like vandalism when they were
    made, or an account with `ESTABLISHED_EDITS` on the page: in a long dispute its edits look like what
    is reverted here. An anonymous one who is not makes those who undo it no parties to one quarrel.
    Reads `EntryFlag.SUSPECT`: for `decide` alone.
    """
    undone: dict[str, list[Entry]] = {}
    for entry in dispute.involved:
        undone.setdefault(entry.performer, []).append(entry)
    editors = {
        name
        for name, entries in undone.items()
        if 2 * sum(1 for entry in entries if not entry.flags & _NO_EDITORS) > len(entries)
        or (dispute.edits[name] >= ESTABLISHED_EDITS and not _anonymous(entries))
    }
    quarrels = {name: {name} for name in undone}
    for entry, reverter in zip(dispute.involved, dispute.reverters, strict=True):
        pair = (reverter, entry.performer)
        if all(name in editors or not _anonymous(undone[name]) for name in pair):
            joined = quarrels[reverter] | quarrels[entry.performer]
            for name in joined:
                quarrels[name] = joined
    quarrelling = [name for name, quarrel in quarrels.items() if len(quarrel & editors) >= 2]
    return len({entry.reverted_by for name in quarrelling for entry in undone[name]}) >= mutual_reverts


def _anonymous(entries: list[Entry]) -> bool:
    return any(entry.flags & EntryFlag.ANONYMOUS for entry in entries)


def fold_pair(page: PageState, reverter: str, reverted: str) -> None:
    """Keep a revert whose entries leave the page's window; the rarest pair goes for a further one."""
    pairs, editors = page.pairs, page.editors
    pair = f"{reverter}\n{reverted}"
    if pair not in pairs and len(pairs) >= PAIRS_CAP:
        del pairs[min(pairs, key=lambda name: (pairs[name], name))]
    pairs[pair] = pairs.get(pair, 0) + 1
    editors.setdefault(reverter, 0)
    editors.setdefault(reverted, 1)
    if len(editors) > EDITORS_CAP:
        most = sorted(editors.items(), key=lambda item: (-item[1], item[0]))
        page.editors = dict(most[: EDITORS_CAP // 2])


def _controversy(counts: dict[tuple[str, str], int], edits: dict[str, int]) -> float:
    weights = []
    involved: set[str] = set()
    for reverter, reverted in counts:
        if reverter < reverted and (reverted, reverter) in counts:
            weights.append(min(edits.get(reverter, 1), edits.get(reverted, 1)))
            involved.update((reverter, reverted))
    if len(weights) < 2:
        return 0.0
    return float(len(involved) * (sum(weights) - max(weights)))
