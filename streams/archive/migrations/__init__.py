"""Alembic's environment and versions, run by `streams.archive.migrate`."""
