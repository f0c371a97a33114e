"""Which alerts name which posts, and posts that were deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert_posts",
        sa.Column("post", _BigInt, autoincrement=False, nullable=False),
        sa.Column("seq", _BigInt, autoincrement=False, nullable=False),
        sa.Column("author", _BigInt, nullable=False),
        sa.Column("event_time", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("post", "seq", name="alert_posts_pkey"),
    )
    op.create_index("alert_posts_author", "alert_posts", ["author"])
    op.create_index("alert_posts_event_time", "alert_posts", ["event_time"])
    op.create_table(
        "posts_gone",
        sa.Column("digest", _BigInt, autoincrement=False, nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("read_ms", _BigInt, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="posts_gone_pkey"),
    )
    op.create_index("posts_gone_read_ms", "posts_gone", ["read_ms"])
