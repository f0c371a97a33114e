"""Pages of 2 to 8 KB and edits of them, invented and seeded: what most articles are like."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from streams.records import Content, Edit, PerformerKind, RevisionText

_START = 1_767_225_600.0


def _words(rng: random.Random, count: int = 6_000) -> list[str]:
    syllables = (
        "ba be bi bo ca ce co da de di do fa fe ga ge la le li lo ma me mi mo na ne no ra re".split()
    )
    return ["".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))) for _ in range(count)]


class TextWorld:
    """Pages that are edited; a tenth of the edits is undone by the next."""

    def __init__(self, pages: int, seed: int = 2) -> None:
        self._rng = rng = random.Random(seed)
        self._vocabulary = _words(rng)
        self._texts = [self._page(rng.randint(2_000, 8_000)) for _ in range(pages)]
        self._revisions = [RevisionText(n + 1, text, _sha1(text)) for n, text in enumerate(self._texts)]
        self._undo: dict[int, str] = {}

    def edits(self, count: int) -> Iterator[Edit]:
        rng = self._rng
        for number in range(count):
            page = rng.randrange(len(self._texts))
            before = self._revisions[page]
            undone = self._undo.pop(page, None)
            text = undone if undone is not None else self._changed(self._texts[page])
            if undone is None and rng.random() < 0.1:
                self._undo[page] = self._texts[page]
            self._texts[page] = text
            revision = RevisionText(1_000_000 + number, text, _sha1(text), parent_id=before.rev_id)
            self._revisions[page] = revision
            anonymous = rng.random() < 0.2
            yield Edit(
                event_id=f"text-{number}",
                wiki="enwiki",
                server_name="en.wikipedia.org",
                title=f"Page {page}",
                namespace=0,
                rev_id=revision.rev_id,
                parent_id=before.rev_id,
                performer=f"203.0.113.{rng.randrange(250)}"
                if anonymous
                else f"Editor {rng.randrange(500)}",
                performer_kind=PerformerKind.IP if anonymous else PerformerKind.REGISTERED,
                event_time=_START + number / 10,
                arrival_time=_START + number / 10,
                comment="copyedit",
                old_len=len(before.text or ""),
                new_len=len(text),
                content=Content(revision, before),
            )

    def _sentence(self) -> str:
        rng = self._rng
        words = [rng.choice(self._vocabulary) for _ in range(rng.randint(8, 24))]
        if rng.random() < 0.4:
            words[rng.randrange(len(words))] = str(rng.randint(1_000, 2_030))
        if rng.random() < 0.3:
            words[rng.randrange(len(words))] = f"[[{rng.choice(self._vocabulary).title()}]]"
        return " ".join(words).capitalize() + "."

    def _page(self, size: int) -> str:
        lines: list[str] = []
        while sum(map(len, lines)) < size:
            if len(lines) % 8 == 7:
                lines.append(f"== {self._rng.choice(self._vocabulary).title()} ==")
            lines.append(" ".join(self._sentence() for _ in range(self._rng.randint(1, 4))))
        return "\n".join(lines)

    def _changed(self, text: str) -> str:
        rng = self._rng
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        choice = rng.random()
        if choice < 0.5:
            words = lines[at].split(" ")
            words[rng.randrange(len(words))] = rng.choice(self._vocabulary)
            lines[at] = " ".join(words)
        elif choice < 0.8 or len(lines) < 5:
            lines[at] += " " + self._sentence()
        elif len(text) > 2_000:
            del lines[at]
        return "\n".join(lines)[:9_000]


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
