"""What is kept of a post that repeats a hot fact: digests, numbers, and what an alert may name."""

from __future__ import annotations

from streams.posts import Match, Post, post_key
from streams.records import PostRef
from streams.stages.near_duplicates import signature
from streams.state.amplification import PendingPost, key_digest

#: There are no more people; what claims more must not outweigh everything else.
REACH_CAP = 10_000_000_000
_STATEMENT_CAP = 500
_REASONS_CAP = 8


def arriving(post: Post, match: Match | None) -> PendingPost:
    """`match` is None of a repost that came without text."""
    version = post.version_time
    return PendingPost(
        when=version,
        version=version,
        author=author_digest(post.platform, post.author),
        reach=_reach(post),
        original=key_digest(post_key(post.platform, post.repost_of)) if post.repost_of else 0,
        repeats=match is not None,
        ref=post_ref(post, match) if match is not None and not post.repost_of else None,
        signature=signature(post.text) if match is not None else b"",
    )


def post_ref(post: Post, match: Match) -> PostRef:
    """As alerts name it."""
    return PostRef(
        platform=post.platform,
        post_id=post.post_id,
        author=post.author,
        url=post.url,
        event_time=post.event_time,
        grade=match.grade,
        probability=match.probability,
        statement=match.statement[:_STATEMENT_CAP],
        reasons=match.reasons[:_REASONS_CAP],
        reach=_reach(post) if post.reach is not None else None,
    )


def _reach(post: Post) -> int:
    return min(max(post.reach or 0, 0), REACH_CAP)


def author_digest(platform: str, author: str) -> int:
    """Posts of a platform that does not tell authors count as one author's."""
    return key_digest(f"{platform}\x1f{author}")
