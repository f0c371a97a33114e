"""Training rows: replayed histories with what became of each edit, and diffs that people labelled.

Rows are grouped by article, so that no article is both learnt from and tested on, and each source has
a weight of its own, so that a long history does not drown a short one.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.bounded_history import BoundedHistory
from models.features import FEATURE_NAMES, extract
from models.histories import histories_in
from models.made_up_edits import MadeUpEdit, MadeUpEdits
from models.manner_features import MANNER_NAMES
from models.planted_links import SHARE as PLANTED_SHARE
from models.planted_links import planted
from models.replay import Met, Replay, ReplayedEdit, edits_of
from models.survival import Survival
from models.swapped_edits import SHARE as SWAPPED_SHARE
from models.swapped_edits import swapped
from models.term_table import TermTable
from models.text import NO_TERMS, TEXT_NAMES, Terms, text_terms
from models.usual_features import USUAL_NAMES
from streams.records import Edit, PerformerKind
from streams.stages.diff import TextDelta, text_delta
from streams.stages.performer_kinds import performer_kind

Progress = Callable[[str, float], None]
"""What is being done, and the share of all done."""

PAN_DIFFS = "pan-wvc-10-diffs.jsonl.gz"
PAN_METADATA = "pan-wvc-11-en-metadata.csv.gz"
PAN_BASE_RATE = 0.07
"""Of vandalism among all edits of the wiki the corpus was drawn from; half of the file's rows are."""
PAN_FOLDS = 5
RECENT = 50
"""Revisions that one call gives."""
RECENT_EVERY = 3
NO_ROWS = np.zeros(0, dtype=np.int64)
NO_TIMES = np.zeros(0)
MAX_ALONE_CHARS = 20_000
"""Of changed lines, past which an edit has no variant with its difference alone."""
_PAN_KNOWN = frozenset(
    {
        "anonymous",
        "comment_empty",
        "comment_section_only",
        "comment_length",
        "comment_links",
        "comment_capitals",
        "comment_undoes",
        "added_words",
        "removed_words",
        "insert_only",
        "delete_only",
        "numbers_added",
        "numbers_removed",
        "added_uppercase",
        "added_capitalized",
        "longest_run",
        "longest_word",
        "word_repetition",
        "net_added",
        "net_removed",
        "odd_capitals",
        "number_swaps",
        "word_swaps",
        "name_swaps",
        "swap_only",
        "swap_likeness",
        "swap_put_in",
        "keyboard_run",
        "consonant_run",
        *MANNER_NAMES,
        *TEXT_NAMES,
        *USUAL_NAMES,
    }
)
"""The file has words only: no signs, no places, no page."""
_PAN11_KNOWN = frozenset({"anonymous", "comment_empty", "comment_section_only", "comment_length",
                          "comment_links", "comment_capitals", "comment_undoes"})  # fmt: skip


class Variants(NamedTuple):
    """Rows made beside those of a source: what they would be if something else had been changed, or
    less had been known."""

    matrix: NDArray[np.float64]
    terms: TermTable
    of: NDArray[np.int64]
    """Index of the source's row each belongs to."""


class Rows(NamedTuple):
    """One source. `matrix` has the text scores still missing: they are made out of fold."""

    name: str
    matrix: NDArray[np.float64]
    terms: TermTable
    label: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    """To learn from: False where what became of the edit does not say what it was."""
    weight: NDArray[np.float64]
    fold: NDArray[np.int64]
    """Rows of one fold are never learnt from to judge one another; -1: the whole source is one."""
    rev_ids: list[int]
    history: bool
    swaps: Variants | None = None
    """False facts made up: all of them damaging."""
    spam: Variants | None = None
    """Advertising links made up, likewise."""
    alone: Variants | None = None
    """The same edits with nothing known but the difference, the summary and the kind of editor."""
    recent: NDArray[np.float64] | None = None
    """Some of the rows where a page's latest `RECENT` revisions are all that is known of it."""
    recent_of: NDArray[np.int64] = NO_ROWS
    """Index of the row each is of."""
    event_time: NDArray[np.float64] = NO_TIMES
    """Of each row; none where the source does not tell it."""
    gone: NDArray[np.bool_] | None = None
    """Of a history: whether the edit's words did not last, reverted or not."""


class Loaded(NamedTuple):
    sources: list[Rows]
    files: dict[str, str]
    """sha256 by name."""


def load(data_dir: Path, progress: Progress) -> Loaded:
    """All training data there is under `data_dir`. Raises `BadInput` if there is no history."""
    histories = histories_in(data_dir)
    sources, files = [], {}
    for at, path in enumerate(histories):
        progress(f"replaying {path.name}", at / (len(histories) + 1))
        sources.append(history_rows(path))
        files[path.name] = digest_of(path)
    for name, read in ((PAN_DIFFS, _pan_diffs), (PAN_METADATA, _pan_metadata)):
        path = data_dir / "edits" / name
        if path.exists():
            progress(f"reading {name}", len(histories) / (len(histories) + 1))
            sources.append(read(path))
            files[name] = digest_of(path)
    return Loaded(sources, files)


def source_name(path: Path) -> str:
    """`enwiki-holy-grail.xml.xz` -> `enwiki-holy-grail`."""
    return path.name.partition(".")[0]


def history_rows(path: Path) -> Rows:
    name = source_name(path)
    beside = _Beside(crc32(name.encode()))
    replayed = Replay(keep_terms=True, beside=beside).edits(edits_of(path))
    label = np.array([edit.reverted for edit in replayed])
    usable = np.array([_tells(edit) for edit in replayed])
    at = {edit.edit.rev_id: row for row, edit in enumerate(replayed)}
    recent = [(at[rev_id], row) for rev_id, row in beside.recent]
    terms = TermTable([edit.terms or NO_TERMS for edit in replayed])
    return Rows(
        name,
        np.array([edit.row for edit in replayed]),
        terms,
        label,
        usable,
        np.full(len(replayed), 1.0 / np.sqrt(max(usable.sum(), 1))),
        np.full(len(replayed), -1),
        [edit.edit.rev_id for edit in replayed],
        True,
        _made_up(beside.swaps.made, at, label & usable, ~label & usable),
        _made_up(beside.spam.made, at, label & usable, ~label & usable),
        _variants(
            [(at[rev_id], row, found) for rev_id, row, found in beside.alone if usable[at[rev_id]]]
        ),
        np.array([row for _, row in recent]) if recent else None,
        np.array([index for index, _ in recent], dtype=np.int64),
        np.array([edit.edit.event_time for edit in replayed]),
        np.array([beside.survival.gone(edit.edit.rev_id) for edit in replayed]),
    )


class _Beside:
    """Makes the variants of each edit of a replay: their share is a matter of time spent."""

    def __init__(self, seed: int) -> None:
        self.swaps = MadeUpEdits(extract, swapped, SWAPPED_SHARE, seed)
        self.spam = MadeUpEdits(extract, planted, PLANTED_SHARE, seed + 1)
        self.survival = Survival()
        self.alone: list[tuple[int, list[float], Terms]] = []
        self.recent: list[tuple[int, list[float]]] = []
        self._history = BoundedHistory(RECENT)

    def meets(self, met: Met) -> None:
        edit, delta = met.edit, met.delta
        self.swaps.meets(met)
        self.spam.meets(met)
        self.survival.meets(met)
        if edit.rev_id % RECENT_EVERY == 0:
            page, performer, words = self._history.before(met.state, edit, met.digest, delta)
            self.recent.append((edit.rev_id, extract(edit, delta, page, performer, words)))
        if delta is None:
            return
        before = "\n".join(line for hunk in delta.hunks for line in hunk.before)
        after = "\n".join(line for hunk in delta.hunks for line in hunk.after)
        if max(len(before), len(after)) > MAX_ALONE_CHARS:
            return
        change = text_delta(before, after)
        row = extract(edit, change, None, None, None)
        self.alone.append((edit.rev_id, row, text_terms(change, edit.comment)))

    def folded(self, page_key: str, edit: Edit, delta: TextDelta | None, reverts_others: bool) -> None:
        self._history.folded(page_key, edit, delta, reverts_others)


def _made_up(
    made: list[MadeUpEdit],
    at: dict[int, int],
    damaging: NDArray[np.bool_],
    good: NDArray[np.bool_],
) -> Variants | None:
    """Those made by an editor who did damage, of a text that stood."""
    return _variants(
        [
            (at[one.rev_id], one.row, one.terms)
            for one in made
            if damaging[at[one.rev_id]] and one.parent_id in at and good[at[one.parent_id]]
        ]
    )


def _variants(found: list[tuple[int, list[float], Terms]]) -> Variants | None:
    if not found:
        return None
    return Variants(
        np.array([row for _, row, _ in found]),
        TermTable([terms for _, _, terms in found]),
        np.array([at for at, _, _ in found]),
    )


def _tells(edit: ReplayedEdit) -> bool:
    """Whether the outcome says what the edit was. Not: a revert that somebody else undid, one that
    came after 48 hours, an edit that its own author took back."""
    if edit.reverted:
        return not edit.restored
    return edit.reverted_after_s is None and not edit.self_reverted


def _pan_diffs(path: Path) -> Rows:
    rows, terms, labels = [], [], []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            kind = PerformerKind.IP if record["anon"] else PerformerKind.REGISTERED
            delta = text_delta(record["removed"], record["added"])
            rows.append(extract(_bare_edit(kind, record["comment"]), delta, None, None, None))
            terms.append(text_terms(delta, record["comment"]))
            labels.append(bool(record["vandalism"]))
    label = np.array(labels)
    share = label.mean()
    weight = np.where(label, PAN_BASE_RATE / share, (1 - PAN_BASE_RATE) / (1 - share))
    weight /= np.sqrt(len(label))
    return _partial("pan-wvc-10", rows, terms, label, weight, _PAN_KNOWN)


def _pan_metadata(path: Path) -> Rows:
    rows, labels = [], []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for record in csv.DictReader(lines):
            comment = record["editcomment"] if record["editcomment"] != "null" else ""
            edit = _bare_edit(performer_kind(record["editor"]), comment)
            rows.append(extract(edit, None, None, None, None))
            labels.append(record["class"] == "vandalism")
    label = np.array(labels)
    weight = np.full(len(label), 0.5 / np.sqrt(len(label)))
    return _partial("pan-wvc-11", rows, [NO_TERMS for _ in rows], label, weight, _PAN11_KNOWN)


def _partial(
    name: str,
    rows: list[list[float]],
    terms: list[Terms],
    label: NDArray[np.bool_],
    weight: NDArray[np.float64],
    known: frozenset[str],
) -> Rows:
    matrix = np.array(rows)
    unknown = [at for at, feature in enumerate(FEATURE_NAMES) if feature not in known]
    matrix[:, unknown] = np.nan
    count = len(label)
    return Rows(
        name, matrix, TermTable(terms), label, np.ones(count, dtype=bool), weight,
        np.arange(count) % PAN_FOLDS, [0] * count, False,
    )  # fmt: skip


def _bare_edit(kind: PerformerKind, comment: str) -> Edit:
    return Edit(
        event_id="", wiki="enwiki", server_name="", title="", namespace=0, rev_id=1, parent_id=None,
        performer="", performer_kind=kind, event_time=0.0, arrival_time=0.0, comment=comment,
    )  # fmt: skip


def digest_of(path: Path) -> str:
    """sha256 of a file, in hex."""
    return sha256(path.read_bytes()).hexdigest()
