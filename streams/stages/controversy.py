"""Who reverts whom and is reverted back: mutual reverts on a page, and how controversial it is."""

from __future__ import annotations

import msgspec

from streams.state.page import EDITORS_CAP, PAIRS_CAP, Entry, PageState

#: Reverts further apart than this are no edit war.
DISPUTE_WINDOW_S = 86_400.0


class Dispute(msgspec.Struct, frozen=True):
    """Mutual reverts on a page, as of one revert."""

    mutual_reverts: int
    """Within `DISPUTE_WINDOW_S`, among editors who reverted one another."""
    editors: tuple[str, ...]
    involved: tuple[Entry, ...]
    """The revisions that those reverts undid."""
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
    involved = [
        entry
        for (reverter, reverted), undone in recent.items()
        if (reverted, reverter) in recent
        for entry in undone
    ]
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
    return Dispute(len(reverts), tuple(editors), tuple(involved), before, controversy)


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
