"""Posts and hot facts as they come, seeded: words by Zipf's law over everyday words and a made vocabulary,
in three scripts, so that a benchmark needs no data of others.

Posts and facts draw from one vocabulary, but what is frequent in the one is not in the other, as people
chat about other things than encyclopedias.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate

from streams.matching.common_words import COMMON_WORDS, FUNCTION_WORDS
from streams.posts import HotFact, HotKind
from streams.records import ChangeType, FactChange

_SYLLABLES = {
    "latin": [
        a + b
        for a in "b c d f g h l m n p r s t v st tr".split()
        for b in "a e i o u an er in or".split()
    ],
    "cyrillic": [a + b for a in "б в г д к л м н п р с т".split() for b in "а е и о у ан ер ин".split()],
    "han": [chr(code) for code in range(0x4E00, 0x4E00 + 1_500)],
}
_OPENERS = ("BREAKING: ", "", "", "", "Just in - ", "RT @someone: ", "So ", "lol ", "I think ")
_CLOSERS = ("", "", "", ".", "!", " https://t.co/Ab3dEf9h", " #News", " #BreakingNews 😂", " 🙏", "…")


class PostWorld:
    """`facts(n)` and `posts(n)` draw from the same words; the same seed gives the same ones."""

    def __init__(self, seed: int = 1, vocabulary: int = 40_000) -> None:
        self.rng = random.Random(seed)
        self._tails = {script: self._made(script, vocabulary) for script in _SYLLABLES}
        self._chat = {script: self.rng.sample(tail, vocabulary) for script, tail in self._tails.items()}
        self._zipf = list(accumulate(1 / (rank + 20) for rank in range(vocabulary)))
        self._heads = [
            sorted(word for word in words if word.isascii()) for words in (FUNCTION_WORDS, COMMON_WORDS)
        ]
        for head in self._heads:
            self.rng.shuffle(head)
        self._head_zipf = [
            list(accumulate(1 / (rank + 3) for rank in range(len(head)))) for head in self._heads
        ]
        self._names = [word.capitalize() for word in self._made("latin", 60_000, 3)]

    def _made(self, script: str, count: int, least: int = 2) -> list[str]:
        syllables = _SYLLABLES[script]
        most = 3 if script == "han" else 5
        made: dict[str, None] = {}
        while len(made) < count:
            made["".join(self.rng.choices(syllables, k=self.rng.randint(least, most)))] = None
        return list(made)

    def _words(self, count: int, script: str, tail: float, vocabulary: list[str]) -> list[str]:
        rng = self.rng
        found = []
        for word in rng.choices(vocabulary, cum_weights=self._zipf, k=count):
            draw = rng.random()
            if draw < tail or script != "latin":
                found.append(word)
            else:
                head = draw < tail + (1 - tail) / 3
                found.append(rng.choices(self._heads[head], cum_weights=self._head_zipf[head])[0])
        return found

    def _script(self) -> str:
        return self.rng.choices(("latin", "cyrillic", "han"), (80, 12, 8))[0]

    def _joined(self, words: list[str], script: str) -> str:
        return ("" if script == "han" else " ").join(words)

    def posts(self, count: int) -> list[str]:
        """Of 3 to 60 words, about nothing in particular."""
        return [self._post() for _ in range(count)]

    def _post(self) -> str:
        rng = self.rng
        script = self._script()
        words = self._words(
            max(3, min(60, int(rng.lognormvariate(2.9, 0.7)))), script, 0.3, self._chat[script]
        )
        if rng.random() < 0.4:
            words.insert(
                len(words) // 2, rng.choice(("2020", "3", "50%", "1,200", "12:30", "7.5", "2024"))
            )
        if rng.random() < 0.3:
            words[rng.randrange(len(words))] = rng.choice(self._names)
        if rng.random() < 0.2 and script == "latin":
            words[0] = rng.choice(("it’s", "don't", "“well”", "that's"))
        return rng.choice(_OPENERS) + self._joined(words, script).capitalize() + rng.choice(_CLOSERS)

    def facts(self, count: int) -> Iterator[HotFact]:
        for number in range(count):
            yield self._fact(number)

    def _fact(self, number: int) -> HotFact:
        rng = self.rng
        script = self._script()
        title = " ".join(rng.choices(self._names, k=2))
        words = self._words(rng.randint(8, 24), script, 0.45, self._tails[script])
        if rng.random() < 0.5:
            words.insert(0, title.split()[1])
        year = str(rng.randint(1_500, 2_025))
        place = rng.randrange(len(words))
        change = (str(int(year) + rng.randint(1, 90)), rng.choice(self._names))[rng.random() < 0.5]
        before = self._joined([*words[:place], year, *words[place:]], script).capitalize() + "."
        after = self._joined([*words[:place], change, *words[place:]], script).capitalize() + "."
        names = (title, *(" ".join(rng.choices(self._names, k=2)) for _ in range(rng.randint(0, 6))))
        return HotFact(
            hot_id=f"{number:016x}",
            alert_id=f"alert-{number}",
            kind=HotKind.VANDALISED,
            wiki="enwiki",
            server_name="en.wikipedia.org",
            title=title,
            names=names,
            fact=FactChange(
                fact_key=f"{number:032x}",
                change_type=ChangeType.NUMBER,
                section="",
                before=before,
                after=after,
                before_values=(year,),
                after_values=(change,),
            ),
            rev_id=number,
            since=float(number),
        )

    def repeating(self, fact: HotFact) -> str:
        """A post that says what `fact` says after the edit, with words of its own around it."""
        return (
            self.rng.choice(_OPENERS) + fact.title + ": " + fact.fact.after + self.rng.choice(_CLOSERS)
        )

    def shortened(self, fact: HotFact) -> str:
        """What `fact` says after the edit, three in ten of its words left out."""
        said = fact.fact.after
        words = said.split() if " " in said else list(said)
        kept = [word for word in words if self.rng.random() < 0.7]
        return (" " if " " in said else "").join(kept)
