"""The archive's tables. `migrations/` makes them; a contract test compares the two.

Times are Unix seconds. `body` is the record as it came, JSON: text and not jsonb, which refuses an
escaped NUL. The tables grow with what happened and are never pruned: that is an archive's job. Only
posts leave it again, and all that it holds of them is in one small table; and what is kept to learn from,
which is bounded.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "pk": "%(table_name)s_pkey",
    }
)
#: SQLite has one integer type, and only under this name is a primary key the row's own id.
BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")


#: Alembic's own table: which migrations have run.
VERSION_TABLE = "archive_version"


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


_Text = sa.Text()
_Time: sa.Double[float] = sa.Double()

#: `last_seq`: newest seq of alerts, and the row that a writer locks; `last_write_ms`: sign of life.
meta = sa.Table(
    "archive_meta", METADATA, sa.Column("name", _Text, primary_key=True), _column("value", BigInt)
)

#: Every state change of every alert. `seq` counts from 1 in the order of commits. `body` is without the
#: posts that it names.
alerts = sa.Table(
    "alerts",
    METADATA,
    sa.Column("seq", BigInt, primary_key=True, autoincrement=False),
    sa.Column("ce_id", _Text, nullable=False, unique=True),
    _column("alert_id", _Text),
    _column("kind", _Text),
    _column("status", _Text),
    _column("severity", _Text),
    _column("wiki", _Text),
    _column("title", _Text),
    _column("rev_id", BigInt),
    _column("event_time", _Time),
    _column("body", _Text),
    sa.Index(None, "alert_id", "seq"),
    sa.Index(None, "wiki", "title", "seq"),
)

#: Posts that stored alerts name, in their order. By digests of post and author a deletion finds them;
#: apart from `alerts`, because this one is written anew to be rid of what was deleted (`erasing.py`).
alert_posts = sa.Table(
    "alert_posts",
    METADATA,
    sa.Column("seq", BigInt, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
    _column("post", BigInt),
    _column("author", BigInt),
    _column("event_time", _Time),
    _column("body", _Text),
    sa.Index(None, "post"),
    sa.Index(None, "author"),
    sa.Index(None, "event_time"),
)

#: Posts and accounts deleted lately, by digest, for alerts that are read later than the deletion.
#: `until`: of an account, event time of the deletion.
posts_gone = sa.Table(
    "posts_gone",
    METADATA,
    sa.Column("digest", BigInt, primary_key=True, autoincrement=False),
    _column("until", _Time, null=True),
    _column("read_ms", BigInt),
    sa.Index(None, "read_ms"),
)

#: The newest state change of each alert.
alerts_now = sa.Table(
    "alerts_now",
    METADATA,
    sa.Column("alert_id", _Text, primary_key=True),
    sa.Column("seq", BigInt, nullable=False, unique=True),
    _column("kind", _Text),
    _column("status", _Text),
    _column("wiki", _Text),
    _column("title", _Text),
    _column("event_time", _Time),
    _column("written_ms", BigInt),
    sa.Index(None, "status", "seq"),
)

#: What the community did with an edit. `label` NULL: it was taken back, the row says so.
labels = sa.Table(
    "labels",
    METADATA,
    sa.Column("wiki", _Text, primary_key=True),
    sa.Column("rev_id", BigInt, primary_key=True, autoincrement=False),
    _column("title", _Text),
    _column("label", _Text, null=True),
    _column("event_time", _Time),
    _column("labelled_time", _Time),
    _column("reverted_by", BigInt),
    _column("evidence", _Text),
    _column("revert_risk", sa.Double(), null=True),
    _column("alerted", sa.Boolean()),
    _column("anonymous", sa.Boolean()),
    _column("with_content", sa.Boolean()),
    _column("written_ms", BigInt),
    _column("position", BigInt),
    sa.Index(None, "labelled_time"),
)

#: What the model knew of a sample of these edits. `features`: float32, missing ones at the end left out.
#: `model_risk` NULL: the label's `revert_risk`.
training_rows = sa.Table(
    "training_rows",
    METADATA,
    sa.Column("wiki", _Text, primary_key=True),
    sa.Column("rev_id", BigInt, primary_key=True, autoincrement=False),
    _column("event_time", _Time),
    _column("weight", sa.Double()),
    _column("model", _Text),
    _column("feature_set", _Text),
    _column("features", sa.LargeBinary()),
    _column("model_risk", sa.Double(), null=True),
    sa.Index(None, "event_time"),
)

#: What is open on a page. `status` NULL: nothing any more; the row keeps an older one from coming back.
page_status = sa.Table(
    "page_status",
    METADATA,
    sa.Column("page", _Text, primary_key=True),
    _column("wiki", _Text),
    _column("title", _Text),
    _column("status", _Text, null=True),
    _column("event_time", _Time, null=True),
    _column("body", _Text, null=True),
    _column("generation", BigInt),
    _column("position", BigInt),
)

#: What a person said of an edit that alerted. `verdict_id` is given by who sends it, so that a repeat is
#: one. Of several on an edit the newest counts, by `written_ms` and `position`.
verdicts = sa.Table(
    "verdicts",
    METADATA,
    sa.Column("verdict_id", _Text, primary_key=True),
    sa.Column("wiki", _Text, primary_key=True),
    sa.Column("rev_id", BigInt, primary_key=True, autoincrement=False),
    _column("alert_id", _Text),
    _column("title", _Text),
    _column("event_time", _Time),
    _column("verdict", _Text),
    _column("given_by", _Text),
    _column("given_time", _Time),
    _column("note", _Text),
    _column("written_ms", BigInt),
    _column("position", BigInt),
    sa.Index(None, "alert_id"),
    sa.Index(None, "wiki", "rev_id"),
)

#: The next offset of each partition, moved in the transaction of the rows it covers. `generation` is
#: counted up when a topic was made anew and its offsets begin again.
positions = sa.Table(
    "positions",
    METADATA,
    sa.Column("topic", _Text, primary_key=True),
    sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
    _column("generation", BigInt),
    _column("position", BigInt),
)

#: Records that are not what their topic should hold, with their bytes: nothing read is dropped.
rejects = sa.Table(
    "rejects",
    METADATA,
    sa.Column("topic", _Text, primary_key=True),
    sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("generation", BigInt, primary_key=True, autoincrement=False),
    sa.Column("position", BigInt, primary_key=True, autoincrement=False),
    _column("written_ms", BigInt),
    _column("reason", _Text),
    _column("key", sa.LargeBinary(), null=True),
    _column("value", sa.LargeBinary(), null=True),
    _column("headers", sa.LargeBinary()),
)
