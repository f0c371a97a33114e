"""The posts that the correction of a fact touches, and how consumers get to know them.

`fact.corrected` is made where edits are settled, which knows of no posts. What is known of them follows
as a further state of the same alert (its alert_id, a ce_id of its own) for each fact it corrects: once
the watermark has passed the correction, if any post repeated the fact, and then each time the posts made
after it have doubled. Its `posts` are those of that fact, its `related` names their alerts too.
"""

from __future__ import annotations

import msgspec

from streams.posts import HotFact
from streams.records import Alert, PostRef
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.post_alerts import correction_follow_up
from streams.state.amplification import NAMED_CAP, AmplificationState
from streams.state.spread import spread


class Correction(msgspec.Struct, frozen=True, gc=False):
    alert_ids: tuple[str, ...]
    """The edit's alert, then what was told of posts: episodes, then single posts, newest first."""
    posts: tuple[PostRef, ...]
    """The widest reach first, at most `NAMED_CAP`."""
    posts_before: int
    posts_after: int


def correction_of(state: AmplificationState, fact: HotFact) -> Correction:
    """What the correction of `fact` touches, as far as is counted."""
    single = [told.alert_id for told in state.told.values()]
    seen = spread(state, state.time, fact.corrected_time)
    return Correction(
        alert_ids=(fact.alert_id, *reversed(state.episodes), *reversed(single)),
        posts=state.widest(NAMED_CAP),
        posts_before=seen.posts_before,
        posts_after=seen.posts_after,
    )


def follow_up(policy: AmplificationPolicy, state: AmplificationState, fact: HotFact) -> list[Alert]:
    """The next state of the fact's correction, if it is time. Changes `state` in place."""
    waiting = state.follow_up
    if waiting is None or waiting.due_time is not None or waiting.sent >= policy.follow_ups:
        return []
    first = waiting.sent == 0 and state.total > 0
    if not first and waiting.after < waiting.next_after:
        return []
    corrected_time = fact.corrected_time
    if corrected_time is None:
        corrected_time = waiting.correction.event_time
    seen = spread(state, state.time, corrected_time)
    waiting.after = seen.posts_after
    if not first and seen.posts_after < waiting.next_after:
        return []
    waiting.next_after = max(1, 2 * seen.posts_after)
    waiting.sent += 1
    touched = correction_of(state, fact)
    alert = correction_follow_up(
        fact,
        seen,
        correction=waiting.correction,
        number=waiting.sent,
        event_time=max(state.time, waiting.correction.event_time),
        related=touched.alert_ids,
        posts=touched.posts,
    )
    return [alert]
