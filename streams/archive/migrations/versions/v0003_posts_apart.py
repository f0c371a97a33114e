"""Posts out of the bodies of alerts, into a table of their own that can be written anew."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from alembic import op

from streams.archive.erasing import move_rows
from streams.posts import post_key
from streams.stages.arriving_posts import author_digest
from streams.state.amplification import key_digest

revision = "0003"
down_revision = "0002"

_BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    db = op.get_bind()
    seqs = db.execute(sa.text("SELECT DISTINCT seq FROM alert_posts ORDER BY seq")).scalars().all()
    op.drop_table("alert_posts")
    op.create_table(
        "alert_posts",
        sa.Column("seq", _BigInt, autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("post", _BigInt, nullable=False),
        sa.Column("author", _BigInt, nullable=False),
        sa.Column("event_time", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "place", name="alert_posts_pkey"),
    )
    op.create_index("alert_posts_post", "alert_posts", ["post"])
    op.create_index("alert_posts_author", "alert_posts", ["author"])
    op.create_index("alert_posts_event_time", "alert_posts", ["event_time"])
    for seq in seqs:
        _move(db, seq)
    if db.dialect.name == "postgresql":
        # Its samples of values are another place where deleted posts would stay.
        op.execute("ALTER TABLE alert_posts ALTER COLUMN body SET STATISTICS 0")
        if seqs:
            move_rows(db, "alerts")


def _move(db: sa.Connection, seq: int) -> None:
    one = {"seq": seq}
    body = db.execute(sa.text("SELECT body FROM alerts WHERE seq = :seq"), one).scalar_one()
    alert = msgspec.json.decode(body)
    rows = [
        one | {
            "place": place,
            "post": key_digest(post_key(post["platform"], post["post_id"])),
            "author": author_digest(post["platform"], post["author"]),
            "event_time": post["event_time"],
            "body": msgspec.json.encode(post).decode(),
        }
        for place, post in enumerate(alert["posts"])
    ]  # fmt: skip
    db.execute(
        sa.text(
            "INSERT INTO alert_posts (seq, place, post, author, event_time, body)"
            " VALUES (:seq, :place, :post, :author, :event_time, :body)"
        ),
        rows,
    )
    alert["posts"] = []
    db.execute(
        sa.text("UPDATE alerts SET body = :body WHERE seq = :seq"),
        one | {"body": msgspec.json.encode(alert).decode()},
    )
