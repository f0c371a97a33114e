"""Where a sentence ends, in any script, from the text alone: no model, no language asked for.

A boundary depends only on the few characters around it, so that an edit elsewhere in a paragraph
leaves the other sentences as they were. Thai, Lao, Khmer and Burmese mark no sentence ends; there a
space between two letters of the script ends a clause.
"""

from __future__ import annotations

import re

from streams.stages.word_tables import ABBREVIATIONS, MAY_END, NUMBERED, OPENERS

_UNMARKED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_END = re.compile(
    rf"(?=[.!?…。！？｡︒।॥؟۔።፧፨{_UNMARKED}])(?:"
    r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)"
    r"|(?<=[^\W\d_A-Z]{3})[.!?](?=[A-Z][^\W\d_])"  # "history.He": written in haste
    r"|[。！？｡︒]+[」』”’）]*"
    r"|[।॥؟۔።፧፨។៕៖]+\s*"
    rf"|[{_UNMARKED}] +(?=[{_UNMARKED}]))"
)


def split_sentences(line: str, limit: int = 400) -> list[str]:
    """The sentences of one plain line, stripped; the last one may lack its end. At most `limit`, the
    last then holding the rest."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(line):
        if len(found) >= limit - 1:
            break
        if line[match.start()] == "." and not ends_sentence(line, match.start(), match.end()):
            continue
        sentence = line[start : match.end()].strip()
        if sentence:
            found.append(sentence)
        start = match.end()
    rest = line[start:].strip()
    if rest:
        found.append(rest)
    return found


def ends_sentence(line: str, dot: int, end: int) -> bool:
    """Whether the point at `dot` (closing marks behind it up to `end`) ends a sentence: no abbreviation,
    initial or ordinal."""
    follow = line[end : end + 3].lstrip().lstrip("\"'“‘«([")[:1]
    if follow.islower():
        return False
    if line.startswith("...", dot):
        return True
    word_start = line.rfind(" ", max(0, dot - 20), dot) + 1
    word = line[word_start:dot].lstrip("\"'“‘«([")
    if not word:
        return True
    if len(word) == 1 and word.isalpha() and word not in "гв":
        return False
    folded = word.casefold()
    if folded in NUMBERED and follow.isdigit():
        return False
    if folded in ABBREVIATIONS:
        return folded in MAY_END and follow.isupper() and _starts_sentence(line, end)
    # "12. Februar", "3. Liga": an ordinal in the languages that write it so
    return not (word.isdigit() and len(word) <= 2 and follow.isalpha())


def _starts_sentence(line: str, end: int) -> bool:
    word = line[end : end + 16].split(maxsplit=1)[:1]
    return bool(word) and word[0].casefold() in OPENERS
