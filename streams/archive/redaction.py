"""Posts that were deleted leave the alerts that name them: those that are stored, and those to come.

Deletions come in a topic of their own, and no order holds between topics: an alert that names a post may
be read after the post's deletion. So deletions are remembered for a while, by digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from streams.archive import tables
from streams.posts import PostsGone, post_key
from streams.records import Alert, PostRef
from streams.stages.arriving_posts import author_digest
from streams.state.amplification import key_digest

#: How much later than a deletion an alert may be read that names what it deleted. Both topics are read
#: at once; a rebuilt archive reads a month of them within hours.
REMEMBERED_MS = 86_400_000
#: Posts that are too old, taken out in one transaction.
AT_ONCE = 200


class Names(NamedTuple):
    """What an alert says of one post, as digests."""

    post: int
    author: int


def names_of(ref: PostRef) -> Names:
    return Names(
        key_digest(post_key(ref.platform, ref.post_id)), author_digest(ref.platform, ref.author)
    )


def store_posts(db: sa.Connection, alerts: Iterable[tuple[int, Alert]]) -> None:
    """Of newly stored alerts, by `seq`."""
    rows = [post_row(seq, place, ref) for seq, alert in alerts for place, ref in enumerate(alert.posts)]
    if rows:
        db.execute(sa.insert(tables.alert_posts), rows)


def post_row(seq: int, place: int, ref: PostRef) -> dict[str, Any]:
    names = names_of(ref)
    return {
        "seq": seq,
        "place": place,
        "post": names.post,
        "author": names.author,
        "event_time": ref.event_time,
        "body": msgspec.json.encode(ref).decode(),
    }


def gone_row(gone: PostsGone, now_ms: int) -> dict[str, Any]:
    """As it is remembered. Of an author, what he posts later, having come back, is not gone."""
    if gone.post_id is not None:
        digest, until = key_digest(post_key(gone.platform, gone.post_id)), None
    else:
        digest = author_digest(gone.platform, gone.author or "")
        until = max(gone.event_time, gone.arrival_time)
    return {"digest": digest, "until": until, "read_ms": now_ms}


def forget_old(db: sa.Connection, now_ms: int) -> None:
    gone = tables.posts_gone
    db.execute(sa.delete(gone).where(gone.c.read_ms < now_ms - REMEMBERED_MS))


def redact_stored(db: sa.Connection, gone: PostsGone) -> int:
    """Take what was deleted out of stored alerts; gives how many named it. Of an author, all that there
    is: when he went may not be told."""
    named = tables.alert_posts
    column = named.c.post if gone.post_id is not None else named.c.author
    return _redact(db, column == gone_row(gone, 0)["digest"])


def redact_old(db: sa.Connection, before: float, limit: int = AT_ONCE) -> int:
    """Posts made before that are kept no longer: as if they had been deleted, a few at a time."""
    named = tables.alert_posts
    old = sa.select(named.c.post).where(named.c.event_time < before).distinct().limit(limit)
    posts = db.scalars(old).all()
    return _redact(db, named.c.post.in_(posts)) if posts else 0


def _redact(db: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    named = tables.alert_posts
    alerts = db.scalars(sa.select(sa.func.count(named.c.seq.distinct())).where(which)).one()
    if alerts:
        db.execute(sa.delete(named).where(which))
    return int(alerts)


def redact_new(db: sa.Connection, alerts: Sequence[Alert]) -> list[Alert]:
    """Without posts whose deletion was read before."""
    digests = {digest for alert in alerts for ref in alert.posts for digest in names_of(ref)}
    if not digests:
        return list(alerts)
    gone = tables.posts_gone
    rows = db.execute(sa.select(gone).where(gone.c.digest.in_(digests))).mappings().all()
    return [without(alert, rows) if rows else alert for alert in alerts]


def without(alert: Alert, gone: Sequence[Any]) -> Alert:
    """`gone`: rows as `gone_row` makes them."""
    until = {row["digest"]: row["until"] for row in gone}

    def stays(ref: PostRef) -> bool:
        post, author = names_of(ref)
        if post in until and until[post] is None:
            return False
        last = until.get(author)
        return last is None or ref.event_time > last

    posts = tuple(ref for ref in alert.posts if stays(ref))
    return alert if posts == alert.posts else msgspec.structs.replace(alert, posts=posts)
