"""Word vectors: what 60,000 English words are used like, so that a word tells something that no edit learnt
from had in it.

The table is data of the GloVe project; `models/word_vectors.md` says whose, under which licence, and by which
command it was made. It holds no words: a hash of each, and its vector in steps of a fifteenth.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

WORDS = 60_000
DIMENSIONS = 100
LEVELS = 7
"""Steps to either side of nothing."""
HASH_MASK = (1 << 24) - 1
TABLE = Path(__file__).parent / "word_vectors.npz"


def word_hash(word: str) -> int:
    """Of a word in lower case."""
    return crc32(word.encode()) & HASH_MASK


@lru_cache(maxsize=1)
def _hashes() -> array[int]:
    with np.load(TABLE, allow_pickle=False) as table:
        return array("I", np.cumsum(table["gaps"], dtype=np.uint32).tobytes())


@lru_cache(maxsize=8_192)
def word_at(word: str) -> int:
    """Which vector is that of a word in lower case; -1: it has none."""
    hashes = _hashes()
    key = word_hash(word)
    at = bisect_left(hashes, key)
    return at if at < len(hashes) and hashes[at] == key else -1


def vectors() -> NDArray[np.float32]:
    """All of them, 24 MB; no component is above 1. Shape (words, dimensions). Read anew each time, as who
    scores needs but a weight of each word."""
    with np.load(TABLE, allow_pickle=False) as table:
        packed, scale = table["vectors"], float(table["scale"])
    found = np.empty((len(packed), 2 * packed.shape[1]), dtype=np.float32)
    found[:, 0::2] = packed >> 4
    found[:, 1::2] = packed & 15
    found -= LEVELS
    found *= scale
    return found
