"""Who posts in the demo. Everybody is invented; hosts are of the domain kept for examples."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Network(StrEnum):
    BLUESKY = "bluesky"
    MASTODON = "mastodon"


class Person(msgspec.Struct, frozen=True):
    name: str
    network: Network
    followers: int = 0
    """Told by Mastodon only."""
    host: str = "posts.example"


def _bluesky(name: str) -> Person:
    return Person(name, Network.BLUESKY)


def _mastodon(name: str, followers: int, host: str = "harbour.example") -> Person:
    return Person(name, Network.MASTODON, followers, host)


IDA, OTIS, QUIZ, LAKES, RUNA = map(_bluesky, ("ida", "otis", "quiz-owl", "lakes-daily", "runa"))
PAOLA, WIM, TINKER, JUNO, BAKER = map(_bluesky, ("paola", "wim", "tinker", "juno", "baker-street"))
LENA = _mastodon("lena", 212)
ARCHIVE = _mastodon("archivist", 1_940, "paper.example")
BIRTHDAYS = _mastodon("born_today", 8_300)
KLAUS = _mastodon("klaus", 77, "tal.example")
INES = _mastodon("ines", 430, "rio.example")
YUKI = _mastodon("yuki", 96, "mizuumi.example")
RADIO = _mastodon("valley_radio", 128_000, "radio.example")
SASHA = _mastodon("sasha", 18)

PEOPLE = (
    IDA, OTIS, QUIZ, LAKES, RUNA, PAOLA, WIM, TINKER, JUNO, BAKER,
    LENA, ARCHIVE, BIRTHDAYS, KLAUS, INES, YUKI, RADIO, SASHA,
)  # fmt: skip
