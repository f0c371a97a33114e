"""Make the table of usual words anew, from the data of wordfreq 3.1.1, which is needed for this alone.

    pip install wordfreq==3.1.1
    python -m models.make_usual_words

No part of training, which reads the table as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from math import log10

import numpy as np
from numpy.typing import NDArray

from models.usual_words import LANGUAGES, STEPS, TABLE, WORDS, word_hash
from streams.stages.tokens import words


def rarities_of(frequencies: Mapping[str, float], count: int = WORDS) -> dict[int, int]:
    """Rarity by hash, of the `count` most frequent words as `words` cuts them. Of words with one hash, the
    more frequent one's."""
    most: dict[str, float] = {}
    for written, frequency in frequencies.items():
        for word in words(written.lower()):
            if len(word) > 1 and not word[0].isdigit():
                most[word] = max(most.get(word, 0.0), frequency)
    found: dict[int, int] = {}
    for word, frequency in sorted(most.items(), key=lambda item: (-item[1], item[0])):
        found.setdefault(word_hash(word), int(-log10(frequency) * STEPS))
        if len(found) == count:
            break
    return found


def packed(found: Mapping[int, int]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Ascending hashes as the gaps between them, and the rarity of each."""
    hashes = np.array(sorted(found), dtype=np.int64)
    gaps = np.diff(hashes, prepend=0)
    assert gaps.max() < 1 << 16, "ten thousand hashes of 24 bits lie closer than that"
    return gaps.astype(np.uint16), np.array([found[one] for one in hashes.tolist()], dtype=np.uint8)


def main(arguments: Sequence[str] = ()) -> int:
    frequencies_of = import_module("wordfreq").get_frequency_dict
    tables = [packed(rarities_of(frequencies_of(language, "small"))) for language in LANGUAGES]
    np.savez_compressed(
        TABLE,
        gaps=np.stack([gaps for gaps, _ in tables]),
        rarities=np.stack([rarities for _, rarities in tables]),
    )
    sys.stdout.write(f"{TABLE}: {len(LANGUAGES)} languages, {TABLE.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
