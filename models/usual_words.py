"""How usual a word is in its language: frequencies of the 10,000 most frequent words of each, hashed.

The table is data of the wordfreq project; `models/usual_words.md` says whose, under which licence, and by
which command it was made. It holds no words: a hash of each, and how rare it is in steps of a quarter of a
power of ten.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np

LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fil", "fr", "he", "hi", "hu",
    "id", "is", "it", "lt", "lv", "mk", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sh", "sk", "sl", "sv",
    "ta", "tr", "uk", "ur", "vi",
)  # fmt: skip
"""As wordfreq calls them. Not those written without spaces, nor Korean, whose endings it cuts off."""
CALLED = {
    "simple": "en", "sco": "en", "no": "nb", "tl": "fil", "hr": "sh", "bs": "sh", "sr": "sh", "als": "de",
}  # fmt: skip
"""Wikis' languages that are read with a table of another name."""
WORDS = 10_000
"""Of each language."""
STEPS = 4
"""Of rarity in each power of ten."""
HASH_MASK = (1 << 24) - 1
TABLE = Path(__file__).parent / "usual_words.npz"


class UsualWords:
    """Of one language."""

    def __init__(self, hashes: array[int], rarities: bytes) -> None:
        """`hashes` in ascending order."""
        self._hashes = hashes
        self._rarities = rarities
        self.unknown = max(rarities) + STEPS // 2
        """Rarity taken of a word that is not in the table: half a power of ten beyond it."""
        share = [10.0 ** -((rarity + 0.5) / STEPS) for rarity in rarities]
        self.usual_unknown = max(1.0 - sum(share), 0.0)
        """Share of a text's words that are in no table of this size: of an inflected language, many."""
        self.usual_rarity = self.unknown * self.usual_unknown + sum(
            rarity * one for rarity, one in zip(rarities, share, strict=True)
        )
        """Mean over a text's words."""
        self.least = min(rarities)

    def rarity(self, word: str) -> int:
        """Steps below a word that is every word."""
        key = word_hash(word)
        at = bisect_left(self._hashes, key)
        if at < len(self._hashes) and self._hashes[at] == key:
            return self._rarities[at]
        return self.unknown


def word_hash(word: str) -> int:
    """Of the word as wordfreq folds it: ß is ss, and a last sigma is one."""
    return crc32(word.casefold().encode()) & HASH_MASK


@lru_cache(maxsize=len(LANGUAGES))
def _usual_words(language: str) -> UsualWords:
    at = LANGUAGES.index(language)
    with np.load(TABLE, allow_pickle=False) as table:
        gaps, rarities = table["gaps"][at], table["rarities"][at]
    return UsualWords(array("I", np.cumsum(gaps, dtype=np.uint32).tobytes()), rarities.tobytes())


def usual_words(language: str) -> UsualWords | None:
    """Of a wiki's language; None where there is no table of it."""
    called = CALLED.get(language, language)
    return _usual_words(called) if called in LANGUAGES else None
