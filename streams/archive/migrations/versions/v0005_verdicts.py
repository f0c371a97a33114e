"""Verdicts by the edits that they are of. Nothing wrote the table before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.drop_index("verdicts_alert_id", "verdicts")
    op.drop_table("verdicts")
    op.create_table(
        "verdicts",
        sa.Column("verdict_id", sa.Text(), nullable=False),
        sa.Column("wiki", sa.Text(), nullable=False),
        sa.Column("rev_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("event_time", sa.Double(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_time", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("written_ms", _BigInt, nullable=False),
        sa.Column("position", _BigInt, nullable=False),
        sa.PrimaryKeyConstraint("verdict_id", "wiki", "rev_id", name="verdicts_pkey"),
    )
    op.create_index("verdicts_alert_id", "verdicts", ["alert_id"])
    op.create_index("verdicts_wiki_rev_id", "verdicts", ["wiki", "rev_id"])
