"""From the words and links of a text to the few hot facts it may be about.

Three ways in: a link to a fact's page, its title or an alias in words, and the words of the fact itself,
of both its sides. A word says little alone: without a name, two rare ones must meet in one fact, and what
is shared must tell enough. What a text finds depends on the facts that are in and on the text, never on
the order in which they came or on other texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter

import msgspec

from streams.matching.fact_words import FactWords, fact_words
from streams.matching.names import plain_host, plain_title, spoken_names
from streams.matching.page_names import Name, Page, PageNames
from streams.matching.post_words import MAX_WORDS
from streams.matching.postings import Postings
from streams.posts import HotFact

MAX_CANDIDATES = 10
MAX_NAMED_CANDIDATES = 24
"""Of pages that a text names: many facts of one page may be hot, and its posts share words with them all."""
MAX_NAMED = 64
"""Facts of pages that a text names which are compared with it: the newest."""
MAX_MET_FACTS = 10
"""Others that are: those that share what tells most; of one statement of many half as many."""
MAX_NAMES = 50
"""Names of one page, in the order they are given: title, redirects, aliases."""
MIN_OVERLAP = 0.2
"""Of a fact that is not named in the text."""
WIDE = 0.6
"""Of `Postings.enough`, from which a fact is similar."""


class Candidate(msgspec.Struct, frozen=True, gc=False):
    hot_id: str
    named: bool
    """The title, an alias or a link of its page is in the text."""
    overlap: float
    """Share of the nearer side's words that the text has, weighted by how much they tell; 0 to 1."""


class Similar(msgspec.Struct, frozen=True, gc=False):
    hot_id: str
    weight: float
    """Of the words that both have."""


class _Entry:
    """One fact in the index, and what it was put in by."""

    __slots__ = ("all_words", "hot", "links", "names", "slot", "weighed", "weights", "words")

    def __init__(self, hot: HotFact, slot: int) -> None:
        names = dict.fromkeys((hot.title, *hot.names[:MAX_NAMES]))
        server = plain_host(hot.server_name)
        self.hot = hot
        self.slot = slot
        self.weighed = 0
        self.weights = (0.0, 0.0, 0.0, 0.0)
        """Of `words`, all of each, in `Postings.version` `weighed`."""
        self.words: FactWords = fact_words(hot)
        self.all_words = self.words.all
        self.names: tuple[Name, ...] = spoken_names(tuple(names))
        self.links: tuple[Page, ...] = tuple({(server, plain_title(name)) for name in names if name})


class HotFactIndex:
    """The hot facts, by id and by what texts say. Not for several threads at once."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._slots: list[_Entry | None] = []
        self._free: list[int] = []
        self._names = PageNames()
        self._postings = Postings()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[HotFact]:
        return (entry.hot for entry in self._entries.values())

    def __contains__(self, hot_id: object) -> bool:
        return hot_id in self._entries

    def get(self, hot_id: str) -> HotFact | None:
        entry = self._entries.get(hot_id)
        return entry.hot if entry is not None else None

    def put(self, fact: HotFact) -> None:
        """Take it in; one of the same `hot_id` gives way. Where only times and revisions differ, it costs
        next to nothing."""
        known = self._entries.get(fact.hot_id)
        if known is not None:
            if _says_the_same(known.hot, fact):
                known.hot = fact
                return
            self.remove(fact.hot_id)
        slot = self._free.pop() if self._free else len(self._slots)
        entry = _Entry(fact, slot)
        if slot == len(self._slots):
            self._slots.append(entry)
        else:
            self._slots[slot] = entry
        self._entries[fact.hot_id] = entry
        self._postings.add(slot, entry.all_words)
        self._names.add(slot, entry.names, entry.links)

    def remove(self, hot_id: str) -> HotFact | None:
        """What was held under this id, if anything."""
        entry = self._entries.pop(hot_id, None)
        if entry is None:
            return None
        self._postings.remove(entry.slot, entry.all_words)
        self._names.remove(entry.slot, entry.names, entry.links)
        self._slots[entry.slot] = None
        self._free.append(entry.slot)
        return entry.hot

    def candidates(self, words: Sequence[str], links: Sequence[str] = ()) -> list[Candidate]:
        """Facts that the text may state, best first: at most MAX_CANDIDATES, or of pages that it names
        MAX_NAMED_CANDIDATES. `words` as `post_words(fold(text))` gives them; `links` the addresses beside
        or in the text."""
        named = self._names.spoken(words)
        linked = self._names.linked(links) if links else set()
        met = self._postings.met(words)
        if not named and not linked and not met:
            return []
        return self._candidates(words, named, linked, met, MAX_MET_FACTS)

    def candidates_in(
        self, statements: Sequence[Sequence[str]], links: Sequence[str], limit: int
    ) -> list[Candidate]:
        """Of a long text, by the words of its statements: what the whole may state, then what each of
        them may by itself, as one of many says little in the whole. The page may be named in any of them.
        At most `limit`."""
        whole = list(islice(chain.from_iterable(statements), MAX_WORDS))
        named = self._names.spoken(whole)
        linked = self._names.linked(links) if links else set()
        met = self._postings.met_each([whole, *statements], MAX_MET_FACTS + len(named | linked))
        found = {
            one.hot_id: one for one in self._candidates(whole, named, linked, met[0], MAX_MET_FACTS)
        }
        for words, of_words in zip(statements, met[1:], strict=True):
            if len(found) >= limit:
                break
            if of_words:
                for one in self._candidates(words, set(), set(), of_words, MAX_MET_FACTS // 2):
                    found.setdefault(one.hot_id, one)
        return list(found.values())[:limit]

    def _candidates(
        self,
        words: Sequence[str],
        named: set[int],
        linked: set[int],
        met: Sequence[tuple[float, int]],
        most: int,
    ) -> list[Candidate]:
        """Of the slots of pages that are named or linked, and of facts that were `met`, of these `most`."""
        present = frozenset(words)
        found: list[Candidate] = []
        named |= linked
        newest = [(entry.hot.since, slot) for slot in named if (entry := self._slots[slot])]
        for entry in self._best(newest, MAX_NAMED):
            overlap = self._overlap(entry, present)
            if overlap > 0.0 or entry.slot in linked:
                found.append(Candidate(entry.hot.hot_id, True, overlap))
        enough = self._postings.enough
        for entry in self._best([item for item in met if item[1] not in named], most):
            overlap = self._overlap(entry, present, by_title=True, least=enough)
            if overlap >= MIN_OVERLAP:
                found.append(Candidate(entry.hot.hot_id, False, overlap))
        found.sort(key=_best_first)
        if len(found) > MAX_CANDIDATES:
            at_most = sum(one.named for one in found[:MAX_NAMED_CANDIDATES])
            return found[: max(at_most, MAX_CANDIDATES)]
        return found

    def similar(self, words: Sequence[str], limit: int = MAX_CANDIDATES) -> list[Similar]:
        """Facts by the weight of what they share with a text, the heaviest first, at most `limit`: wider
        than `candidates`, for `streams.matching.ranking`; some ten times as slow."""
        scored = self._postings.scored(words, WIDE * self._postings.enough)
        weight_of = {slot: weight for weight, slot in scored}
        found = [Similar(entry.hot.hot_id, weight_of[entry.slot]) for entry in self._best(scored, limit)]
        found.sort(key=lambda one: (-one.weight, one.hot_id))
        return found

    def weight(self, word: str) -> float:
        """How much it tells that two texts share this word; 0 of a function word."""
        return self._postings.weight(word)

    def words_of(self, hot_id: str) -> FactWords | None:
        entry = self._entries.get(hot_id)
        return entry.words if entry is not None else None

    def _best(self, scored: Sequence[tuple[float, int]], limit: int) -> list[_Entry]:
        """Those of the highest scores, in no order; where these are equal, by id, whatever slot a fact
        has."""
        if len(scored) <= limit:
            return [entry for _, slot in scored if (entry := self._slots[slot])]
        highest = sorted(scored, reverse=True)
        least = highest[limit - 1][0]
        entries = [
            (-score, entry.hot.hot_id, entry)
            for score, slot in highest
            if score >= least and (entry := self._slots[slot])
        ]
        entries.sort(key=itemgetter(0, 1))
        return [entry for _, _, entry in entries[:limit]]

    def _overlap(
        self, entry: _Entry, present: frozenset[str], by_title: bool = False, least: float = 0.0
    ) -> float:
        """With the nearer side; 0 where what is shared weighs less than `least`. `by_title`: words of the
        title may count as stated too, but are no overlap by themselves."""
        postings, words = self._postings, entry.words
        weights = postings.weights
        shared = come = gone = titled = 0.0
        # In loops: a sum of each would cost more than these few words do.
        for word in words.shared:
            if word in present:
                shared += weights[word]
        for word in words.come:
            if word in present:
                come += weights[word]
        for word in words.gone:
            if word in present:
                gone += weights[word]
        if by_title:
            for word in words.title:
                if word in present:
                    titled += weights[word]
        found = shared + max(come, gone)
        if not found or found + titled < least:
            return 0.0
        if entry.weighed != postings.version:
            entry.weighed, weigh = postings.version, postings.weigh
            entry.weights = (
                weigh(words.shared),
                weigh(words.come),
                weigh(words.gone),
                weigh(words.title),
            )
        of_shared, of_come, of_gone, of_title = entry.weights
        if not by_title:
            of_title = 0.0
        return max(
            _share(shared + come, of_shared + of_come, titled, of_title),
            _share(shared + gone, of_shared + of_gone, titled, of_title),
        )


def _share(found: float, total: float, titled: float, of_title: float) -> float:
    """Of a side, or of a side and the title."""
    return max(found / total, (found + titled) / (total + of_title)) if found else 0.0


def _says_the_same(known: HotFact, fact: HotFact) -> bool:
    """Whether all that a fact is found by is the same."""
    return (
        known.fact == fact.fact
        and known.names == fact.names
        and known.title == fact.title
        and known.server_name == fact.server_name
    )


def _best_first(candidate: Candidate) -> tuple[bool, float, str]:
    return not candidate.named, -candidate.overlap, candidate.hot_id
