"""Alerts, labels, page status, verdicts, positions, rejects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

# Written out: what a migration makes must not change when the tables of the code do.
_BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    meta = op.create_table(
        "archive_meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", _BigInt, nullable=False),
        sa.PrimaryKeyConstraint("name", name="archive_meta_pkey"),
    )
    op.bulk_insert(meta, [{"name": "last_seq", "value": 0}, {"name": "last_write_ms", "value": 0}])
    op.create_table(
        "alerts",
        sa.Column("seq", _BigInt, autoincrement=False, nullable=False),
        sa.Column("ce_id", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("wiki", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("rev_id", _BigInt, nullable=False),
        sa.Column("event_time", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="alerts_pkey"),
        sa.UniqueConstraint("ce_id", name="alerts_ce_id_key"),
    )
    op.create_index("alerts_alert_id_seq", "alerts", ["alert_id", "seq"])
    op.create_index("alerts_wiki_title_seq", "alerts", ["wiki", "title", "seq"])
    op.create_table(
        "alerts_now",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("seq", _BigInt, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("wiki", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("event_time", sa.Double(), nullable=False),
        sa.Column("written_ms", _BigInt, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name="alerts_now_pkey"),
        sa.UniqueConstraint("seq", name="alerts_now_seq_key"),
    )
    op.create_index("alerts_now_status_seq", "alerts_now", ["status", "seq"])
    op.create_table(
        "labels",
        sa.Column("wiki", sa.Text(), nullable=False),
        sa.Column("rev_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("event_time", sa.Double(), nullable=False),
        sa.Column("labelled_time", sa.Double(), nullable=False),
        sa.Column("reverted_by", _BigInt, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("revert_risk", sa.Double(), nullable=True),
        sa.Column("alerted", sa.Boolean(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("with_content", sa.Boolean(), nullable=False),
        sa.Column("written_ms", _BigInt, nullable=False),
        sa.Column("position", _BigInt, nullable=False),
        sa.PrimaryKeyConstraint("wiki", "rev_id", name="labels_pkey"),
    )
    op.create_index("labels_labelled_time", "labels", ["labelled_time"])
    op.create_table(
        "page_status",
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("wiki", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("event_time", sa.Double(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("generation", _BigInt, nullable=False),
        sa.Column("position", _BigInt, nullable=False),
        sa.PrimaryKeyConstraint("page", name="page_status_pkey"),
    )
    op.create_table(
        "verdicts",
        sa.Column("verdict_id", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_time", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("verdict_id", name="verdicts_pkey"),
    )
    op.create_index("verdicts_alert_id", "verdicts", ["alert_id"])
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", _BigInt, nullable=False),
        sa.Column("position", _BigInt, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name="positions_pkey"),
    )
    op.create_table(
        "rejects",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", _BigInt, autoincrement=False, nullable=False),
        sa.Column("position", _BigInt, autoincrement=False, nullable=False),
        sa.Column("written_ms", _BigInt, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "generation", "position", name="rejects_pkey"),
    )
