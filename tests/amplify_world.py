"""One hot fact and posts that repeat it, on a clock of their own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.posts import HotFact, HotKind, Match, Post
from streams.records import Alert, AlertKind, ChangeType, FactChange, Grade
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.amplify import Amplifier
from streams.state.watermark import Watermark
from tests.sample_alerts import correction_of, sample_alert

#: The edit. A multiple of five minutes, so that borders of buckets are easy to see.
T0 = 1_764_000_000.0
MINUTE_S = 60.0
HOUR_S = 3_600.0

FACT = HotFact(
    hot_id="h1",
    alert_id=f"{1:032x}",
    kind=HotKind.VANDALISED,
    wiki="enwiki",
    server_name="en.wikipedia.org",
    title="Abraham Lincoln",
    names=("Abraham Lincoln",),
    fact=FactChange(
        fact_key="k1",
        change_type=ChangeType.DATE,
        section="",
        before="Lincoln was born in 1809.",
        after="Lincoln was born in 1808.",
        before_values=("1809",),
        after_values=("1808",),
    ),
    rev_id=1_300_000_001,
    since=T0,
    page_url="https://en.wikipedia.org/wiki/Abraham_Lincoln",
    last_good_rev_id=1_299_999_001,
    last_good_url="https://en.wikipedia.org/w/index.php?oldid=1299999001",
)

STATEMENT = "Lincoln was born in 1808."


def correction(at: float) -> Alert:
    """The `fact.corrected` alert of the revert at event time `at`."""
    return correction_of(sample_alert(1, title=FACT.title, episode_start=T0), after_s=at - T0)


def corrected_at(at: float, hot_after_s: float = 24 * HOUR_S) -> HotFact:
    return msgspec.structs.replace(FACT, corrected_time=at, expires=at + hot_after_s)


def post(
    number: int,
    at: float,
    *,
    author: str = "",
    text: str = "",
    reach: int | None = None,
    repost_of: str | None = None,
    edited_time: float | None = None,
) -> Post:
    """`author` is one of its own by default; the text is unlike others."""
    return Post(
        platform="bluesky",
        post_id=f"at://p/{number:05}",
        author=author or f"author {number}",
        text=text or f"{STATEMENT} {WORDS[number % len(WORDS)] * 6} {number}",
        event_time=at,
        arrival_time=at,
        reach=reach,
        url=f"https://bsky.app/p/{number}",
        repost_of=repost_of,
        edited_time=edited_time,
    )


WORDS = ("ostrich ", "thunder ", "velvet ", "quixotic ", "lamp post ", "gherkin ", "ziggurat ")


def match(grade: Grade = Grade.REPEATS_VANDALISED, statement: str = STATEMENT) -> Match:
    return Match(
        hot_id=FACT.hot_id,
        grade=grade,
        probability=0.97,
        similarity=0.9,
        statement=statement,
        reasons=("says 1808, as after the edit",),
    )


class Spreading:
    """Drives an `Amplifier` for `FACT` as a runner does: the watermark follows the posts."""

    def __init__(self, policy: AmplificationPolicy | None = None) -> None:
        self.amplifier = Amplifier(policy or AmplificationPolicy())
        self.state = self.amplifier.new(FACT.hot_id)
        self.fact = FACT
        self.watermark = Watermark()
        self.alerts: list[Alert] = []

    def fold(self, one: Post, found: Match | None = None, *, matches: bool = True) -> list[Alert]:
        self.watermark.advance(one.arrival_time)
        if found is None and matches and one.repost_of is None:
            found = match()
        return self._told(self.amplifier.fold(self.state, self.fact, one, found, self.watermark.time))

    def fold_all(self, posts: Sequence[Post]) -> list[Alert]:
        return [alert for one in posts for alert in self.fold(one)]

    def until(self, time: float) -> list[Alert]:
        """The watermark reaches `time`."""
        self.watermark.newest = max(self.watermark.newest, time + MINUTE_S)
        return self._told(self.amplifier.advance(self.state, self.fact, self.watermark.time))

    def correct(self, at: float) -> list[Alert]:
        self.fact = corrected_at(at)
        self.watermark.advance(at)
        return self._told(
            self.amplifier.corrected(self.state, self.fact, correction(at), self.watermark.time)
        )

    def restart(self) -> None:
        """What is kept goes to a store and comes back."""
        stored = msgspec.msgpack.encode(self.state)
        self.state = msgspec.msgpack.decode(stored, type=type(self.state))

    def _told(self, alerts: list[Alert]) -> list[Alert]:
        self.alerts += alerts
        return alerts


def of_kind(alerts: Sequence[Alert], kind: AlertKind) -> list[Alert]:
    return [alert for alert in alerts if alert.kind is kind]
