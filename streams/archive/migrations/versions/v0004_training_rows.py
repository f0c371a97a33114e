"""What the model knew of a sample of edits, to learn from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "training_rows",
        sa.Column("wiki", sa.Text(), nullable=False),
        sa.Column("rev_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("event_time", sa.Double(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("feature_set", sa.Text(), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("wiki", "rev_id", name="training_rows_pkey"),
    )
    op.create_index("training_rows_event_time", "training_rows", ["event_time"])
