"""Order within the lateness bound, batch borders and repeats change nothing."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records import Edit
from streams.stages.track import RevertClaim, last_good, track
from streams.state.page import REVERT_RADIUS, WINDOW, PageState, digest_of
from tests.core_world import Core, EditWorld, Record, ToldHistories, TouchyScorer, raw_of

#: How far a revision may come late and still be taken: the room that a full window has.
LATE = WINDOW - REVERT_RADIUS

WHO = ("Ann", "Ben", "Cy", "192.0.2.7", "~2026-1-2")

#: What happens next, as small numbers: what, who, text, how long after, to which of the last.
Plan = list[tuple[int, int, int, int, int]]
PLANS = st.lists(
    st.tuples(
        st.integers(0, 15), st.integers(0, 4), st.integers(0, 4), st.integers(0, 3), st.integers(0, 5)
    ),
    min_size=1,
    max_size=45,
)


def history_of(plan: Plan) -> list[tuple[Edit, RevertClaim | None]]:
    """One page: few editors and few texts, so that everybody reverts everybody."""
    world = EditWorld()
    found: list[tuple[Edit, RevertClaim | None]] = []
    for what, who, text, step, which in plan:
        world.step_s = (0.0, 1.0, 60.0, 40_000.0)[step]
        claim = None
        if text == 4 and found:
            target = found[-6:][which % len(found[-6:])][0]
            claim = (
                RevertClaim(rev_id=target.rev_id),
                RevertClaim(performer=target.performer),
                RevertClaim(to_rev=target.rev_id),
                None,
            )[what % 4]
        found.append((world.edit(WHO[who], ("a", "b", "c", "d", None)[text]), claim))
    return found


def folded(history: Sequence[tuple[Edit, RevertClaim | None]]) -> tuple[object, ...]:
    page = PageState("enwiki:Tower")
    labels: dict[int, int | None] = {}
    for row, (edit, claim) in enumerate(history, 1):
        digest = digest_of(edit.content.revision.sha1) if edit.content is not None else 0
        observation = track(page, edit, digest, row, claim)
        assert observation.entry is not None
        for label in observation.labels:
            labels[label.entry.rev_id] = None if label.retracted else label.reverted_by
    entries = [
        (e.rev_id, e.reverted_by, e.reverts_to, e.withdrawn_by, e.self_revert, e.stands)
        for e in page.entries
    ]
    given_labels = {rev_id: by for rev_id, by in labels.items() if by is not None}
    return entries, given_labels, last_good(page), page.pairs, page.editors, page.seen, page.first_time


@settings(max_examples=200)
@given(PLANS, st.lists(st.integers(0, LATE - 1), min_size=45, max_size=45))
def test_any_order_within_the_lateness_bound_gives_the_same_page(
    plan: Plan, lateness: list[int]
) -> None:
    history = history_of(plan)
    order = sorted(range(len(history)), key=lambda number: (number + lateness[number], number))
    assert folded([history[number] for number in order]) == folded(history)


def story_of(plan: Plan) -> list[Record]:
    """Two pages with all that happens to pages: wars, undos, protections, moves, deletions, tags."""
    world = EditWorld()
    texts = (
        "The tower is 300 m high.",
        "The tower is 3 m high. lol",
        "It is old.",
        "{{POV}} It is.",
        None,
    )
    edits: list[Edit] = []
    for what, who, text, step, which in plan:
        world.step_s = (1.0, 60.0, 3_600.0, 50_000.0)[step]
        title = ("Tower", "Spire")[which % 2]
        target = edits[-5:][which % len(edits[-5:])] if edits else None
        if what < 11 or target is None:
            edits.append(world.edit(WHO[who], texts[text], title=title, bot=what == 10))
        elif what == 11:
            edits.append(world.undo(WHO[who], target))
        elif what == 12:
            world.tag(target)
        elif what == 13:
            world.log("move", "move", title=title, target=("Spire", "Mast")[which // 3])
        else:
            action = ("protect", "delete")[what - 14]
            world.log(action, action, title=title)
    return world.records


def outcome(
    batches: Sequence[Sequence[Record | bytes]],
    *,
    restart: bool = False,
    history: bool = False,
    wiki: Sequence[Record] | None = None,
) -> dict[str, object]:
    """Everything that a person could see, and every state. `wiki`: what it tells of pages met cold."""
    histories = ToldHistories(wiki) if wiki is not None else None
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        core = Core(Path(name), TouchyScorer(), history=history, histories=histories)
        for batch in batches:
            if restart:
                core.close()
                core = Core(Path(name), TouchyScorer(), history=history, histories=histories)
            core.take(batch)
        core.finish()
        core.store.settle_states()
        tables = ("pages", "page_words", "performers", "episodes")
        result: dict[str, object] = {
            table: core.store.query(f"SELECT id, state FROM {table} ORDER BY id") for table in tables
        }
        result["alerts"] = core.alerts()
        result["edits"] = core.edit_rows()
        result["watermark"] = core.store.watermark()
        result["asked"] = histories.asked if histories is not None else []
        core.close()
    return result


def split(records: Sequence[Any], borders: Sequence[int]) -> list[Sequence[Any]]:
    at = sorted({0, len(records), *(border % (len(records) + 1) for border in borders)})
    return [records[a:b] for a, b in itertools.pairwise(at)]


def same(one: dict[str, object], other: dict[str, object]) -> None:
    for name in one:
        assert other[name] == one[name], name


BORDERS = st.lists(st.integers(0, 100), max_size=8)


@settings(max_examples=60)
@given(PLANS, BORDERS, st.booleans())
def test_batch_borders_and_restarts_change_nothing(
    plan: Plan, borders: list[int], restart: bool
) -> None:
    records = story_of(plan)
    same(outcome([records]), outcome(split(records, borders), restart=restart))


@settings(max_examples=100)
@given(PLANS, BORDERS, st.booleans(), st.integers(0, 20))
def test_nor_where_the_histories_of_cold_pages_are_fetched(
    plan: Plan, borders: list[int], restart: bool, unseen: int
) -> None:
    """The first `unseen` records happened before anybody watched."""
    wiki = story_of(plan)
    records = wiki[unseen:]
    one = outcome([records], wiki=wiki)
    same(one, outcome(split(records, borders), restart=restart, wiki=wiki))


@settings(max_examples=30)
@given(PLANS, BORDERS, st.booleans())
def test_nor_where_no_text_is_known(plan: Plan, borders: list[int], restart: bool) -> None:
    raw = [raw_of(record) for record in story_of(plan)]
    same(outcome([raw]), outcome(split(raw, borders), restart=restart))


@settings(max_examples=30)
@given(PLANS, BORDERS, st.booleans())
def test_nor_in_a_history(plan: Plan, borders: list[int], restart: bool) -> None:
    edits = [record for record in story_of(plan) if isinstance(record, Edit)]
    edits.sort(key=lambda edit: edit.title)
    one = outcome([edits], history=True)
    same(one, outcome(split(edits, borders), restart=restart, history=True))


@settings(max_examples=60)
@given(PLANS, st.lists(st.tuples(st.integers(0, 100), st.integers(0, 12), st.booleans()), max_size=9))
def test_repeats_change_nothing(plan: Plan, repeats: list[tuple[int, int, bool]]) -> None:
    """The same event again, or the same edit under another id, a little later."""
    records = story_of(plan)
    repeated: list[Record] = list(records)
    for number, (which, later, other_id) in enumerate(repeats):
        record = records[which % len(records)]
        at = repeated.index(record) + 1 + later
        if other_id and isinstance(record, Edit):
            renamed = any(
                not isinstance(other, Edit) and getattr(other, "log_type", "") == "move"
                for other in records
            )
            if renamed:
                continue  # under its old title it would be an edit of another page
            record = msgspec.structs.replace(record, event_id=f"again {number}")
        repeated.insert(at, record)
    one, other = outcome([records]), outcome([repeated])
    for name in ("alerts", "edits", "pages", "page_words", "episodes", "performers"):
        assert other[name] == one[name], name
