"""An advertisement and a source are both links: what tells them apart is where and how they stand."""

from __future__ import annotations

import math
import random
import re

import pytest

from models.link_features import _LINK, LINK_NAMES, addresses_in, link_features, links_in
from streams.stages.diff import text_delta

PAGE = (
    "The bridge was opened in 1911.<ref>[http://archive.example.org/1911 The Times]</ref> It is long.\n"
    * 3
)
LIST = f"{PAGE}== External links ==\n* [http://bridges.example.org/alda The Alda bridge]\n* [http://trains.example.org/ Trains]\n"


def told(before: str, after: str) -> dict[str, float]:
    return dict(zip(LINK_NAMES, link_features(text_delta(before, after)), strict=True))


def test_an_advertisement_in_a_list_of_links() -> None:
    found = told(LIST, LIST + "* [http://www.cheapbridges.com/ Cheap Bridges]\n")
    assert found["links_unreferenced"] == math.log1p(1)
    assert found["link_front_page"] == 1.0
    assert found["link_in_list"] == 1.0
    assert found["link_host_told"] == 1.0
    assert found["link_only"] > 0.9
    assert found["link_exchanged"] == 0.0


def test_a_source() -> None:
    after = PAGE.replace(
        "It is long.", "It is 187 m long.<ref>[http://news.example.net/a/b The Post]</ref>", 1
    )
    found = told(PAGE, after)
    assert found["links_unreferenced"] == 0.0
    assert found["link_front_page"] == 0.0
    assert found["link_in_list"] == 0.0
    assert found["link_host_told"] == 0.0
    assert found["link_only"] < 0.9


def test_a_link_in_a_template_is_taken_for_a_source() -> None:
    assert told(PAGE, PAGE + "{{cite web|url=http://news.example.net/a}}\n")["links_unreferenced"] == 0.0


def test_another_site_behind_the_same_words() -> None:
    found = told(LIST, LIST.replace("bridges.example.org", "cheapbeds.example.net"))
    assert found["host_changed"] == 1.0
    assert told(LIST, LIST.replace("/alda", "/alda/new"))["host_changed"] == 0.0
    assert told(LIST, LIST.replace("Trains", "Railways"))["host_changed"] == 0.0


def test_a_link_in_place_of_another() -> None:
    line = "* [http://trains.example.org/ Trains]"
    found = told(LIST, LIST.replace(line, "* [http://beds.example.net/x Beds and breakfast]"))
    assert found["link_exchanged"] == 1.0 or found["host_changed"] > 0.0


def test_an_address_written_as_words() -> None:
    assert told(PAGE, PAGE + "Visit www.cheapbridges.com or bridges.info now\n")[
        "addresses_in_prose"
    ] == math.log1p(2)
    assert told(PAGE, PAGE + "[http://www.cheapbridges.com/a Bridges]\n")["addresses_in_prose"] == 0.0
    assert told(PAGE, PAGE + "The end. Of it.\n")["addresses_in_prose"] == 0.0


@pytest.mark.parametrize("after", [PAGE + "More of it.\n", PAGE.replace("1911", "1912"), ""])
def test_where_no_link_comes_nothing_is_known_of_any(after: str) -> None:
    found = told(PAGE, after)
    for name in LINK_NAMES[:6]:
        assert math.isnan(found[name]), name
    assert found["host_changed"] == 0.0
    assert found["addresses_in_prose"] == 0.0


def test_a_link_that_is_moved_is_no_new_one() -> None:
    line = "* [http://trains.example.org/ Trains]\n"
    found = told(LIST, line + LIST.replace(line, ""))
    assert math.isnan(found["links_unreferenced"])


@pytest.mark.parametrize(
    "bad", ["http://" * 5_000, "[http://x" * 5_000, "://" * 9_000, "www." * 9_000, "a.com" * 9_000]
)
def test_hostile_text_is_read_in_little_time(bad: str) -> None:
    row = link_features(text_delta(PAGE, f"{PAGE}\n{bad}"))
    assert len(row) == len(LINK_NAMES)
    assert not any(math.isinf(value) for value in row)


def test_links_and_addresses_are_those_that_one_pattern_finds() -> None:
    address = re.compile(r"(?<![\w./@:-])(?:www\.)?[\w-]{2,40}\.(?:com|net|org|info|biz)\b", re.I)
    pieces = [
        "http://", "https://", "HTTPS://", "://", "[", "]", "www.", "www", ".com", ".net", ".COM", ".info", ".",
        " ", "\n", "a", "bc", "x-y", "/", "@", ":", "-", "é", "ſ", "{", "<ref>", "s", "http", "com", "a" * 38,
    ]  # fmt: skip
    rng = random.Random(1)
    for _ in range(20_000):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 14)))
        assert addresses_in(text) == len(address.findall(text)), text
        found = [(match.span(), match.groups()) for match in links_in(text)]
        assert found == [(match.span(), match.groups()) for match in _LINK.finditer(text)], text
