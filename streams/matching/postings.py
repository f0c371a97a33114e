"""Which facts have a word: an inverted index that facts enter and leave at any time.

Facts are small numbers here ("slots"), and a posting is an array of them, unordered. Looking up a text
joins the arrays of its words and sorts: some microseconds, whatever the number of facts, as the number
of entries looked at is bounded.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from math import log

import numpy as np

from streams.matching.common_words import rarity

MAX_MET = 1_024
"""Entries looked at for facts that share two rare words with a text, of its rarest words first."""
MAX_SCORED = 8_192
"""Entries looked at for scores, of the rarest words first."""
FEW = 12
"""Facts that two rare words met in; more are sifted by what these words tell."""
TELLING = 1.1
"""Of `Postings.enough`, which they must tell then."""
AT_ONCE = 100
"""Rare words of several texts from which it is quicker to look at these texts at once."""
BACKGROUND = 1_000
"""Facts that are taken to be there without any of a text's words, so that a word of the only fact tells
much, and two of them more."""
_EVERYDAY = 0.4
"""Weight of an everyday word, against a rare one that as many facts have."""
_STEPS = 16
"""Weights are summed as whole steps of a sixteenth, in the lower byte of a sorted number."""


class Postings:
    """Words of `rarity` 1 (everyday) and 2 (rare); others are not taken."""

    def __init__(self) -> None:
        self._rare: dict[str, array[int]] = {}
        self._everyday: dict[str, array[int]] = {}
        self._lone: dict[str, set[int]] = {}
        """Facts with one rare word: it finds them alone."""
        self._facts = 0
        self.weights = _Weights(self)
        """Of words that are in, as `weight` gives them: look up, don't change."""
        self.version = 1
        """Of the weights: they are the same as long as this is."""

    def add(self, slot: int, words: Sequence[str]) -> None:
        """`words` are distinct."""
        self._changed(1)
        for word in words:
            held = self._rare if rarity(word) == 2 else self._everyday
            held.setdefault(word, array("i")).append(slot)
        rare = [word for word in words if word in self._rare]
        if len(rare) == 1:
            self._lone.setdefault(rare[0], set()).add(slot)

    def remove(self, slot: int, words: Sequence[str]) -> None:
        """`words` as they were added."""
        self._changed(-1)
        rare = [word for word in words if word in self._rare]
        if len(rare) == 1:
            self._lone[rare[0]].discard(slot)
            if not self._lone[rare[0]]:
                del self._lone[rare[0]]
        for word in words:
            held = self._rare if word in self._rare else self._everyday
            posted = held[word]
            last = posted.pop()
            if last != slot:
                posted[_place(posted, slot)] = last
            if not posted:
                del held[word]

    def _changed(self, facts: int) -> None:
        self.version += 1
        self._facts += facts
        self.weights.clear()

    def weight(self, word: str) -> float:
        """How much it tells that two texts share this word: by how few facts have it (log of the inverse
        document frequency), and how rare it is in the language; 0 of a function word."""
        if word in self._rare or word in self._everyday:
            return self.weights[word]
        return (0.0, _EVERYDAY, 1.0)[rarity(word)] * self.enough

    def weigh(self, words: Iterable[str]) -> float:
        """Sum of the weights of words that are in."""
        return sum(map(self.weights.__getitem__, words))

    @property
    def enough(self) -> float:
        """Weight that chance seldom brings together: that of one word that a single fact has."""
        return log(self._facts + BACKGROUND)

    def met(self, words: Sequence[str]) -> list[tuple[float, int]]:
        """Facts that share two rare words with a text, or their only one, each with a weight to choose by
        among many; in no order."""
        hits: Iterable[str] = self._rare.keys() & words
        lone = self._lone.keys() & hits if self._lone else ()
        alone = [(0.0, slot) for word in lone for slot in self._lone[word]]
        posted = [self._rare[word] for word in hits]
        if len(posted) < 2:
            return alone
        if sum(map(len, posted)) > MAX_MET:
            by_length = sorted((len(self._rare[word]), word) for word in hits)
            hits = _within(MAX_MET, by_length)
            posted = [self._rare[word] for word in hits]
        slots = np.frombuffer(b"".join(posted), np.int32).copy()
        slots.sort()
        twice = slots[1:][slots[1:] == slots[:-1]]
        if not twice.size:
            return alone
        if twice.size > FEW:
            return alone + self._summed(hits, posted, TELLING * self.enough)
        return alone + [(0.0, slot) for slot in set(twice.tolist())]

    def met_each(self, texts: Sequence[Sequence[str]], most: int) -> list[list[tuple[float, int]]]:
        """`met` of each of these texts in one go: for the statements of one, which share words, it takes
        less time. Where more than `most` come out, only those that fewer than these outweigh."""
        met = self._rare.keys() & frozenset[str]().union(*texts)
        if len(met) < AT_ONCE:
            return [self.met(text) for text in texts]
        ordered = sorted([(len(posted := self._rare[word]), word, posted) for word in met])
        place = {word: at for at, (_, word, _) in enumerate(ordered)}
        hits = [sorted({place[word] for word in text if word in place}) for text in texts]
        lone = self._lone.keys() & place
        found: list[list[tuple[float, int]]] = [
            [(0.0, slot) for word in lone if place[word] in places for slot in self._lone[word]]
            for places in hits
        ]
        if max(map(len, hits), default=0) < 2:
            return found
        # Of each text the entries of its words, the rarest first, as far as there is room.
        count = len(texts)
        every = np.arange(count + 1)
        at = np.array(list(chain.from_iterable(hits)))
        text_of = every[:-1].repeat([len(places) for places in hits])
        held = np.array([length for length, _, _ in ordered])
        taken = held[at].cumsum()
        before = np.concatenate(([0], taken))[text_of.searchsorted(every[:-1])]
        room = taken - before[text_of] <= MAX_MET
        at, text_of = at[room], text_of[room]
        lengths = held[at]
        ends = lengths.cumsum()
        entries = np.arange(ends[-1]) + ((held.cumsum() - held)[at] - ends + lengths).repeat(lengths)
        slots = np.frombuffer(b"".join([posted for _, _, posted in ordered]), np.int32)[entries]
        steps = np.array(self._steps([length for length, _, _ in ordered]))
        marked = ((text_of << 40) + steps[at]).repeat(lengths)
        marked += slots.astype(np.int64) << 8
        marked.sort()
        facts = marked >> 8
        new = np.concatenate(([True], facts[1:] != facts[:-1], [True])).nonzero()[0]
        starts = new[:-1]
        facts = facts[starts]
        of_text = facts >> 32
        repeats = np.bincount(text_of, lengths, count) - np.bincount(of_text, minlength=count)
        sifted = (repeats > FEW)[of_text]
        sums = np.where(sifted, np.add.reduceat(marked & 255, starts) / _STEPS, 0.0)
        enough = TELLING * self.enough
        kept = np.where(sifted, sums >= enough, new[1:] - starts > 1).nonzero()[0]
        kept = kept[np.lexsort((-sums[kept], of_text[kept]))]
        borders = of_text[kept].searchsorted(every).tolist()
        weights, slots_met = sums[kept].tolist(), (facts[kept] & 0xFFFFFFFF).tolist()
        for own, start, end in zip(found, borders, borders[1:], strict=False):
            stop = min(start + most, end)
            while stop < end and weights[stop] == weights[stop - 1]:
                stop += 1
            own += zip(weights[start:stop], slots_met[start:stop], strict=True)
        return found

    def scored(self, words: Sequence[str], least: float) -> list[tuple[float, int]]:
        """Facts by the weight of what they share with a text, with that weight where it is `least` or
        more; in no order."""
        hits = (self._rare.keys() & words) | (self._everyday.keys() & words)
        by_weight = sorted((-self.weights[word], word) for word in hits)
        words = _within(MAX_SCORED, ((len(self._posted(word)), word) for _, word in by_weight))
        return self._summed(words, [self._posted(word) for word in words], least)

    def _summed(
        self, words: Iterable[str], posted: Sequence[array[int]], least: float
    ) -> list[tuple[float, int]]:
        """`posted` is that of each of the words."""
        if not posted:
            return []
        steps = [min(255, round(self.weights[word] * _STEPS)) for word in words]
        slots = np.frombuffer(b"".join(posted), np.int32).astype(np.int64)
        marked = np.sort((slots << 8) + np.repeat(steps, [len(one) for one in posted]))
        slots = marked >> 8
        starts = np.flatnonzero(np.concatenate(([True], slots[1:] != slots[:-1])))
        sums = np.add.reduceat(marked & 255, starts) / _STEPS
        kept = sums >= least
        return list(zip(sums[kept].tolist(), slots[starts[kept]].tolist(), strict=True))

    def worked_out(self, word: str) -> float:
        """The weight of a word that is in."""
        posted = self._rare.get(word)
        if posted is not None:
            return log((self._facts + BACKGROUND) / len(posted))
        return _EVERYDAY * log((self._facts + BACKGROUND) / len(self._everyday[word]))

    def _steps(self, lengths: Sequence[int]) -> list[int]:
        """Of rare words that so many facts have: many have as many."""
        of_length = {
            length: min(255, round(log((self._facts + BACKGROUND) / length) * _STEPS))
            for length in set(lengths)
        }
        return [of_length[length] for length in lengths]

    def _posted(self, word: str) -> array[int]:
        posted = self._rare.get(word)
        return self._everyday[word] if posted is None else posted


def _within(room: int, words: Iterable[tuple[int, str]]) -> list[str]:
    """The first of these words, each with how many entries it has, that have no more than `room`
    together."""
    found: list[str] = []
    for length, word in words:
        room -= length
        if room < 0:
            break
        found.append(word)
    return found


class _Weights(dict[str, float]):
    """Of words that are in, worked out when asked for: each fact that comes or goes changes them all."""

    def __init__(self, postings: Postings) -> None:
        super().__init__()
        self._postings = postings

    def __missing__(self, word: str) -> float:
        self[word] = weight = self._postings.worked_out(word)
        return weight


def _place(posted: array[int], slot: int) -> int:
    if len(posted) < 200:
        return posted.index(slot)
    return int(np.flatnonzero(np.frombuffer(posted, np.int32) == slot)[0])
