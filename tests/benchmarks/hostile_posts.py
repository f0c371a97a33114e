"""Posts made to hurt whoever reads them: each of about a million characters, or ten thousand links."""

from __future__ import annotations

import random

from streams.posts import HotFact

SIZE = 1_000_000


def hostile_posts(
    fact: HotFact, words: list[str], seed: int = 5
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Texts and links by name. `fact` is a hot one, `words` are of the index: the worst that can be hit."""
    rng = random.Random(seed)
    distinct = " ".join(f"w{number}" for number in range(100_000))
    no_links: tuple[str, ...] = ()
    pages = tuple(f"https://en.wikipedia.org/wiki/{number}_{'%D0%90' * 20}" for number in range(10_000))
    known = " ".join(rng.choices(words, k=SIZE // 8))
    texts = {
        "one word": "vaccine " * (SIZE // 8),
        "its title over and over": f"{fact.title} " * (SIZE // 12),
        "what it says over and over": f"{fact.fact.after} " * (SIZE // 100),
        "distinct words": distinct,
        "words of the index": known,
        "letters": " ".join("abcdefghijklmnopqrstuvwxyz" * (SIZE // 52)),
        "zero-width": "\u200b".join(fact.fact.after * (SIZE // 200)),
        "nothing but zero-width": "\u200d" * SIZE,
        "combining marks": "a" + "\u0301\u0336" * (SIZE // 2),
        "right to left": "\u202e" + "\u05e9\u05dc\u05d5\u05dd \u200f" * (SIZE // 6),
        "look-alikes": "v\u0430\u0441\u0441ine \u0441\u043e\u0440 " * (SIZE // 12),
        "ligatures of 18": "\ufdfa" * SIZE,
        "sharp s": "\u00df" * SIZE,
        "Han": "".join(chr(rng.randint(0x4E00, 0x9000)) for _ in range(SIZE // 10)) * 10,
        "Han and digits": "1.5\u5e74" * (SIZE // 4),
        "Hangul": "\uac00\ub098\ub2e4\ub294 " * (SIZE // 5),
        "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467" * (SIZE // 5),
        "open tags": "<a " * (SIZE // 3),
        "tags": "<b>x</b>" * (SIZE // 8),
        "entities": "&#x41;&amp;" * (SIZE // 11),
        "ampersands": "&" * SIZE,
        "hash tags": "#aB" * (SIZE // 3),
        "numbers": "1,234,567.8 " * (SIZE // 12),
        "points": "1.1." * (SIZE // 4),
        "quotes": "'s" * (SIZE // 2),
        "addresses": "https://en.wikipedia.org/wiki/X " * (SIZE // 32),
        "control characters": "\x00\x1b[2Ja" * (SIZE // 6),
        "line ends": "\n-\u2028" * (SIZE // 3),
        "lone surrogates": "\ud800a" * (SIZE // 2),
    }
    posts = {name: (text, no_links) for name, text in texts.items()}
    return posts | {"ten thousand links": ("look", pages)}
