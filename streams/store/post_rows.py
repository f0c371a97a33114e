"""The rows about posts that a batch writes, in the transaction its caller opened; and what is left of a
post when it goes: nothing, in freed space of the file either."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from streams.posts import Post, post_key
from streams.records import Alert
from streams.store.batch import PostChanges, StoredPost
from streams.store.keys import state_id

_encode = msgspec.msgpack.Encoder().encode
_encode_json = msgspec.json.Encoder().encode
_decode_alert = msgspec.json.Decoder(Alert).decode


@contextmanager
def erasing(db: sqlite3.Connection, wanted: bool) -> Iterator[None]:
    """What is deleted or rewritten meanwhile is overwritten with zeros. Not for all that is written: it
    costs, and only posts have a right to be forgotten."""
    if not wanted:
        yield
        return
    db.execute("PRAGMA secure_delete = ON").fetchall()
    try:
        yield
    finally:
        db.execute("PRAGMA secure_delete = OFF").fetchall()


def write(db: sqlite3.Connection, changes: PostChanges) -> None:
    """After the alerts of the batch, which may name posts that go in it."""
    if not changes:
        return
    for page_id, page in changes.hot_pages.items():
        if page is None:
            db.execute("DELETE FROM hot_pages WHERE id = ?", (page_id,))
        else:
            db.execute("REPLACE INTO hot_pages VALUES (?, ?)", (page_id, _encode(page)))
    for hot_id, spread in changes.spreads.items():
        if spread is None:
            db.execute("DELETE FROM spreads WHERE hot_id = ?", (hot_id,))
        else:
            state, deadline = spread
            db.execute("REPLACE INTO spreads VALUES (?, ?, ?)", (hot_id, deadline, _encode(state)))
    for post_id, stored in changes.posts.items():
        if stored is not None:
            db.execute(
                "REPLACE INTO posts VALUES (?, ?, ?, ?)",
                (post_id, author_id(stored.post), stored.post.event_time, _encode_json(stored)),
            )
    forget(db, [post_id for post_id, stored in changes.posts.items() if stored is None])
    db.executemany("INSERT INTO post_inbox (raw) VALUES (?)", [(raw,) for raw in changes.handed_in])
    db.executemany("DELETE FROM post_inbox WHERE id = ?", [(row,) for row in changes.worked_on])
    if changes.watermark is not None:
        db.execute("REPLACE INTO meta VALUES ('posts_watermark', ?)", (_encode(changes.watermark),))


def author_id(post: Post) -> int:
    """Of a post's author on its platform; 0 where it has none."""
    return state_id(post_key(post.platform, post.author)) if post.author else 0


def forget(db: sqlite3.Connection, posts: Iterable[int]) -> None:
    """Their rows, and what alerts say of them."""
    for post_id in posts:
        db.execute("DELETE FROM posts WHERE id = ?", (post_id,))
        named = db.execute(
            "SELECT a.seq, a.body FROM alert_posts p JOIN alerts a ON a.seq = p.seq WHERE p.post = ?",
            (post_id,),
        ).fetchall()
        for seq, body in named:
            db.execute("UPDATE alerts SET body = ? WHERE seq = ?", (_without(body, post_id), seq))
        db.execute("DELETE FROM alert_posts WHERE post = ?", (post_id,))


def stored_post(body: bytes) -> StoredPost:
    return _decode_stored(body)


def _without(body: bytes, post_id: int) -> bytes:
    alert = _decode_alert(body)
    posts = tuple(
        post for post in alert.posts if state_id(post_key(post.platform, post.post_id)) != post_id
    )
    return _encode_json(msgspec.structs.replace(alert, posts=posts))


_decode_stored = msgspec.json.Decoder(StoredPost).decode
