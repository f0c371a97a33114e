from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.content.temporary_accounts import TemporaryAccounts


@pytest.mark.parametrize("name", ["~2026-12345-67", "~2026-12345", "~2025-1-2-3"])
def test_wikimedias_names_are_known_without_asking(name: str) -> None:
    assert TemporaryAccounts().matches(name)


@pytest.mark.parametrize(
    "name", ["", "~", "~2026", "2026-12345-67", "Ana", "192.0.2.1", "~2026-x", "~1999-1"]
)
def test_other_names_are_not_temporary(name: str) -> None:
    assert not TemporaryAccounts().matches(name)


def test_a_wikis_own_pattern_counts_instead() -> None:
    accounts = TemporaryAccounts(["*Unregistered $1*", "~2$1"])
    assert accounts.matches("*Unregistered 42*")
    assert accounts.matches("~2026-1")
    assert not accounts.matches("*Unregistered *")
    assert not accounts.matches("Ana")


@pytest.mark.parametrize("pattern", ["$1", "", "no mark"])
def test_a_pattern_that_fits_everything_or_nothing_leaves_the_default(pattern: str) -> None:
    accounts = TemporaryAccounts([pattern])
    assert accounts.matches("~2026-12345-67")
    assert not accounts.matches("Ana")


def test_real_rows_are_recognized(shared_data: Path) -> None:
    rows = (shared_data / "events/temporary-account-examples.jsonl").read_text()
    users = [json.loads(line)["row"].get("user") for line in rows.splitlines()]
    assert all(TemporaryAccounts().matches(user) for user in users if user.startswith("~"))
