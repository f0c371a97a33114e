"""The statements of a post or an answer: its sentences, each with where it stands in the text as written."""

from __future__ import annotations

import re
from itertools import islice

import msgspec

from streams.stages.sentences import split_sentences

MAX_READ = 16_000
"""Characters that are looked at: MAX_STATEMENTS of 250. A bound on work (5 ms for the worst of texts)."""
MAX_LINES = 1_000
MAX_STATEMENTS = 64
MAX_STATEMENT = 500
"""Characters of one; a longer sentence comes in pieces, cut between words where there is one to cut at."""

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_BULLET = re.compile(r"\s*(?:[-*+>•‣◦▪●·–—]+\s+|#{1,6}\s+|\d{1,2}[.)]\s+|\(\d{1,2}\)\s+)+")


class Statement(msgspec.Struct, frozen=True, gc=False):
    text: str
    """As written, untrusted: `source[start:end]`."""
    start: int
    end: int


def split_statements(text: str) -> list[Statement]:
    """In order, at most MAX_STATEMENTS, without bullets and surrounding white space. Pieces without a
    letter or digit are left out."""
    found: list[Statement] = []
    for line in islice(_LINE.finditer(text, 0, MAX_READ), MAX_LINES):
        bullet = _BULLET.match(line[0])
        position = line.start() + (bullet.end() if bullet else 0)
        for sentence in split_sentences(text[position : line.end()], MAX_STATEMENTS):
            start = text.find(sentence, position, line.end())
            position = start + len(sentence)
            for first, last in _pieces(text, start, position):
                if any(map(str.isalnum, text[first:last])):
                    found.append(Statement(text[first:last], first, last))
                    if len(found) == MAX_STATEMENTS:
                        return found
    return found


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """`start` to `end`, in parts of at most MAX_STATEMENT; at most MAX_STATEMENTS of them."""
    pieces: list[tuple[int, int]] = []
    while end - start > MAX_STATEMENT and len(pieces) < MAX_STATEMENTS:
        space = text.rfind(" ", start + MAX_STATEMENT // 2, start + MAX_STATEMENT)
        cut = space if space > 0 else start + MAX_STATEMENT
        pieces.append((start, cut))
        start = cut + 1 if space > 0 else cut
    if len(pieces) < MAX_STATEMENTS:
        pieces.append((start, end))
    return pieces
