"""What is known of an edit when it is made, as numbers: one definition for training and for live.

A feature that can't be known is NaN: no content, no history of the page's words, a performer never
seen. `extract` reads nothing that came after the edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import log, log1p, nan

import numpy as np
from numpy.typing import NDArray

from models.content_features import CONTENT_NAMES, content_features
from models.link_features import LINK_NAMES, link_features
from models.manner_features import MANNER_NAMES, manner_features
from models.text import TEXT_NAMES
from models.usual_features import USUAL_NAMES, usual_features
from models.value_features import VALUE_NAMES, value_features
from models.word_features import WORD_CONTENT_NAMES, WORD_HISTORY_NAMES, word_features
from streams.records import Edit, PerformerKind
from streams.stages.diff import TextDelta
from streams.state.page import PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory

EDIT_NAMES = (
    "anonymous",
    "temporary",
    "minor",
    "bot",
    "new_page",
    "comment_empty",
    "comment_section_only",
    "comment_length",
    "comment_links",
    "comment_capitals",
    "comment_undoes",
    "size_change",
    "size_ratio",
)
PAGE_NAMES = (
    "page_same_performer",
    "page_reverted_share",
    "page_reverts_share",
    "page_last_was_revert",
    "page_last_reverted",
    "page_last_reverted_same",
    "page_own_recent",
    "page_own_reverted",
    "page_protected",
    "page_since_last",
    "page_revert_rate",
)
RESTORE_NAMES = ("restores_back", "restores_reverted")
PERFORMER_NAMES = (
    "performer_edits",
    "performer_reverted",
    "performer_reverted_share",
    "performer_since_last",
    "network_edits",
    "network_reverted_share",
)
NAMES_WITH_CONTENT = (
    CONTENT_NAMES
    + LINK_NAMES
    + MANNER_NAMES
    + VALUE_NAMES
    + USUAL_NAMES
    + WORD_CONTENT_NAMES
    + WORD_HISTORY_NAMES
    + TEXT_NAMES
)
"""Missing where the texts are not known."""
FEATURE_NAMES: tuple[str, ...] = (
    EDIT_NAMES + PAGE_NAMES + RESTORE_NAMES + PERFORMER_NAMES + NAMES_WITH_CONTENT
)
"""In the order of the columns."""

KNOWN_WITH_CONTENT = "added_words"
"""Missing exactly where the content is."""

WITHOUT_CONTENT = len(EDIT_NAMES + PAGE_NAMES + RESTORE_NAMES + PERFORMER_NAMES)
"""So many columns come first that need no content."""
_NO_CONTENT = [nan] * (len(FEATURE_NAMES) - WITHOUT_CONTENT)
_NO_PAGE = [nan] * len(PAGE_NAMES)
_NO_PERFORMER = [nan] * len(PERFORMER_NAMES)

USUAL_RATE = 0.06
"""Of reverts among the edits of a wiki: what is taken to hold for a page of which nothing is known."""
RATE_KNOWN_AFTER = 20
"""Edits of a page after which its own rate weighs as much as the usual one."""
PERFORMER_CAP = 16
"""Edits and reverted edits of a performer are told apart up to here: whole-wiki totals do not carry
over from one wiki to another."""

_CONTRIBUTIONS = re.compile(r"\[\[[^\[\]|/]{1,80}/([^\[\]|]{1,255})\|\1\]\]")
"""`[[Special:Contributions/X|X]]`, by whatever name: in every language what undoes X's edits says so."""

TextScorer = Callable[[TextDelta, str], tuple[float, ...]]
_NO_TEXT = (nan,) * len(TEXT_NAMES)


def extract(
    edit: Edit,
    delta: TextDelta | None,
    page: PageView | None,
    performer: PerformerView | None,
    words: WordMemory | None,
    text_score: TextScorer | None = None,
) -> list[float]:
    """One row in the order of `FEATURE_NAMES`. `delta` is None where the content is not known; `words`
    stands at the parent revision. `text_score` is the classifier's own part on words."""
    row = metadata_features(edit, page, performer)
    if delta is None:
        row += _NO_CONTENT
        return row
    row += content_features(delta)
    row += link_features(delta)
    row += manner_features(edit, delta)
    row += value_features(edit, delta, words)
    row += usual_features(edit, delta)
    row += word_features(delta, words, edit.event_time)
    row += text_score(delta, edit.comment) if text_score is not None else _NO_TEXT
    return row


def metadata_features(edit: Edit, page: PageView | None, performer: PerformerView | None) -> list[float]:
    """The first `WITHOUT_CONTENT` of a row."""
    row = _edit_features(edit)
    row += _page_features(page) if page is not None else _NO_PAGE
    if page is None or not page.recent:
        row += (nan, nan)
    else:
        row += (float(page.restores_back), 1.0 if page.restores_reverted else 0.0)
    row += _performer_features(performer) if performer is not None else _NO_PERFORMER
    return row


def matrix_of(rows: Sequence[Sequence[float]] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (n, features), of rows that are whole or only as long as `metadata_features`: what those
    leave out is NaN. Most edits of a feed without contents do, and turning lists of NaN into an array
    costs more than the trees."""
    matrix = np.full((len(rows), len(FEATURE_NAMES)), nan)
    short = [at for at, row in enumerate(rows) if len(row) == WITHOUT_CONTENT]
    if short and len(short) == len(rows):
        matrix[:, :WITHOUT_CONTENT] = rows
    elif short:
        whole = sorted(set(range(len(rows))).difference(short))
        matrix[short, :WITHOUT_CONTENT] = [rows[at] for at in short]
        matrix[whole] = [rows[at] for at in whole]
    elif len(rows):
        matrix[:] = rows
    return matrix


def _edit_features(edit: Edit) -> list[float]:
    kind = edit.performer_kind
    if kind is PerformerKind.REGISTERED:
        anonymous = temporary = 0.0
    elif kind is PerformerKind.HIDDEN:
        anonymous = temporary = nan
    else:
        anonymous = 1.0
        temporary = 1.0 if kind is PerformerKind.TEMPORARY else 0.0
    comment = edit.comment
    body = comment
    if comment.startswith("/*"):
        end = comment.find("*/")
        if end > 0:
            body = comment[end + 2 :].strip()
    old_len, new_len = edit.old_len, edit.new_len
    if edit.is_new and old_len is None:
        old_len = 0
    if new_len is None or old_len is None:
        size_change = size_ratio = nan
    else:
        difference = new_len - old_len
        size_change = log1p(difference) if difference >= 0 else -log1p(-difference)
        size_ratio = (new_len + 100) / (old_len + 100)
        if size_ratio > 10.0:
            size_ratio = 10.0
    return [
        anonymous,
        temporary,
        1.0 if edit.minor else 0.0,
        1.0 if edit.bot else 0.0,
        1.0 if edit.is_new else 0.0,
        0.0 if comment else 1.0,
        1.0 if comment and not body else 0.0,
        log1p(len(body)),
        float(body.count("[[")) if body else 0.0,
        (1.0 if body.isupper() else 0.0) if body else nan,
        1.0 if "/" in body and _CONTRIBUTIONS.search(body) else 0.0,
        size_change,
        size_ratio,
    ]


def _page_features(page: PageView) -> list[float]:
    recent = page.recent
    if not recent:
        return _NO_PAGE
    return [
        1.0 if page.same_performer else 0.0,
        page.recent_reverted / recent,
        page.recent_reverts / recent,
        1.0 if page.last_was_revert else 0.0,
        1.0 if page.last_reverted else 0.0,
        1.0 if page.last_reverted and page.same_performer else 0.0,
        float(page.own_recent),
        float(page.own_reverted),
        1.0 if page.protected else 0.0,
        log1p(page.since_last_s) if page.since_last_s is not None else nan,
        log((page.reverts + USUAL_RATE * RATE_KNOWN_AFTER) / (page.seen + RATE_KNOWN_AFTER)),
    ]


def _performer_features(performer: PerformerView) -> list[float]:
    edits = performer.edits
    share = performer.reverted_share
    since = performer.since_last_s
    network_share = performer.network_reverted_share
    return [
        float(edits if edits < PERFORMER_CAP else PERFORMER_CAP),
        min(edits * share, PERFORMER_CAP) if share is not None else 0.0,
        share if share is not None else nan,
        log1p(since) if since is not None else nan,
        float(min(performer.network_edits, PERFORMER_CAP)),
        network_share if network_share is not None else nan,
    ]
