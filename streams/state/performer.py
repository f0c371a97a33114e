"""What a performer did lately, and the network an IP address belongs to.

Counts are capped: whole-wiki totals do not carry over from one wiki to another, the last few dozen
edits do.
"""

from __future__ import annotations

import ipaddress
from bisect import insort

import msgspec

#: Older edits weigh half each time this many are reached, so that counts tell about lately.
EDITS_CAP = 64
#: Distinct pages remembered by digest; more tell nothing new.
PAGES_CAP = 16
#: Revisions remembered, so that one told again under another id counts once.
REVISIONS_CAP = 8
#: Reverts waiting to be counted; a performer with more in so short a time is known well enough.
PENDING_CAP = 256


class PerformerState(msgspec.Struct, array_like=True):
    """Folded edits of one performer, or of one network. Times are Unix seconds of event time."""

    edits: int = 0
    reverted: int = 0
    first_time: float = 0.0
    last_time: float = 0.0
    pages: list[int] = []
    pending: list[float] = []
    """Event times that had passed when reverts of the performer's edits were seen: each counts once
    `FEEDBACK_DELAY_S` more have, oldest first."""
    revisions: list[int] = []
    """rev_ids of the newest edits folded; of a performer only."""

    def forget_before(self, event_time: float) -> None:
        """Start anew if nothing was seen since."""
        if self.edits and self.last_time < event_time:
            self.edits = self.reverted = 0
            self.first_time = self.last_time = 0.0
            self.pages = []
            self.pending = []

    def settle(self, passed: float) -> None:
        """Count the reverts that were seen at `passed` or before."""
        pending = self.pending
        while pending and pending[0] <= passed:
            del pending[0]
            self.fold_reverted()

    def will_count(self, seen: float) -> None:
        """One of the performer's edits was reverted by another user, seen at `seen`."""
        insort(self.pending, seen)
        del self.pending[PENDING_CAP:]

    def fold_edit(self, page: int, event_time: float) -> None:
        """Count one edit. Order within a few seconds does not matter but to `pages`."""
        if self.edits == 0:
            self.first_time = event_time
        elif self.edits >= EDITS_CAP:
            self.edits >>= 1
            self.reverted >>= 1
        self.edits += 1
        if event_time > self.last_time:
            self.last_time = event_time
        pages = self.pages
        if page not in pages:
            pages.append(page)
            if len(pages) > PAGES_CAP:
                del pages[0]

    def fold_reverted(self) -> None:
        """Count one of the performer's edits as reverted by another user."""
        if self.reverted < self.edits:
            self.reverted += 1


class PerformerView(msgspec.Struct, frozen=True, gc=False):
    """What is known of a performer just before an edit. Shares are None where nothing was seen."""

    edits: int
    """Lately, at most `EDITS_CAP`."""
    pages: int
    reverted_share: float | None
    age_s: float | None
    """Since first seen; None at the first edit."""
    since_last_s: float | None
    network_edits: int
    """Of the /16 (IPv4) or /32 (IPv6) network; 0 for names."""
    network_reverted_share: float | None


def view_of(
    performer: PerformerState, network: PerformerState | None, event_time: float
) -> PerformerView:
    edits = performer.edits
    network_edits = network.edits if network is not None else 0
    return PerformerView(
        edits,
        len(performer.pages),
        performer.reverted / edits if edits else None,
        max(0.0, event_time - performer.first_time) if edits else None,
        max(0.0, event_time - performer.last_time) if edits else None,
        network_edits,
        network.reverted / network_edits if network is not None and network_edits else None,
    )


def meet(
    performer: PerformerState, network: PerformerState | None, page: int, rev_id: int, event_time: float
) -> PerformerView:
    """What was known of a performer when they edited `page` (by its id), and fold that edit in, unless
    it was before."""
    view = view_of(performer, network, event_time)
    revisions = performer.revisions
    if rev_id in revisions:
        return view
    revisions.append(rev_id)
    if len(revisions) > REVISIONS_CAP:
        del revisions[0]
    performer.fold_edit(page, event_time)
    if network is not None:
        network.fold_edit(page, event_time)
    return view


def keys_of(prefix: str, name: str, *, is_address: bool) -> tuple[str, str | None]:
    """Keys of a performer's state and, for an address, of its network's. `prefix` is the wiki; in a
    history, where pages come one by one, the page: what was done elsewhere may lie in the future."""
    network = network_of(name) if is_address else None
    return f"{prefix}\n{name}", f"{prefix}\n/{network}" if network is not None else None


def network_of(address: str) -> str | None:
    """`192.0.2.7` -> `192.0`, `2001:db8::1` -> `2001:db8`; None for what is no address. Old exports
    mask the last part (`24.60.xxx`): the first two parts still name the network."""
    if "." in address and ":" not in address:
        first, _, rest = address.partition(".")
        second = rest.partition(".")[0]
        return f"{first}.{second}" if first.isdigit() and second.isdigit() else None
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return None
    bits = int(parsed)  # `exploded` raises for an address with a zone
    return f"{bits >> 112:04x}:{bits >> 96 & 0xFFFF:04x}"
