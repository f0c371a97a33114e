from __future__ import annotations

import pytest

from streams.matching.names import anchor, linked_page, name_words, spoken_names


@pytest.mark.parametrize(
    "link",
    [
        "https://en.wikipedia.org/wiki/Abraham_Lincoln",
        "http://en.wikipedia.org/wiki/Abraham%20Lincoln#Early_life",
        "https://en.m.wikipedia.org/wiki/Abraham_Lincoln?wprov=sfla1",
        "https://EN.wikipedia.org:443/w/index.php?title=Abraham_Lincoln&oldid=5",
        "https://en.wikipedia.org/w/index.php?oldid=5&title=abraham+Lincoln",
        "https://en.wikipedia.org/w/index.php/Abraham_Lincoln",
    ],
)
def test_any_form_of_a_link_leads_to_the_page(link: str) -> None:
    assert linked_page(link) == ("en.wikipedia.org", "Abraham Lincoln")


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("https://de.wikipedia.org/wiki/K%C3%B6ln", ("de.wikipedia.org", "Köln")),
        ("https://zh.wikipedia.org/zh-tw/%E6%9E%97", ("zh.wikipedia.org", "林")),
        ("https://m.wikidata.org/wiki/Q91", ("www.wikidata.org", "Q91")),
        ("https://www.wikidata.org/entity/Q91", ("www.wikidata.org", "Q91")),
        ("https://en.wikipedia.org/wiki/AC/DC", ("en.wikipedia.org", "AC/DC")),
    ],
)
def test_links_of_other_wikis(link: str, page: tuple[str, str]) -> None:
    assert linked_page(link) == page


@pytest.mark.parametrize(
    "link",
    [
        "https://en.wikipedia.org/?curid=307",
        "https://en.wikipedia.org/w/index.php?oldid=5",
        "https://en.wikipedia.org/",
        "https://example.org/news/abraham",
        "javascript:alert(1)",
        "ftp://en.wikipedia.org/wiki/X",
        "https://en.wikipedia.org/wiki/" + "x" * 3_000,
        "",
    ],
)
def test_links_that_name_no_page(link: str) -> None:
    assert linked_page(link) is None


@pytest.mark.parametrize("name", ["It", "Love", "The End", "1984", "水", "The Who", "", "!!!", "Up"])
def test_everyday_words_name_no_page(name: str) -> None:
    assert name_words(name) == ()


@pytest.mark.parametrize(
    "name", ["Abraham Lincoln", "United States", "Gone with the Wind", "林肯", "Kraków", "Линкольн"]
)
def test_names_that_name_a_page(name: str) -> None:
    assert name_words(name) != ()


def test_a_qualifier_is_not_said_aloud() -> None:
    assert spoken_names(("Mercury (planet)", "It (novel)")) == (
        ("mercury", "planet"),
        ("mercury",),
        ("it", "novel"),
    )


@pytest.mark.parametrize(
    "name",
    [("abraham", "lincoln"), ("gone", "with", "the", "wind"), ("lincoln",), ("a", "lincoln", "a")],
)
def test_a_name_is_looked_for_at_its_rarest_word_beside_a_neighbour(name: tuple[str, ...]) -> None:
    word, pair, offset = anchor(name)
    assert name[offset] == word
    assert pair == (word, "") if len(name) == 1 else word in pair
