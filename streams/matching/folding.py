"""A text as it is compared: one form for what looks or means the same to a reader.

Folded are case and compatibility forms (NFKC), look-alike letters, invisible and control characters,
stray accents, quotes and dashes, foreign digits, HTML that slipped in, and `#HashTags` into words.
Only for comparing: what is shown stays as it was written. Accents that belong to a letter stay.
"""

from __future__ import annotations

import html
import re
import unicodedata

from streams.matching.lookalikes import unmask
from streams.stages.values import DIGITS

MAX_READ = 8_000
"""Characters of a text that are looked at: a bound on work (3 ms). What stands behind is not compared."""
_NORMALIZED_AT_ONCE = 512
"""Characters: NFKC makes up to 18 of one, and takes the square of a run of combining marks."""

_DROPPED = "".join(map(chr, (*range(0x09), *range(0x0E, 0x20), 0x7F)))
_ASCII = str.maketrans(
    {**{chr(code): chr(code).lower() for code in range(0x80)}, **dict.fromkeys(_DROPPED), "_": " "}
)
_TAG = re.compile(
    r"<(/?)(br|p|div|li|ul|ol|tr|td|h[1-6]|blockquote)?(?(2)\b|[a-zA-Z!])[^<>]{0,500}>", re.I
)
_ADDRESS = re.compile(r"(?:https?://|www\.|pic\.twitter\.com/)\S+", re.I)
_MARKED = re.compile(r"[#@＃]\w+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Control, format, bidirectional, zero-width and variation characters, fillers, tatweel, lone surrogates."""
_STRAY_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u20d0-\u20f0]+"
)
"""Marks that no letter takes in: stacked on for effect, or vowel points that most leave out."""
_GROUPING_SPACE = re.compile("[\u00a0\u2009\u202f](?<=\\d.)(?=\\d{3}(?!\\d))")
_DIGIT = re.compile(f"[{''.join(chr(code) for code in DIGITS if code < 0x10000)}]")
_PUNCTUATION = str.maketrans(
    dict.fromkeys("‘’‚‛′‹›ʼʹ`´", "'")
    | dict.fromkeys("“”„‟″«»「」『』", '"')
    | dict.fromkeys("‐‑‒–—―−﹘﹣", "-")
)
_USUAL_PUNCTUATION = (
    ("’", "'"),
    ("“", '"'),
    ("”", '"'),
    ("–", "-"),
    ("—", "-"),
    ("…", "..."),
    ("‘", "'"),
)
"""What keyboards put in unasked: most texts with it are ASCII otherwise."""
_IS_PUNCTUATION = re.compile(f"[{''.join(map(chr, _PUNCTUATION))}]")
_ODD = re.compile(
    f"[{_INVISIBLE.pattern[1:-2]}{_STRAY_MARKS.pattern[1:-2]}{_IS_PUNCTUATION.pattern[1:-1]}"
    f"{_DIGIT.pattern[1:-1]}\u00a0\u2009\u202f]"
)
"""All that is taken out or replaced below, in one look: most texts have none of it."""


def fold(text: str) -> str:
    """Bounded in time for any text: of one longer than MAX_READ characters only these are folded.
    Folding twice changes nothing that matters to `post_words`."""
    if len(text) > MAX_READ:
        text = text[:MAX_READ]
    if "<" in text or "&" in text:
        text = _without_markup(text)
    if "://" in text or "www." in text or "pic.twitter" in text:
        text = _ADDRESS.sub(" ", text)
    if "#" in text or "@" in text or "＃" in text:
        text = _MARKED.sub(_split_humps, text)
    if not text.isascii():
        for written, plain in _USUAL_PUNCTUATION:
            text = text.replace(written, plain)
    if text.isascii():
        return text.translate(_ASCII)
    if not _ODD.search(text) and unicodedata.is_normalized("NFKC", text):
        return unmask(text).casefold()[:MAX_READ].replace("_", " ")
    text = _INVISIBLE.sub("", _GROUPING_SPACE.sub("", text))
    if not unicodedata.is_normalized("NFKC", text):
        text = _normalized(text)
    text = unmask(_STRAY_MARKS.sub("", text)).casefold()
    if _IS_PUNCTUATION.search(text):
        text = text.translate(_PUNCTUATION)
    if _DIGIT.search(text):
        text = text.translate(DIGITS)
    return text[:MAX_READ].replace("_", " ")


def _normalized(text: str) -> str:
    """NFKC of as much as MAX_READ characters have room for, piece by piece."""
    parts: list[str] = []
    room = MAX_READ
    start = 0
    while start < len(text) and room > 0:
        space = text.rfind(" ", start + 1, start + _NORMALIZED_AT_ONCE)
        end = space if space > 0 else start + _NORMALIZED_AT_ONCE
        parts.append(unicodedata.normalize("NFKC", text[start:end])[:room])
        room -= len(parts[-1])
        start = end
    return "".join(parts)


def _without_markup(text: str) -> str:
    """Tags go (those of blocks leave a space), entities become what they stand for."""
    if "<" in text:
        text = _TAG.sub(lambda tag: " " if tag[2] else "", text)
    return html.unescape(text) if "&" in text else text


def _split_humps(marked: re.Match[str]) -> str:
    """`#AbrahamLincoln` -> `# Abraham Lincoln`"""
    return " " + _HUMP.sub(" ", marked[0][1:]) + " "
