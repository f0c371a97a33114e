"""What features and classifier cost, stage by stage: bare edits, pages of 2 to 8 KB, a history given.

    python -m tests.benchmarks.bench_features [--history FILE] [--edits N] [--json]

Asked: a bare edit 12 µs, a full-text edit 400 µs in the mean (difference, words, features), a page's
words written and read in 100 µs, reasons in 2 ms. Own texts, seeded; processor time. On a busy machine
the figures are too high: of `ROUNDS` rounds the fastest of each edit counts.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from models.classifier import load_classifier
from models.replay import edits_of
from streams.records import Edit
from streams.stages.diff import delta_of
from streams.state.page import PageView
from streams.state.performer import PerformerView
from streams.state.words import PackedWords, WordMemory
from tests.model.histories import edit_of, sentence

ROUNDS = 5
STAGES = ("difference", "words_stand_at", "row", "words_advance")
PAGE = PageView(5, 1e6, 100.0, False, 15, 3, 2, 5, False, False, 0, False, 1, 0, False)
PERFORMER = PerformerView(4, 1, 0.5, 1e4, 1e3, 5, 0.3)


def made_up(edits: int) -> list[Edit]:
    """A page of 2 to 8 KB: sentences come, go and change."""
    rng = random.Random(11)
    lines = [sentence(rng) for _ in range(30)]
    made: list[Edit] = []
    text: str | None = None
    for number in range(edits):
        if rng.random() < 0.5 and len("\n".join(lines)) < 8_000:
            lines.insert(rng.randrange(len(lines)), sentence(rng))
        elif rng.random() < 0.5 and len("\n".join(lines)) > 2_000:
            del lines[rng.randrange(len(lines))]
        else:
            at = rng.randrange(len(lines))
            words = lines[at].split(" ")
            words[rng.randrange(len(words))] = str(rng.randint(1, 2_000))
            lines[at] = " ".join(words)
        after = "\n".join(lines)
        parent = (number, text) if text is not None else None
        made.append(edit_of(number + 1, after, parent, "10.0.0.1", 1e9 + 600.0 * number))
        text = after
    return made


def measure(edits: Sequence[Edit]) -> tuple[dict[str, float], WordMemory, list[list[float]]]:
    classifier = load_classifier()
    clock = time.perf_counter
    best = np.full((len(edits), len(STAGES)), np.inf)
    words = WordMemory()
    rows: list[list[float]] = []
    for _ in range(ROUNDS):
        words, rows = WordMemory(), []
        for at, edit in enumerate(edits):
            content = edit.content
            assert content is not None
            start = clock()
            delta = delta_of(edit)
            compared = clock()
            words.stand_at(
                edit.parent_id, content.parent.text if content.parent else None, edit.event_time
            )
            stood = clock()
            rows.append(classifier.row(edit, delta, PAGE, PERFORMER, words))
            extracted = clock()
            assert delta is not None
            words.advance(delta.gained, delta.lost, edit.rev_id, edit.event_time, reverts_others=False)
            ended = clock()
            took = (compared - start, stood - compared, extracted - stood, ended - extracted)
            best[at] = np.minimum(best[at], took)
    microseconds = best * 1e6
    figures = {f"{name}_us": float(microseconds[:, at].mean()) for at, name in enumerate(STAGES)}
    figures["edit_us"] = float(microseconds.sum(axis=1).mean())
    figures["edit_p99_us"] = float(np.quantile(microseconds.sum(axis=1), 0.99))
    return figures, words, rows


def fastest(call: object, rounds: int = 50) -> float:
    """Microseconds."""
    assert callable(call)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--history", type=Path, help="an XML export to measure on instead")
    parser.add_argument("--edits", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    edits = (
        list(islice(edits_of(options.history), options.edits))
        if options.history
        else made_up(options.edits)
    )
    classifier = load_classifier()
    figures, words, rows = measure(edits)
    bare = [msgspec.structs.replace(edit, content=None) for edit in edits[:500]]
    figures["bare_row_us"] = fastest(
        lambda: [classifier.row(edit, None, PAGE, PERFORMER, None) for edit in bare]
    ) / len(bare)
    packed = msgspec.msgpack.encode(words.pack())
    figures["words_remembered"] = float(len(words.index))
    figures["words_write_us"] = fastest(lambda: msgspec.msgpack.encode(words.pack()))
    figures["words_read_us"] = fastest(
        lambda: WordMemory.unpack(msgspec.msgpack.decode(packed, type=PackedWords))
    )
    full = np.array((rows * (256 // len(rows) + 1))[:256])
    empty = classifier.matrix([classifier.row(edit, None, PAGE, PERFORMER, None) for edit in bare[:256]])
    figures["score_256_full_us"] = fastest(lambda: classifier.score(full))
    figures["score_256_bare_us"] = fastest(lambda: classifier.score(empty))
    figures["score_1_full_us"] = fastest(lambda: classifier.score(full[:1]))
    figures["reasons_us"] = fastest(lambda: classifier.reasons_of(full[:1]))
    if options.json:
        sys.stdout.write(json.dumps({name: round(value, 1) for name, value in figures.items()}) + "\n")
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name:22} {value:10,.1f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
