from __future__ import annotations

import pytest

from streams.matching.checkworthy import check_worthiness


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (
            "Abraham Lincoln was born on February 12, 1809, in Kentucky.",
            "I think you should read this book",
        ),
        ("The city has 1.2 million inhabitants.", "Does the city have 1.2 million inhabitants?"),
        ("Armed man takes 6 hostages in Paris, police said.", "lol same"),
        ("El presidente murió en Madrid en 1975.", "espero que todo bien, gracias"),
        ("Президент умер в Москве в 1999 году.", "Доброе утро, спасибо тебе"),
        ("东京的人口是1400万人", "你好吗？"),
        ("The bridge was closed on 3 May 2020.", "Please watch the bridge!!"),
    ],
)
def test_what_could_be_looked_up_comes_before_talk(more: str, less: str) -> None:
    assert check_worthiness(more) > check_worthiness(less)


@pytest.mark.parametrize("text", ["", "...", "😂", "https://example.org/x", "\x00" * 1_000])
def test_what_says_nothing_is_worth_nothing(text: str) -> None:
    assert check_worthiness(text) == 0.0


@pytest.mark.parametrize("text", ["1 " * 500_000, "Aa " * 300_000, "?" * 1_000_000])
def test_it_is_a_share_for_any_text(text: str) -> None:
    assert 0.0 <= check_worthiness(text) <= 1.0
