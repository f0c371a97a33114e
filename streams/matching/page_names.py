"""Which facts' pages a text names, by a link, a title or an alias."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from streams.matching.names import anchor, linked_page

MAX_LINKS = 64
MAX_NAME_PLACES = 100
"""Words of one text that names are looked for at; each where it stands the first MAX_REPEATS times."""
MAX_REPEATS = 8
FEW = 4
"""Words that are looked for one by one in a text; more of them in one go."""

Name = tuple[str, ...]
Page = tuple[str, str]
"""Server name and title."""


class PageNames:
    """Names in words, and links, each with the facts ("slots") of the pages that have it."""

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        """How many names are looked for at a word."""
        self._names: dict[tuple[str, str], dict[Name, array[int]]] = {}
        """By the pair of words where they are looked for."""
        self._links: dict[Page, array[int]] = {}

    def add(self, slot: int, names: Sequence[Name], links: Sequence[Page]) -> None:
        """All of each are distinct."""
        for name in names:
            word, pair, _ = anchor(name)
            self._words[word] = self._words.get(word, 0) + 1
            self._names.setdefault(pair, {}).setdefault(name, array("i")).append(slot)
        for link in links:
            self._links.setdefault(link, array("i")).append(slot)

    def remove(self, slot: int, names: Sequence[Name], links: Sequence[Page]) -> None:
        """All as they were added."""
        for name in names:
            word, pair, _ = anchor(name)
            self._words[word] -= 1
            if not self._words[word]:
                del self._words[word]
            named = self._names[pair]
            named[name].remove(slot)
            if not named[name]:
                del named[name]
                if not named:
                    del self._names[pair]
        for link in links:
            self._links[link].remove(slot)
            if not self._links[link]:
                del self._links[link]

    def spoken(self, words: Sequence[str]) -> set[int]:
        """Of names that stand in the text, word for word."""
        found: set[int] = set()
        if self._words.keys().isdisjoint(words):
            return found
        last = len(words) - 1
        for word, places in _places(words, sorted(self._words.keys() & words)[:MAX_NAME_PLACES]):
            for position in places:
                pairs = [(word, "")]
                if position < last:
                    pairs.append((word, words[position + 1]))
                if position > 0:
                    pairs.append((words[position - 1], word))
                for pair in pairs:
                    for name, slots in self._names.get(pair, {}).items():
                        start = position - anchor(name).offset
                        if start >= 0 and tuple(words[start : start + len(name)]) == name:
                            found.update(slots)
        return found

    def linked(self, links: Sequence[str]) -> set[int]:
        found: set[int] = set()
        for link in links[:MAX_LINKS]:
            page = linked_page(link)
            if page is not None:
                found.update(self._links.get(page, ()))
        return found


def _places(words: Sequence[str], wanted: Sequence[str]) -> Iterator[tuple[str, Sequence[int]]]:
    """Where each of these stands, the first few times."""
    if len(wanted) <= FEW:
        for word in wanted:
            places = [words.index(word)]
            for _ in range(min(words.count(word), MAX_REPEATS) - 1):
                places.append(words.index(word, places[-1] + 1))
            yield word, places
        return
    found: dict[str, list[int]] = {word: [] for word in wanted}
    for position, word in enumerate(words):
        if word in found and len(found[word]) < MAX_REPEATS:
            found[word].append(position)
    yield from found.items()
