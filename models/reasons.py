"""Why a score is what it is, by ablation: what the log-odds lose when a feature is set to its usual value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES
from models.phrases import phrase
from streams.records import Reason

MAX_REASONS = 5
MIN_CONTRIBUTION = 0.05
"""Log-odds below which a feature did not matter."""
AT_ONCE = 64
"""Rows explained together: about 2,000 rows to score, 2 MB."""

GROUPS: tuple[tuple[str, ...], ...] = (
    ("anonymous", "temporary"),
    ("minor", "bot"),
    ("new_page",),
    ("comment_empty", "comment_section_only", "comment_length", "comment_links", "comment_capitals"),
    ("comment_undoes",),
    ("size_change", "size_ratio", "removed_characters", "removed_words", "removed_share", "net_removed",
     "whole_lines_removed", "delete_only"),
    ("page_same_performer",),
    ("page_reverted_share", "page_reverts_share", "page_last_was_revert", "page_revert_rate"),
    ("page_last_reverted", "page_last_reverted_same", "page_own_recent", "page_own_reverted"),
    ("page_protected",),
    ("page_since_last",),
    ("restores_back", "restores_reverted"),
    ("performer_edits", "performer_since_last"),
    ("performer_reverted", "performer_reverted_share"),
    ("network_edits", "network_reverted_share"),
    ("spans", "hunks"),
    ("added_words", "added_characters", "added_share", "insert_only", "net_added", "whole_lines_added",
     "line_breaks_added"),
    ("position", "position_characters", "in_lead", "at_page_start", "at_page_end"),
    ("reference_change", "template_change", "link_change", "heading_change", "category_change",
     "table_change", "emphasis_change", "html_change", "media_change", "markup_imbalance"),
    ("numbers_added", "numbers_removed", "number_swaps", "number_jump", "digits_changed", "same_digits",
     "year_swapped", "year_ahead", "digits_around"),
    ("word_swaps", "name_swaps", "swap_only", "swap_likeness", "swap_put_in"),
    ("old_elsewhere", "new_elsewhere"),
    ("negations_added", "negations_removed"),
    ("external_link_change", "domains_added", "new_domains", "links_unreferenced", "link_front_page",
     "link_exchanged", "link_only", "link_in_list", "link_host_told", "host_changed",
     "addresses_in_prose"),
    ("rude_added", "chat_added", "persons_added", "manner_share"),
    ("rude_removed",),
    ("samples_added",),
    ("changed_in_link", "changed_in_template", "changed_in_reference"),
    ("added_uppercase", "added_capitalized", "starts_lower", "odd_capitals"),
    ("added_digits", "added_signs", "added_exclaims"),
    ("longest_run", "longest_word", "word_repetition", "compression", "gibberish", "keyboard_run",
     "consonant_run", "glued"),
    ("quoted",),
    ("new_share", "new_words", "surprise_mean", "surprise_max", "never_seen_share",
     "context_compression"),
    ("removed_surprise_mean", "vanished_share"),
    ("thrown_max", "thrown_mean", "thrown_share", "thrown_against_life", "gone_since"),
    ("life_min", "life_mean", "life_max", "life_time_mean"),
    ("removed_age_min", "removed_age_mean", "removed_age_max", "removed_time_mean", "removed_time_min",
     "age_difference", "time_difference", "removed_thrown_share"),
    ("moved_share",),
    ("rarity_mean", "rarity_max", "rarity_min", "rarity_gained", "rarity_unknown", "rarity_against_page"),
    ("text_score", "text_peak", "text_mean", "text_least", "text_unknown",
     "text_embedding"),
    ("text_comment",),
)  # fmt: skip
"""Features that say one thing are set to their usual values together."""

_AT = {name: at for at, name in enumerate(FEATURE_NAMES)}
_GROUPS = tuple([_AT[name] for name in group] for group in GROUPS)
_MEMBERS = np.array([[at in group for group in _GROUPS] for at in range(len(FEATURE_NAMES))])


def explain(
    log_odds: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    rows: NDArray[np.float64],
    reference: NDArray[np.float64],
) -> list[tuple[Reason, ...]]:
    """Of each row, strongest first. A feature that is missing in a row stays missing. Each row is
    explained as if alone; together, as calling the trees costs more than the rows in a call."""
    found: list[tuple[Reason, ...]] = []
    for start in range(0, len(rows), AT_ONCE):
        found += _explain_together(log_odds, rows[start : start + AT_ONCE], reference)
    return found


def _explain_together(
    log_odds: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    rows: NDArray[np.float64],
    reference: NDArray[np.float64],
) -> list[tuple[Reason, ...]]:
    usual = np.where(np.isnan(rows), np.nan, reference)
    unusual = (rows != usual) & ~np.isnan(rows)  # nothing is lost by the others
    in_row, of_group = np.nonzero(unusual @ _MEMBERS)
    ablated = np.where(_MEMBERS.T[of_group], usual[in_row], rows[in_row])
    scores = log_odds(np.concatenate((rows, ablated)))
    own = scores[: len(rows)]
    lost = np.zeros((len(rows), len(_GROUPS)))
    lost[in_row, of_group] = own[in_row] - scores[len(rows) :]
    strongest = np.argsort(-lost, axis=1, kind="stable")[:, :MAX_REASONS].tolist()
    told = [
        (at, group, [column for column in _GROUPS[group] if unusual[at, column]])
        for at, groups in enumerate(strongest)
        for group in groups
        if lost[at, group] > MIN_CONTRIBUTION
    ]
    singles = [(at, column) for at, _, columns in told for column in columns if len(columns) > 1]
    each = _lost_singly(log_odds, rows, usual, own, singles)
    found: list[list[Reason]] = [[] for _ in rows]
    for at, group, columns in told:
        column = _main(_GROUPS[group], columns, at, each)
        value = float(rows[at, column])
        name = FEATURE_NAMES[column]
        found[at].append(
            Reason(name, None if np.isnan(value) else value, float(lost[at, group]), phrase(name, value))
        )
    return [tuple(reasons) for reasons in found]


def _lost_singly(
    log_odds: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    rows: NDArray[np.float64],
    usual: NDArray[np.float64],
    own: NDArray[np.float64],
    singles: list[tuple[int, int]],
) -> dict[tuple[int, int], float]:
    if not singles:
        return {}
    at, column = np.array(singles).T
    ablated = rows[at]
    ablated[np.arange(len(singles)), column] = usual[at, column]
    return dict(zip(singles, (own[at] - log_odds(ablated)).tolist(), strict=True))


def _main(group: list[int], unusual: list[int], at: int, each: dict[tuple[int, int], float]) -> int:
    """The feature of a group that says most; where but one is unusual, that one."""
    if len(unusual) == 1:
        return unusual[0]
    return max(group, key=lambda column: each.get((at, column), 0.0))
