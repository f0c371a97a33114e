"""Alembic runs this file for each command; `streams.archive.migrate` gives it the connection, inside
of a transaction that it holds."""

from __future__ import annotations

from alembic import context

from streams.archive.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
