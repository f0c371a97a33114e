"""`factwatch replay` as a process of its own, with small batches, and files for it to replay."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from html import escape
from pathlib import Path

from streams.records import Edit
from streams.stages.track import last_good
from streams.state.page import PageState
from tests.conftest import CHECKOUT
from tests.core_world import START, EditWorld, raw_of
from tests.unit.sources.exports import export, page, revision

import msgspec  # isort: skip

SMALL_BATCHES = (
    "import streams.runners.embedded as e; e.BATCH_ITEMS = 40;from streams.cli.entry import main; main()"
)


def story(revisions: int, titles: int, seed: int = 7) -> EditWorld:
    """Vandalism and its reverts, wars, undos, quiet growth: on a few pages at once."""
    rng = random.Random(seed)
    world = EditWorld(step_s=900.0)
    good: dict[str, Edit] = {}
    bad: dict[str, Edit] = {}
    for number in range(revisions):
        title = f"Page {rng.randrange(titles)}"
        base = good.get(title)
        roll = rng.random()
        if base is None or roll < 0.45:
            lines = [
                f"Fact {n}: {title} has {n * 37 + (number if n == 3 else 0)} things." for n in range(9)
            ]
            good[title] = world.edit(f"Editor {rng.randrange(12)}", "\n".join(lines), title=title)
        elif roll < 0.75:
            assert base.content is not None
            assert base.content.revision.text is not None
            text = base.content.revision.text.replace(
                "things", rng.choice(["poop lol", "THINGS!!!", ""])
            )
            bad[title] = world.edit(f"192.0.2.{rng.randrange(30)}", text, title=title, comment="haha")
        else:
            summary, undone = "rvv", bad.pop(title, None)
            if undone is not None:  # where no text is seen, only this tells of a revert
                user = undone.performer
                summary = f"Undid revision {undone.rev_id} by [[Special:Contributions/{user}|{user}]]"
            good[title] = world.revert(f"Patrol {rng.randrange(4)}", base, comment=summary)
    return world


def write_export(path: Path, world: EditWorld) -> None:
    by_title: dict[str, list[Edit]] = {}
    for edit in world.records:
        assert isinstance(edit, Edit)
        by_title.setdefault(edit.title, []).append(edit)
    pages = []
    for number, (title, edits) in enumerate(by_title.items(), 1):
        revisions = []
        for edit in edits:
            assert edit.content is not None
            tag = "ip" if edit.performer[0].isdigit() else "username"
            seconds = int(edit.event_time - START)
            day, rest = divmod(seconds, 86_400)
            stamp = (
                f"2026-{1 + day // 28:02}-{1 + day % 28:02}"
                f"T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"
            )
            revisions.append(
                revision(
                    edit.rev_id,
                    edit.content.revision.text,
                    parent=edit.parent_id,
                    time=stamp,
                    who=f"<{tag}>{escape(edit.performer)}</{tag}>",
                    comment=edit.comment,
                )
            )
        pages.append(page(title, *revisions, page_id=number))
    path.write_text(export(*pages))


def write_ndjson(path: Path, world: EditWorld) -> None:
    path.write_bytes(b"".join(raw_of(record) + b"\n" for record in world.records))


def start(file: Path, out: Path, state: Path) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
    environ |= {
        "FACTWATCH_DATA_DIR": str(state),
        "FACTWATCH_ALERT_THRESHOLD": "0.02" if file.suffix == ".ndjson" else "0.05",
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = ["replay", str(file), "--alerts", str(out), "--json", "--state", str(state)]
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_BATCHES, *command],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def what_is_known(state: Path) -> tuple[list[tuple[object, ...]], dict[str, int | None]]:
    """Every edit with its label, what wikis' own edits taught, and the last good revision of each page."""
    with sqlite3.connect(state / "replay.sqlite") as db:
        edits = db.execute("SELECT * FROM edits ORDER BY row").fetchall()
        edits += db.execute("SELECT * FROM own_edits ORDER BY wiki, day").fetchall()
        decoder = msgspec.msgpack.Decoder(PageState)
        pages = [decoder.decode(blob) for (blob,) in db.execute("SELECT state FROM pages")]
    db.close()
    return edits, {page.key: last_good(page) for page in pages}
