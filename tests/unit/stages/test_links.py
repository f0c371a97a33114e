from __future__ import annotations

import pytest

from streams.stages.links import Links

LINKS = Links({"enwiki": "en.wikipedia.org"})
BASE = "https://en.wikipedia.org"


def test_the_list_of_wikis_tells_the_host_whatever_the_event_says() -> None:
    assert LINKS.base("enwiki", "evil.example") == BASE
    assert LINKS.base("dewiki", "de.wikipedia.org") == "https://de.wikipedia.org"
    assert Links({"enwiki": "127.0.0.1:8188"}, "http").base("enwiki", "") == "http://127.0.0.1:8188"


@pytest.mark.parametrize(
    "named",
    ["", "evil.example/x", "a b", "x@y", "javascript:alert(1)", "a\n", "-a", "a" * 300, "a:123456"],
)
def test_what_is_no_host_makes_no_link(named: str) -> None:
    assert LINKS.base("dewiki", named) == ""
    assert LINKS.page("", "/w", "T") == LINKS.revision("", "/w", 5) == LINKS.diff("", "/w", 5, 4) == ""


def test_addresses() -> None:
    assert LINKS.page(BASE, "/w", "A B/C?&#<é>") == (
        f"{BASE}/w/index.php?title=A_B/C%3F%26%23%3C%C3%A9%3E"
    )
    assert LINKS.revision(BASE, "/w", 5) == f"{BASE}/w/index.php?oldid=5"
    assert LINKS.revision(BASE, "/w", None) == ""
    assert LINKS.diff(BASE, "", 5, 4) == f"{BASE}/index.php?diff=5&oldid=4"
    assert LINKS.diff(BASE, "/w", 5, None) == f"{BASE}/w/index.php?diff=5"
