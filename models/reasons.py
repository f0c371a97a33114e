"""Why a score is what it is, by ablation: what the log-odds lose when a feature is set to its usual value."""

from __future__ import annotations

from collections.abc import Callable
from math import expm1

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES
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
    ("size_change", "size_ratio", "removed_characters", "removed_words", "removed_share", "net_removed",
     "whole_lines_removed", "delete_only"),
    ("page_same_performer",),
    ("page_reverted_share", "page_reverts_share", "page_last_was_revert"),
    ("page_last_reverted", "page_last_reverted_same", "page_own_recent", "page_own_reverted"),
    ("page_protected",),
    ("restores_back", "restores_reverted"),
    ("performer_edits", "performer_since_last"),
    ("performer_reverted", "performer_reverted_share"),
    ("network_edits", "network_reverted_share"),
    ("spans", "hunks"),
    ("added_words", "added_characters", "added_share", "insert_only", "net_added", "whole_lines_added",
     "line_breaks_added"),
    ("position", "position_characters", "in_lead", "at_page_start", "at_page_end"),
    ("reference_change", "template_change", "link_change", "external_link_change", "heading_change",
     "table_change", "emphasis_change", "html_change", "media_change", "markup_imbalance"),
    ("numbers_added", "numbers_removed", "number_swaps", "number_jump"),
    ("word_swaps", "name_swaps", "swap_only"),
    ("changed_in_link", "changed_in_template", "changed_in_reference"),
    ("added_uppercase", "added_capitalized", "starts_lower"),
    ("added_digits", "added_signs", "added_exclaims"),
    ("longest_run", "longest_word", "word_repetition", "compression", "gibberish"),
    ("new_share", "new_words", "surprise_mean", "surprise_max", "never_seen_share"),
    ("removed_surprise_mean", "vanished_share"),
    ("thrown_max", "thrown_mean", "thrown_share", "thrown_against_life"),
    ("life_min", "life_mean", "life_max", "life_time_mean"),
    ("removed_age_min", "removed_age_mean", "removed_age_max", "removed_time_mean", "removed_time_min",
     "age_difference", "time_difference", "removed_thrown_share"),
    ("moved_share",),
    ("text_score",),
)  # fmt: skip
"""Features that say one thing are set to their usual values together."""

PHRASES: dict[str, str] = {
    "anonymous": "the editor is not logged in",
    "temporary": "the editor uses a temporary account",
    "minor": "how the edit is marked (minor)",
    "bot": "how the edit is marked (bot)",
    "new_page": "the edit makes a new page",
    "comment_empty": "there is no edit summary",
    "comment_section_only": "the edit summary names only a section",
    "comment_length": "the edit summary has {n} characters of its own",
    "comment_links": "the edit summary has {v} links",
    "comment_capitals": "the edit summary is in capitals",
    "size_change": "the page changes by {s} bytes",
    "size_ratio": "the page becomes {v} times as long",
    "removed_characters": "{n} characters are removed",
    "removed_words": "{n} words are removed",
    "removed_share": "{p} of the page is removed",
    "net_removed": "{n} different words are removed",
    "whole_lines_removed": "{n} whole lines are removed",
    "delete_only": "text is only removed",
    "page_same_performer": "whether the same editor made the last edit",
    "page_reverted_share": "{p} of the page's latest edits were reverted",
    "page_reverts_share": "{p} of the page's latest edits are reverts",
    "page_last_was_revert": "the edit before is a revert",
    "page_last_reverted": "the edit before was reverted",
    "page_last_reverted_same": "this editor's edit just before was reverted",
    "page_own_recent": "this editor made {v} of the page's latest edits",
    "page_own_reverted": "{v} of this editor's latest edits here were reverted",
    "page_protected": "the page's protection",
    "restores_back": "the text is one that stood here {v} revisions ago",
    "restores_reverted": "it restores a text that was reverted",
    "performer_edits": "the editor is known by {v} earlier edits",
    "performer_since_last": "the editor's last edit was {t} before",
    "performer_reverted": "{v} of the editor's latest edits were reverted",
    "performer_reverted_share": "{p} of the editor's latest edits were reverted",
    "network_edits": "{v} earlier edits came from this network",
    "network_reverted_share": "{p} of the edits from this network were reverted",
    "spans": "{n} places are changed",
    "hunks": "{n} runs of lines are changed",
    "added_words": "{n} words are added",
    "added_characters": "{n} characters are added",
    "added_share": "what is added is {p} of the page",
    "insert_only": "text is only added",
    "net_added": "{n} different words are added",
    "whole_lines_added": "{n} whole lines are added",
    "line_breaks_added": "line breaks are added or removed",
    "position": "where on the page the change is ({p} down)",
    "position_characters": "where on the page the change is ({p} down)",
    "in_lead": "whether the change is in the lead section",
    "at_page_start": "whether the change is at the very top",
    "at_page_end": "whether the change is at the very end",
    "reference_change": "references change by {s}",
    "template_change": "templates change by {s}",
    "link_change": "links change by {s}",
    "external_link_change": "external links change by {s}",
    "heading_change": "heading marks change by {s}",
    "table_change": "table markup changes by {s}",
    "emphasis_change": "bold and italic marks change by {s}",
    "html_change": "tags change by {s}",
    "media_change": "media files change by {s}",
    "markup_imbalance": "{n} brackets are left open or loose",
    "numbers_added": "{n} numbers are added",
    "numbers_removed": "{n} numbers are removed",
    "number_swaps": "{n} numbers are changed",
    "number_jump": "a number is changed by {v} orders of magnitude",
    "word_swaps": "{n} words or phrases are exchanged",
    "name_swaps": "{n} names are exchanged",
    "swap_only": "values are exchanged and nothing else is changed",
    "changed_in_link": "{p} of the changes are inside links",
    "changed_in_template": "{p} of the changes are inside templates",
    "changed_in_reference": "{p} of the changes are inside references",
    "added_uppercase": "{p} of the added letters are capitals",
    "added_capitalized": "{p} of the added words are capitalized",
    "starts_lower": "whether the added text begins in lower case",
    "added_digits": "{p} of what is added are digits",
    "added_signs": "{p} of what is added are signs, not letters",
    "added_exclaims": "{n} exclamation or question marks are added",
    "longest_run": "a sign is repeated {v} times in a row",
    "longest_word": "the longest added word has {v} letters",
    "word_repetition": "{p} of the added words repeat others",
    "compression": "how repetitive the added text is",
    "gibberish": "{p} of the new words' letter sequences are foreign to the page",
    "new_share": "{p} of the added words are new to the page",
    "new_words": "{n} added words are new to the page",
    "surprise_mean": "the added words are unusual for this page",
    "surprise_max": "an added word is unusual for this page",
    "never_seen_share": "{p} of the added words never stood on this page",
    "removed_surprise_mean": "how usual the removed words are on this page",
    "vanished_share": "{p} of the removed words vanish from the page",
    "thrown_max": "an added word was thrown out by reverts {n} times here",
    "thrown_mean": "the added words were thrown out by reverts {n} times here on average",
    "thrown_share": "{p} of the added words were thrown out by reverts here before",
    "thrown_against_life": "an added word was thrown out by reverts rather than lived here",
    "life_min": "an added word lived here only {n} revisions before",
    "life_mean": "the added words lived here {n} revisions on average",
    "life_max": "the longest-lived added word lived here {n} revisions",
    "life_time_mean": "the added words lived here {t} on average",
    "removed_age_min": "the youngest removed word had stood for {n} revisions",
    "removed_age_mean": "the removed words had stood for {n} revisions on average",
    "removed_age_max": "a removed word had stood for {n} revisions",
    "removed_time_mean": "the removed words had stood for {t} on average",
    "removed_time_min": "the youngest removed word had stood for {t}",
    "age_difference": "words that stood long give way to words that did not",
    "time_difference": "words that stood long give way to words that did not",
    "removed_thrown_share": "{p} of the removed words were thrown out by reverts before",
    "moved_share": "{p} of the text is only moved",
    "text_score": "the changed words resemble those of reverted edits",
}
"""One a feature. {n}: a count kept as log1p; {s}: the same with a sign; {p}: a share; {t}: log1p of
seconds; {v}: as it is."""

#: Where "0 of them" reads badly.
NONE_OF_IT = {
    "comment_length": "there is no edit summary",
    "performer_edits": "the editor was not seen before",
    "network_edits": "nobody from this network was seen before",
}

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


def phrase(name: str, value: float) -> str:
    """The feature in words."""
    if np.isnan(value):
        return PHRASES[name].format(n="?", s="?", p="?", t="?", v="?")
    if value == 0.0 and name in NONE_OF_IT:
        return NONE_OF_IT[name]
    count = round(expm1(min(abs(value), 40.0)))
    return PHRASES[name].format(
        n=count,
        s=f"{'+' if value >= 0 else '-'}{count}",
        p=f"{100 * value:.0f} %",
        t=_duration(expm1(min(max(value, 0.0), 30.0))),
        v=f"{value:.3g}",
    )


def _duration(seconds: float) -> str:
    for unit, size in (
        ("years", 31_557_600.0),
        ("days", 86_400.0),
        ("hours", 3_600.0),
        ("minutes", 60.0),
    ):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
