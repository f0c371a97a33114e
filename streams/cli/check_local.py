"""`factwatch check` by a state file of this machine."""

from __future__ import annotations

import time
from pathlib import Path

from models.pair_model import load_pair_model
from streams.cli.output import say
from streams.matching.answer_findings import CheckedAnswer
from streams.matching.check import Checker
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher
from streams.store.sqlite import SqliteStore

#: A program that watches writes every few seconds.
STALE_AFTER_S = 900.0


def check_in(state: Path, text: str, language: str | None) -> CheckedAnswer:
    """By the hot facts of a state file. Raises `BadSetting` where there is none yet."""
    store = SqliteStore(state, read_only=True)
    try:
        _tell_age(state)
        pages = store.hot_pages()
    finally:
        store.close()
    index = HotFactIndex()
    for page in pages:
        for fact in page.facts:
            index.put(fact)
    return Checker(index, Matcher(index, load_pair_model())).check(text, language)


def _tell_age(state: Path) -> None:
    """What changed since the last commit is not known: a program that stopped knows ever less."""
    written = [
        path.stat().st_mtime
        for path in (state, state.with_name(state.name + "-wal"))
        if path.exists() and path.stat().st_size
    ]
    age_s = time.time() - max(written)
    if age_s > STALE_AFTER_S:
        say(
            f"{state}: last written {_ago(age_s)} ago, and what was vandalised or corrected since is not"
            " known: is `factwatch run` running?"
        )


def _ago(age_s: float) -> str:
    for unit, seconds in (("days", 86_400), ("hours", 3_600)):
        if age_s >= 2 * seconds:
            return f"{age_s / seconds:.0f} {unit}"
    return f"{age_s / 60:.0f} minutes"
