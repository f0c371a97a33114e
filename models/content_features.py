"""Features of the changed text itself, of its markup and of its shape: of no one language."""

from __future__ import annotations

import re
import zlib
from math import log1p, log10, nan

from rapidfuzz.distance import Levenshtein

from streams.stages.diff import Span, TextDelta
from streams.stages.word_tables import CATEGORIES

MARKERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("reference", ("<ref",)),
    ("template", ("{{",)),
    ("link", ("[[",)),
    ("external_link", ("://",)),
    ("heading", ("==",)),
    ("table", ("{|", "|-", "||")),
    ("emphasis", ("''",)),
    ("html", ("<",)),
    ("media", (".jpg", ".png", ".svg", ".gif", ".JPG")),
    ("namespace_link", ("[[Category:", "[[File:", "[[Image:")),
)
"""What is counted, and by which strings. `namespace_link` counts any `[[word:` besides these."""

CONTENT_NAMES: tuple[str, ...] = (
    "spans",
    "hunks",
    "added_words",
    "removed_words",
    "added_characters",
    "removed_characters",
    "added_share",
    "removed_share",
    "insert_only",
    "delete_only",
    "position",
    "position_characters",
    "in_lead",
    "at_page_start",
    "at_page_end",
    *(f"{name}_change" for name, _ in MARKERS if name != "namespace_link"),
    "markup_imbalance",
    "numbers_added",
    "numbers_removed",
    "number_swaps",
    "number_jump",
    "word_swaps",
    "name_swaps",
    "swap_only",
    "swap_likeness",
    "swap_put_in",
    "changed_in_link",
    "changed_in_template",
    "changed_in_reference",
    "added_uppercase",
    "added_capitalized",
    "added_digits",
    "added_signs",
    "added_exclaims",
    "longest_run",
    "longest_word",
    "word_repetition",
    "compression",
    "starts_lower",
    "line_breaks_added",
    "whole_lines_added",
    "whole_lines_removed",
    "moved_share",
    "quoted",
    "glued",
    "odd_capitals",
    "context_compression",
    "category_change",
    "domains_added",
    "new_domains",
)

MIN_PLACED = 1_500
"""Characters of a page below which it has no top, middle and end to speak of."""
MAX_SHAPE = 2_000
"""Characters of added text whose shape is looked at."""
MAX_MARKUP = 20_000
"""Characters in which markup is counted."""
MAX_SHAPE_WORDS = 150
MAX_LETTERS = 400
MAX_PLACES = 24
"""Changed places that are looked at one by one."""
MAX_PLACE = 1_000
_COUNTED = MARKERS[:-1]
_RUN = re.compile(r"(.)\1{2,}", re.DOTALL)
_SEPARATORS = ".,'’\u00a0\u202f٬٫"
_BEGUN_NUMBER = re.compile(rf"\d[\d{_SEPARATORS}]{{0,30}}$")
_NUMBER = re.compile(r"\d+")
_QUOTED = re.compile('["“”«»„]([^"“”«»„\n]{1,400})["“”«»„]')
_DOMAIN = re.compile(r"://(?:www\.)?([^/\s\]|<>\"]{3,60})")
_CATEGORY = re.compile(r"\[\[\s*([^\]\[|:\n]{3,30}):", re.I)
CONTEXT_LINES = 8
MAX_CONTEXT = 8_000


def content_features(delta: TextDelta) -> list[float]:
    """In the order of `CONTENT_NAMES`."""
    spans = delta.spans
    added_text = "\n".join([span.after for span in spans if span.after])
    removed_text = "\n".join([span.before for span in spans if span.before])
    row = _amounts(delta, added_text, removed_text)
    row += _positions(delta)
    row += _markup(added_text[:MAX_MARKUP], removed_text[:MAX_MARKUP])
    row += _swaps(spans)
    row += _shape(delta, added_text[:MAX_SHAPE])
    whole_added = whole_removed = 0
    for hunk in delta.hunks:
        if not hunk.before:
            whole_added += len(hunk.after)
        elif not hunk.after:
            whole_removed += len(hunk.before)
    added, net_added = len(delta.added_words), len(delta.gained)
    row += (
        log1p(added_text.count("\n")) - log1p(removed_text.count("\n")),
        log1p(whole_added),
        log1p(whole_removed),
        1.0 - min(net_added / added, 1.0) if added else nan,
    )
    row += _setting(delta, added_text[:MAX_SHAPE])
    row += _links(delta, added_text[:MAX_MARKUP], removed_text[:MAX_MARKUP])
    return row


def _amounts(delta: TextDelta, added_text: str, removed_text: str) -> list[float]:
    added, removed = len(added_text), len(removed_text)
    size = delta.before_chars + 200
    return [
        log1p(len(delta.spans)),
        log1p(len(delta.hunks)),
        log1p(len(delta.added_words)),
        log1p(len(delta.removed_words)),
        log1p(added),
        log1p(removed),
        min(added / size, 4.0),
        removed / size,
        1.0 if added and not removed else 0.0,
        1.0 if removed and not added else 0.0,
    ]


def _positions(delta: TextDelta) -> list[float]:
    if not delta.hunks:
        return [nan] * 5
    first = delta.hunks[0]
    lines = delta.after_lines
    start = first.after_start
    size = delta.after_chars + 1
    if size < MIN_PLACED:
        return [nan] * 5
    in_lead = 1.0
    for line in lines[:start]:
        if line.startswith("=="):
            in_lead = 0.0
            break
    last = delta.hunks[-1]
    return [
        start / len(lines),
        sum(map(len, lines[:start])) / size,
        in_lead,
        1.0 if start == 0 else 0.0,
        1.0 if last.after_start + len(last.after) >= len(lines) else 0.0,
    ]


def _markup(added: str, removed: str) -> list[float]:
    row = []
    for _, strings in _COUNTED:
        change = 0
        for string in strings:
            change += added.count(string) - removed.count(string)
        row.append(log1p(change) if change >= 0 else -log1p(-change))
    opened = added.count("[") - removed.count("[") + removed.count("]") - added.count("]")
    braces = added.count("{") - removed.count("{") + removed.count("}") - added.count("}")
    row.append(log1p(abs(opened) + abs(braces)))
    return row


def _magnitude(place: str) -> float:
    """Decimal logarithm of the number that a place's digits make, separators dropped; at most 12."""
    digits = "".join(character for character in place[:40] if character.isdecimal())
    return min(log10(int(digits) + 1), 12.0) if digits else 0.0


def _swaps(spans: tuple[Span, ...]) -> list[float]:
    numbers_in = numbers_out = number_swaps = word_swaps = name_swaps = 0
    in_link = in_template = in_reference = put_in = 0
    jump = nan
    likeness = 0.0
    for span in spans[:MAX_PLACES]:
        before, after = span.before[:MAX_PLACE].strip(), span.after[:MAX_PLACE].strip()
        left = span.left
        if left:
            if left.rfind("[[") > left.rfind("]]"):
                in_link += 1
            if left.rfind("{{") > left.rfind("}}"):
                in_template += 1
            if left.rfind("<ref") > left.rfind("</ref"):
                in_reference += 1
            begun = _BEGUN_NUMBER.search(left)
            if begun and (before or after).lstrip(_SEPARATORS)[:1].isdecimal():
                # Only the end of a number was changed: 420,000 -> 420,000,000.
                before, after = begun[0] + before, begun[0] + after
        digits_before = len(_NUMBER.findall(before)) if before else 0
        digits_after = len(_NUMBER.findall(after)) if after else 0
        numbers_in += digits_after
        numbers_out += digits_before
        if not before or not after:
            continue
        if digits_before and digits_after:
            number_swaps += 1
            step = abs(_magnitude(after) - _magnitude(before))
            jump = step if jump != jump or step > jump else jump
        elif len(before) < 40 and len(after) < 40:
            word_swaps += 1
            if before[0].isupper() and after[0].isupper():
                name_swaps += 1
            old, new = before.lower(), after.lower()
            likeness += Levenshtein.normalized_similarity(old, new)
            put_in += old != new and old in new
    places = min(len(spans), MAX_PLACES)
    return [
        log1p(numbers_in),
        log1p(numbers_out),
        log1p(number_swaps),
        jump,
        log1p(word_swaps),
        log1p(name_swaps),
        1.0 if places and number_swaps + word_swaps == places else 0.0,
        likeness / word_swaps if word_swaps else nan,
        put_in / word_swaps if word_swaps else nan,
        in_link / places if places else nan,
        in_template / places if places else nan,
        in_reference / places if places else nan,
    ]


def _shape(delta: TextDelta, text: str) -> list[float]:
    words = delta.added_words[:MAX_SHAPE_WORDS]
    if not text or not text.strip():
        return [nan] * 10
    joined = "".join(words)
    letters = len(joined) or 1
    lower = joined.lower()
    upper = sum(map(str.isupper, joined[:MAX_LETTERS])) if lower != joined else 0
    capitalized = sum([word[0].isupper() for word in words])
    squeezed = text.strip()
    run = max([len(found[0]) for found in _RUN.finditer(squeezed)], default=1)
    raw = squeezed[:1_000].encode()
    first = squeezed[0]
    return [
        upper / min(letters, MAX_LETTERS),
        capitalized / len(words) if words else nan,
        sum(map(len, _NUMBER.findall(joined))) / letters,
        1.0 - min(len(joined) / (len(squeezed) - squeezed.count(" ") or 1), 1.0),
        log1p(text.count("!") + text.count("?")),
        float(min(run, 12)),
        float(min(max(map(len, words)), 40)) if words else 0.0,
        1.0 - len(set(map(str.lower, words))) / len(words) if words else nan,
        len(zlib.compress(raw, 1)) / (len(raw) + 12) if len(raw) > 12 else nan,
        1.0 if first.islower() else 0.0,
    ]


def _setting(delta: TextDelta, text: str) -> list[float]:
    """How the added text sits in what stood there."""
    if not text or not text.strip():
        return [nan] * 4
    quoted = sum(map(len, _QUOTED.findall(text))) / len(text)
    glued = 0.0
    for span in delta.spans[:MAX_PLACES]:
        first = span.after[:1]
        if not span.after.strip():
            continue
        last = span.left[-1:]
        if last and ((last.isalnum() and first.isalnum()) or (last in ".," and first.isalpha())):
            glued = 1.0
        break
    words = delta.added_words[:MAX_SHAPE_WORDS]
    odd = [word for word in words if word not in (word.lower(), word.upper()) and not word[1:].islower()]
    return [quoted, glued, len(odd) / max(len(words), 1), _context_compression(delta, text)]


def _context_compression(delta: TextDelta, text: str) -> float:
    """Bytes the added text takes for who has read the lines around it, by byte."""
    raw = text.encode()[:1_000]
    if len(raw) <= 12 or not delta.hunks:
        return nan
    hunk = delta.hunks[0]
    start = max(0, hunk.before_start - CONTEXT_LINES)
    around = "\n".join(delta.before_lines[start : hunk.before_start + len(hunk.before) + CONTEXT_LINES])
    known = around[:MAX_CONTEXT].encode()
    packer = (
        zlib.compressobj(1, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, known)
        if known
        else zlib.compressobj(1, zlib.DEFLATED, -15)
    )
    return (len(packer.compress(raw)) + len(packer.flush())) / (len(raw) + 12)


def _links(delta: TextDelta, added: str, removed: str) -> list[float]:
    """Categories by their names, domains linked to and those of them that are new to the page."""
    categories = 0
    for text, sign in ((added, 1), (removed, -1)):
        if "[[" in text:
            names = [name.strip().casefold() for name in _CATEGORY.findall(text)]
            categories += sign * sum([name in CATEGORIES for name in names])
    if "://" not in added:
        return [float(categories), 0.0, 0.0]
    domains = set(_DOMAIN.findall(added)) - set(_DOMAIN.findall(removed))
    new = [name for name in domains if not any(name in line for line in delta.before_lines)]
    return [float(categories), float(len(domains)), float(len(new))]
