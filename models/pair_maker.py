"""The pairs of one fact: posts that state one of its sides, both, neither, or take it back."""

from __future__ import annotations

import random
import re
from enum import StrEnum

import msgspec

from models.pair_facts import changed_part
from models.pair_texts import paraphrase
from streams.posts import HotFact

MAX_LABEL = 3
"""Words before a colon that may be the name of a parameter."""


class Says(StrEnum):
    AFTER = "after"
    BEFORE = "before"
    NEITHER = "neither"
    DENIES = "denies"
    """It speaks of the fact, and takes it back or asks."""


class PostPair(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    article: str
    kind: str
    """How it was made."""
    text: str
    fact: HotFact
    says: Says
    links: tuple[str, ...] = ()


class PairMaker:
    """The pairs of one fact."""

    def __init__(self, article: str, fact: HotFact, rng: random.Random) -> None:
        self.pairs: list[PostPair] = []
        self._article = article
        self._fact = fact
        self._rng = rng
        self._sides = {Says.AFTER: fact.fact.after, Says.BEFORE: fact.fact.before}
        self._changed = {
            Says.AFTER: changed_part(fact.fact.before, fact.fact.after),
            Says.BEFORE: changed_part(fact.fact.after, fact.fact.before),
        }

    def state(self, says: Says) -> None:
        text = self._sides[says]
        if not text:
            return
        text = spoken(text, self._fact.title)
        self.add("verbatim", text, says)
        kept = self._changed[says] if self._changed[says] in text else text
        for _ in range(3):
            told, ways = paraphrase(self._subject(text), kept, self._rng)
            self.add(f"paraphrase {ways.partition('+')[0]}" if ways else "verbatim", told, says)

    def brief(self) -> None:
        """The page and what was changed, in few words."""
        for says in (Says.AFTER, Says.BEFORE):
            changed = self._changed[says]
            text = self._sides[says]
            other = self._sides[Says.BEFORE if says is Says.AFTER else Says.AFTER]
            if not other or not 2 <= len(changed.split()) <= 8 or text.count(changed) != 1:
                continue
            head, _, tail = text.partition(changed)
            few = [
                *head.split()[-self._rng.randint(1, 4) :],
                changed,
                *tail.split()[: self._rng.randint(0, 2)],
            ]
            told = " ".join(few).strip(" ,;:(")
            if len(few) < 3 or not re.search(r"\w{4,}|\d", " ".join(changed.split()[1:-1])):
                continue
            if self._fact.title not in told:
                told = f"{self._fact.title} {self._rng.choice(('', '- ', 'was ', 'is '))}{told}"
            self.add("brief", told, says)

    def retold(self) -> None:
        """The telling words around the change, in two halves turned round, with other small words between."""
        for says, text in self._sides.items():
            part = self._changed[says]
            if not self._fact.fact.before or not self._fact.fact.after or text.count(part) != 1:
                continue
            inner = part.split()[1:-1]
            if not 1 <= len(inner) <= 5 or not re.search(r"\w{4,}|\d", " ".join(inner)):
                continue
            head, _, tail = text.partition(" ".join(inner))
            near = [word for word in head.split() if len(word) > 3][-5:]
            behind = [word for word in tail.split() if len(word) > 3][:4]
            if len(near) + len(behind) < 3:
                continue
            first, second = [*behind, *near], inner
            if self._rng.random() < 0.5:
                first, second = second, first
            words = []
            for word in (*first, self._rng.choice(("with", "is", "has", "by", "in")), *second):
                words.append(word.strip(".,;:()"))
                if word not in inner and self._rng.random() < 0.4:
                    words.append(self._rng.choice(("of", "a", "the", "in", "and", "was", "for")))
            told = " ".join(words)
            self.add("retold", told if self._fact.title in told else f"{self._fact.title} {told}", says)

    def in_words(self) -> None:
        """A parameter of a template, or a property, told as a sentence without its label."""
        for says, text in self._sides.items():
            label, colon, value = text.partition(": ")
            if not colon or len(label.split()) > MAX_LABEL or not 2 <= len(value.split()) <= 12:
                continue
            verb = self._rng.choice(
                ("was born", "is", "was", "has", "died on", "lived until", "served from")
            )
            self.add("in words", f"{self._fact.title} {verb} {value}", says)

    def shared_part(self) -> None:
        """What both sides say, on one side of the change."""
        after, changed = self._fact.fact.after, self._changed[Says.AFTER]
        if not self._fact.fact.before or not after:
            return
        head, _, tail = after.partition(changed)
        part = max(head, tail, key=len)
        words = part.split()
        if len(words) >= 7:
            self.add("shared part", " ".join(words[1:-1]), Says.NEITHER)

    def other_value(self, other: HotFact) -> None:
        """The statement with a third value where the sides differ."""
        text, changed = self._fact.fact.after, self._changed[Says.AFTER]
        before = self._fact.fact.before
        if not before or not text or text.count(changed) != 1 or not 1 <= len(changed.split()) - 2 <= 6:
            return
        inner = changed.split()[1:-1] if len(changed.split()) > 2 else []
        number = next((word for word in inner if any(map(str.isdigit, word))), None)
        if number is not None:
            digits = re.sub(
                r"\d", lambda match: str((int(match[0]) + self._rng.randint(1, 8)) % 10), number
            )
            value = changed.replace(number, digits, 1)
        else:
            theirs = changed_part(other.fact.before, other.fact.after).split()[1:-1] or [
                "something",
                "else",
            ]
            value = " ".join([changed.split()[0], *theirs[:4], changed.split()[-1]])
        told = text.replace(changed, value, 1)
        if told not in (text, before) and not _holds(told, self._fact):
            self.add("other value", told, Says.NEITHER)

    def other_claim(self, other: HotFact) -> None:
        """Another sentence of the page, the changed value in it."""
        value = self._changed[Says.AFTER].split()[1:-1]
        words = (other.fact.before or other.fact.after).split()
        if not self._fact.fact.before or not 1 <= len(value) <= 5 or len(words) < 6:
            return
        at = self._rng.randrange(1, min(len(words), 16) - 2)
        told = " ".join([*words[:at], *value, *words[at + self._rng.randint(1, 2) :][:14]])
        if self._rng.random() < 0.5 and self._fact.title not in told:
            told = f"{self._fact.title}: {told}"
        mine = set(self._fact.fact.after.casefold().split()) - {word.casefold() for word in value}
        theirs = {word for word in told.casefold().split() if len(word) > 3}
        if other is not self._fact and len(theirs & mine) <= 2:
            self.add("other claim", told, Says.NEITHER)

    def other_subject(self) -> None:
        """Another page's title where the statement names its own."""
        text = self._fact.fact.after or self._fact.fact.before
        words = [word for word in self._fact.title.split() if len(word) > 3]
        if not words or not all(word in text for word in words[-1:]):
            return
        theirs = self._rng.choice(
            ("Napoleon Bonaparte", "Marie Curie", "Winston Churchill", "The Ark", "Stoicism", "Ada Lovelace",
             "Genghis Khan", "Nelson Mandela", "Excalibur", "Liberalism")
        ).split()  # fmt: skip
        told = re.sub(re.escape(self._fact.title), " ".join(theirs), text, flags=re.I)
        for word in words:
            told = re.sub(rf"\b{re.escape(word)}(?=\b|s\b)", theirs[-1], told, flags=re.I)
        self.add("other subject", told, Says.NEITHER)

    def denials(self) -> None:
        text = self._fact.fact.after
        if not text:
            return
        text = spoken(text, self._fact.title).rstrip(". ")
        form = self._rng.choice(
            ("It's not true that {}.", "Debunked: {}", "Wikipedia wrongly says {}", "{}? Really?", "{}?",
             "Fact check: {} FALSE.", "No, {} is a myth", "Is it true that {}?", "Somebody vandalised the page: {}",
             "{} - this is fake, don't share")
        )  # fmt: skip
        self.add("denial", form.format(text), Says.DENIES)
        for verb in (" was ", " is ", " were ", " are ", " had ", " has "):
            if verb in text and verb.strip() not in self._changed[Says.AFTER].split():
                told = text.replace(verb, f"{verb}{self._rng.choice(('not', 'never'))} ", 1)
                if told != self._fact.fact.before.rstrip(". "):
                    self.add("negation", told, Says.DENIES)
                break

    def contrasts(self) -> None:
        """One value and, denied, the other."""
        after, before = (self._changed[one].split()[1:-1] for one in (Says.AFTER, Says.BEFORE))
        if not after or not before or max(len(after), len(before)) > 5 or set(after) & set(before):
            return
        come, gone = " ".join(after).strip(".,;()"), " ".join(before).strip(".,;()")
        if not come or not gone:
            return
        for says, other in ((Says.AFTER, gone), (Says.BEFORE, come)):
            form = self._rng.choice(("{}, not {}", "{} (not {})", "{} and not {}"))
            stated = spoken(self._sides[says], self._fact.title).rstrip(". ")
            self.add("contrast", form.format(stated, other), says)

    def elsewhere(self, kind: str, other: HotFact) -> None:
        text = (
            self._rng.choice((other.fact.after, other.fact.before))
            or other.fact.after
            or other.fact.before
        )
        if other is self._fact or _holds(text, self._fact) or _says(text, self._fact):
            return
        told, _ = paraphrase(spoken(text, other.title), text, self._rng)
        self.add(kind, told, Says.NEITHER)

    def _subject(self, text: str) -> str:
        """At times the page by name where the sentence says "he", and the other way round."""
        chance = self._rng.random()
        title = self._fact.title
        if text.split()[0] in " ".join(part.split()[0] for part in self._changed.values() if part):
            return text
        if chance < 0.25 and text.startswith(("He ", "She ", "It ", "he ", "it ")):
            return f"{title} {text.split(' ', 1)[1]}"
        if chance < 0.35 and text.startswith(title + " "):
            return title.split()[-1] + text[len(title) :]
        if chance > 0.85 and title not in text:
            return f"{title}: {text}"
        return text

    def add(self, kind: str, text: str, says: Says) -> None:
        links: tuple[str, ...] = ()
        if self._rng.random() < 0.15:
            links = (f"https://{self._fact.server_name}/wiki/{self._fact.title.replace(' ', '_')}",)
        self.pairs.append(
            PostPair(
                article=self._article, kind=kind, text=text, fact=self._fact, says=says, links=links
            )
        )


def spoken(text: str, title: str) -> str:
    """`birth_date: 1809` -> `Abraham Lincoln, birth date: 1809`: a parameter says nothing without its page."""
    label, colon, value = text.partition(": ")
    if not colon or len(label.split()) > MAX_LABEL or title in text:
        return text
    return f"{title}, {label.replace('_', ' ')}: {value}"


def _holds(text: str, fact: HotFact) -> bool:
    """Whether `text` has, word for word, what makes either side of the fact what it is."""
    words = " ".join(text.split())
    sides = ((fact.fact.before, fact.fact.after), (fact.fact.after, fact.fact.before))
    return any(this and _inner(changed_part(other, this)) in words for other, this in sides)


def _says(text: str, fact: HotFact) -> bool:
    """Whether `text` has nearly all the longer words of a side: another wording of the same."""
    words = set(re.findall(r"\w{4,}|\d+", text.casefold()))
    for side in (fact.fact.before, fact.fact.after):
        theirs = set(re.findall(r"\w{4,}|\d+", side.casefold()))
        if theirs and len(theirs & words) >= 0.9 * len(theirs):
            return True
    return False


def _inner(changed: str) -> str:
    return changed.strip(" .,;:")
