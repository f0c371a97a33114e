"""How people repeat a statement, by rule: shortened, turned round, retyped, dressed up. Seeded.

A rewriting keeps `kept`, the words that make the statement what it is, or gives None.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

OPENINGS = (
    "Did you know that {}", "TIL {}", "Fun fact: {}", "So apparently {}", "According to Wikipedia, {}",
    "BREAKING: {}", "Wow. {}", "Reading about this today: {}", "My teacher says {}", "RT @someone: {}",
    "history lesson for you all: {}", "I had no idea that {}", "As it turns out, {}", "“{}”", "{} (source: Wikipedia)",
)  # fmt: skip
ENDINGS = (
    " lol",
    " 🤯",
    " … who knew",
    " #history",
    " #TIL #facts",
    " smh",
    " Interesting!",
    " via @someone",
)
LINKS = (" https://t.co/a1B2c3D4e5", " http://bit.ly/2xYz", " https://example.org/a?b=1809&c=2")
_SYNONYMS = (
    ("which", "that"), ("because", "since"), ("although", "though"), ("however", "but"), ("many", "lots of"),
    ("began", "started"), ("approximately", "about"), ("such as", "like"), ("within", "in"), ("while", "as"),
    ("often", "frequently"), ("is a", "is one"), ("upon", "on"), ("also", "as well"), ("used by", "that was used by"),
    ("the", "this"), ("were", "are"), ("was", "is"), ("he", "the man"), ("during", "in"),
)  # fmt: skip
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_MONTH = "|".join(_MONTHS)
_US_DATE = re.compile(rf"\b({_MONTH}) (\d{{1,2}}),? (\d{{4}})\b")
_EU_DATE = re.compile(rf"\b(\d{{1,2}}) ({_MONTH}),? (\d{{4}})\b")
_WORD_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
                 "twelve")  # fmt: skip
_ORDINAL_WORDS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "16th": "sixteenth",
                  "12th": "twelfth", "13th": "thirteenth", "19th": "nineteenth"}  # fmt: skip
_PLAIN_NUMBER = re.compile(r"(?<![\w.,/$-])(\d{1,7})(?![\w.,/-]*\d)(st|nd|rd|th)?\b")
_MONTH_BEFORE = re.compile(rf"(?:{_MONTH})\s$")
_GROUPED = re.compile(r"\b\d{1,3}(?:,\d{3})+\b")
_BRACKETS = re.compile(r"\s*\([^()]*\)")

Rewriting = Callable[[str, str, random.Random], str | None]


def _has(text: str | None, kept: str) -> str | None:
    return text if text is not None and kept in text and len(text.split()) >= 4 else None


def turned_round(text: str, kept: str, rng: random.Random) -> str | None:
    clauses = re.split(r",\s+", text.rstrip(". "))
    if len(clauses) < 2:
        return None
    at = rng.randrange(1, len(clauses))
    return _has(", ".join(clauses[at:] + clauses[:at]), kept)


def parts_dropped(text: str, kept: str, rng: random.Random) -> str | None:
    without = _BRACKETS.sub("", text)
    if without != text and kept in without:
        return _has(without, kept)
    clauses = re.split(r"(?<=,)\s+", text)
    droppable = [at for at, clause in enumerate(clauses) if kept not in clause]
    if len(clauses) < 2 or not droppable:
        return None
    del clauses[rng.choice(droppable)]
    return _has(" ".join(clauses).rstrip(","), kept)


def shortened(text: str, kept: str, rng: random.Random) -> str | None:
    """A window of words around what is kept, as a tweet has room for."""
    start = text.find(kept)
    if start < 0 or len(kept) > 150:
        return None
    head, tail = text[:start].split(), text[start + len(kept) :].split()
    left, right = rng.randint(3, 9), rng.randint(2, 9)
    cut = " ".join([*head[-left:], *kept.split(), *tail[:right]])
    return _has(cut + rng.choice(("", "…", "...", ".")), " ".join(kept.split()))


def words_dropped(text: str, kept: str, rng: random.Random) -> str | None:
    start = text.find(kept)
    if start < 0:
        return None
    end = start + len(kept)

    def thin(part: str) -> str:
        return " ".join(word for word in part.split() if len(word) > 3 or rng.random() > 0.4)

    return _has(f"{thin(text[:start])} {kept.strip()} {thin(text[end:])}".strip(), kept.strip())


def synonyms(text: str, kept: str, rng: random.Random) -> str | None:
    changed = text
    for old, new in rng.sample(_SYNONYMS, 8):
        changed = re.sub(rf"\b{old}\b", new, changed, count=1)
    return _has(changed, kept) if changed != text else None


def numbers_otherwise(text: str, kept: str, rng: random.Random) -> str | None:
    """1809 as 1,809, 3 as three, 16th as sixteenth; also in what is kept: it is the same value."""

    def other(match: re.Match[str]) -> str:
        digits, ordinal = match[1], match[2]
        if _MONTH_BEFORE.search(text, max(0, match.start() - 10), match.start()):
            return match[0]
        if ordinal:
            return _ORDINAL_WORDS.get(match[0], match[0])
        if int(digits) <= 12 and not digits.startswith("0"):
            return _WORD_NUMBERS[int(digits)] if digits != "1" else digits
        return f"{int(digits):,}" if len(digits) >= 4 and not digits.startswith("0") else digits

    changed = _GROUPED.sub(lambda match: match[0].replace(",", ""), text)
    changed = changed if changed != text else _PLAIN_NUMBER.sub(other, text)
    return changed if changed != text else None


def dates_otherwise(text: str, kept: str, rng: random.Random) -> str | None:
    short = rng.random() < 0.5

    def month(name: str) -> str:
        return name[:3] if short else name

    changed = _US_DATE.sub(lambda match: f"{match[2]} {month(match[1])} {match[3]}", text)
    if changed == text:
        changed = _EU_DATE.sub(lambda match: f"{month(match[2])} {match[1]}, {match[3]}", text)
    return changed if changed != text else None


def lower_case(text: str, kept: str, rng: random.Random) -> str | None:
    return text.lower()


def upper_case(text: str, kept: str, rng: random.Random) -> str | None:
    return text.upper()


def mistyped(text: str, kept: str, rng: random.Random) -> str | None:
    """One or two slips in longer words that are not kept."""
    words = text.split()
    fixed = set(kept.split())
    open_to = [
        at for at, word in enumerate(words) if len(word) > 4 and word.isalpha() and word not in fixed
    ]
    if not open_to:
        return None
    for at in rng.sample(open_to, min(len(open_to), rng.randint(1, 2))):
        word = words[at]
        place = rng.randrange(1, len(word) - 1)
        slip = rng.randrange(3)
        words[at] = (
            word[:place] + word[place + 1 :]
            if slip == 0
            else word[:place] + word[place] + word[place:]
            if slip == 1
            else word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        )
    return " ".join(words)


def tagged(text: str, kept: str, rng: random.Random) -> str | None:
    words = text.split()
    open_to = [at for at, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    for at in rng.sample(open_to, min(2, len(open_to))):
        words[at] = "#" + words[at]
    return " ".join(words)


def opened(text: str, kept: str, rng: random.Random) -> str | None:
    return rng.choice(OPENINGS).format(text)


def ended(text: str, kept: str, rng: random.Random) -> str | None:
    return text + rng.choice(ENDINGS)


def linked(text: str, kept: str, rng: random.Random) -> str | None:
    return text + rng.choice(LINKS)


SHAPES: tuple[Rewriting, ...] = (turned_round, parts_dropped, shortened, words_dropped, synonyms)
VALUES: tuple[Rewriting, ...] = (numbers_otherwise, dates_otherwise)
DRESS: tuple[Rewriting, ...] = (opened, ended, linked, tagged)
LETTERS: tuple[Rewriting, ...] = (lower_case, upper_case, mistyped)


def paraphrase(text: str, kept: str, rng: random.Random) -> tuple[str, str]:
    """`text` told otherwise in one to four ways, and the names of those ways. Those that would lose
    what is kept are left out, so at times it is `text` itself."""
    told: list[str] = []
    for group, share in ((SHAPES, 0.8), (VALUES, 0.7), (LETTERS, 0.5), (DRESS, 0.6)):
        if rng.random() > share:
            continue
        ways = list(group)
        rng.shuffle(ways)
        for way in ways:
            changed = way(text, kept, rng)
            if changed is not None and changed != text:
                text = changed
                told.append(way.__name__)
                break
    return text, "+".join(told)
