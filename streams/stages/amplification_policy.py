"""When posts become alerts."""

from __future__ import annotations

import msgspec


class AmplificationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    bucket_s: float = 300.0
    buckets: int = 12
    """The window is an hour, and moves on every five minutes."""
    posts: int = 10
    authors: int = 5
    """A fact is amplified from so many posts by so many authors in the window. With posts alone, one
    account could raise the alarm."""
    reach: int = 100_000
    reach_authors: int = 2
    """Or from this reach, of all authors in the window together. One account of that reach is no spread
    yet: its `post.repeats` is a warning then."""
    close_share: float = 0.5
    """Hysteresis: an episode ends below this share of `posts` and of `reach` …"""
    quiet_s: float = 1_800.0
    """… when no post repeated the fact for so long."""
    critical_factor: int = 10
    """Critical from so many times `posts` or `reach`; a warning below."""
    told_first: int = 5
    """Posts per fact that are told of one by one …"""
    told_every_s: float = 600.0
    """… and afterwards at most one in so long."""
    post_open_s: float = 86_400.0
    """Longest time an alert about one post stays open."""
    amplified_named: int = 20
    """Posts that `fact.amplified` names; `fact.corrected` names all that are known by name."""
    follow_ups: int = 10
    """How often a correction is told again: the last one after more than 250 further posts."""
