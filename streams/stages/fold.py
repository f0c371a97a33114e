"""Fold one edit into what is known of its page: live and in training the same.

In this order: what is known just before the edit, its features, and only then the edit itself. The
performer was met before: on Kafka that is a hop of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from streams.records import Edit
from streams.stages.diff import TextDelta, delta_of
from streams.stages.disputes import fold_disputes
from streams.stages.track import Observation, RevertClaim, forget_fetched, place_of, track
from streams.state import page as pages
from streams.state.page import PageState, PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory

RowT = TypeVar("RowT")
RowCo = TypeVar("RowCo", covariant=True)


class Features(Protocol[RowCo]):
    """Turns what is known before an edit into a row of the classifier."""

    def __call__(
        self,
        edit: Edit,
        delta: TextDelta | None,
        page: PageView,
        performer: PerformerView | None,
        words: WordMemory | None,
    ) -> RowCo: ...


class Folded(NamedTuple, Generic[RowT]):
    """What came of it. `delta` is None where the texts are not known."""

    row: RowT
    view: PageView
    observation: Observation
    delta: TextDelta | None


def fold_edit(
    edit: Edit,
    *,
    page: PageState,
    performer: PerformerView | None,
    words: Callable[[], WordMemory],
    number: int,
    claim: RevertClaim | None,
    features: Features[RowT],
) -> Folded[RowT] | None:
    """Change the states in place. None for a stale edit, which changes nothing. `words` gives the
    page's memory, asked for only where the texts are known; `number` is the edit's in the log;
    `performer` None: nobody could say."""
    event_time = edit.event_time
    if place_of(page, event_time, edit.rev_id) is None:
        return None
    if forget_fetched(page, edit.rev_id) and place_of(page, event_time, edit.rev_id) is None:
        return None
    content = edit.content
    digest = pages.digest_of(content.revision.sha1) if content is not None else 0
    view = pages.view_of(page, edit.performer, digest, event_time)
    delta = delta_of(edit)
    memory: WordMemory | None = None
    if delta is not None and content is not None:
        memory = words()
        parent = content.parent
        memory.stand_at(edit.parent_id, parent.text if parent is not None else None, event_time)
    row = features(edit, delta, view, performer, memory)
    observation = track(page, edit, digest, number, claim)
    if delta is not None and memory is not None:
        revert = observation.revert
        memory.advance(
            delta.gained,
            delta.lost,
            edit.rev_id,
            event_time,
            reverts_others=revert is not None and not revert.self_revert,
            complete=delta.words_complete,
        )
        fold_disputes(page, delta)
    return Folded(row, view, observation, delta)
