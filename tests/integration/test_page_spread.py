"""Posts on the page: the spread of a fact on its card, the posts a correction touches, hostile texts, and
that a deleted post goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from streams.posts import PostsGone
from streams.records import Alert, AlertKind
from streams.store.keys import state_id
from tests import web_world
from tests.amplify_world import FACT, T0, Spreading, of_kind, post
from tests.integration.browser import console, left_empty, open_browser
from tests.integration.test_page_in_browser import text_of, titles
from tests.sample_alerts import resolved
from tests.spread_world import SpreadWorld, changes, commit, edit_alert, hot_page, serve, with_post
from tests.web_world import eventually

HOSTILE = (
    '<img src=x onerror="window.pwned=1"> born in 1808 \u202egnp.exe\u2066\u0007\x00\n'
    "<script>window.pwned = 1</script> & <b>bold</b>"
)


@pytest.fixture(scope="module")
def opened() -> Iterator[Chrome]:
    with open_browser() as chrome:
        yield chrome


@pytest.fixture
def browser(opened: Chrome) -> Chrome:
    return left_empty(opened)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SpreadWorld]:
    made = SpreadWorld(tmp_path / "factwatch.sqlite")
    with serve(made):
        yield made
    made.close()


def visit(browser: Chrome, world: SpreadWorld) -> None:
    browser.get(world.url)
    eventually(lambda: text_of(browser, "source-state") == "Connected")


def shown(browser: Chrome, selector: str) -> str:
    """textContent of all that match: `text` is empty while a card fades in."""
    script = "return [...document.querySelectorAll(arguments[0])].map(n => n.textContent).join('\\n')"
    return str(browser.execute_script(script, selector))


def count(browser: Chrome, selector: str) -> int:
    return int(browser.execute_script("return document.querySelectorAll(arguments[0]).length", selector))


def spread(posts: int, reach: int = 0) -> Spreading:
    """So many posts by as many authors, a second apart, all counted."""
    world = Spreading()
    world.fold_all([post(n, T0 + 10 + n, reach=reach * n or None) for n in range(1, posts + 1)])
    world.until(T0 + 60)
    return world


def store(world: SpreadWorld, spreading: Spreading, *more: Alert) -> None:
    """Everything told so far, once."""
    alerts, spreading.alerts = [*more, *spreading.alerts], []
    commit(world.store, changes([hot_page(spreading.fact)], [spreading.state]), *alerts)


def test_who_repeats_a_fact_stands_on_the_card_of_the_edit(browser: Chrome, world: SpreadWorld) -> None:
    visit(browser, world)
    store(world, spread(12, reach=100), edit_alert())
    eventually(lambda: "Repeated 12 times by 12 authors" in shown(browser, "#open .spread h4"))
    assert titles(browser, "open") == [FACT.title]
    eventually(lambda: count(browser, "#open .course rect.before") > 0)
    assert count(browser, "#open .course rect.after") == 0
    assert "up to 7,800 followers" in shown(browser, "#open .spread")
    assert "Spreading" in shown(browser, "#open .badges")
    first = browser.find_element(By.CSS_SELECTOR, "#open .posts li")
    said = str(first.get_property("textContent"))
    assert "Lincoln was born in 1808." in said
    assert "Bluesky" in said
    assert "1,200 followers" in said
    assert "repeats the vandalised statement, 97 % sure" in said
    assert "says 1808, as after the edit" in said
    link = first.find_element(By.TAG_NAME, "a")
    assert link.get_attribute("href") == "https://bsky.app/p/12"
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    assert count(browser, "#open .posts li") == 12
    assert count(browser, "#open .spread > .posts li") == 3  # the rest is folded away
    assert console(browser) == []


def test_each_spread_stands_below_the_change_that_it_is_about(
    browser: Chrome, world: SpreadWorld
) -> None:
    """The fifth change of an edit is the one that is repeated: it is not folded away."""
    others = tuple(
        msgspec.structs.replace(FACT.fact, fact_key=f"o{n}", before=f"It was {n}.", after=f"It is {n}.")
        for n in range(4)
    )
    spreading = spread(2)
    store(
        world,
        spreading,
        msgspec.structs.replace(edit_alert(), fact_changes=(*others, FACT.fact, others[0])),
    )
    visit(browser, world)
    eventually(lambda: "Repeated 2 times" in shown(browser, "#open .spread h4"))
    before = browser.execute_script(
        "return document.querySelector('#open .spread').previousElementSibling.textContent"
    )
    assert "Lincoln was born in 1808" in before
    assert count(browser, "#open .card > .change") == 4
    assert "2 more changes" in shown(browser, "#open .card > details.more > summary")


def test_the_spread_grows_without_an_alert(browser: Chrome, world: SpreadWorld) -> None:
    """Alerts tell it at steps only."""
    spreading = spread(11)
    store(world, spreading, edit_alert())
    visit(browser, world)
    eventually(lambda: "Repeated 11 times" in shown(browser, "#open h4"))
    spreading.fold(post(40, T0 + 100))
    spreading.until(T0 + 200)
    assert of_kind(spreading.alerts, AlertKind.FACT_AMPLIFIED) == []
    spreading.alerts = []
    store(world, spreading)
    eventually(lambda: "Repeated 12 times by 12 authors" in shown(browser, "#open h4"))


def test_after_the_revert_the_spread_has_a_card_and_the_correction_its_posts(
    browser: Chrome, world: SpreadWorld
) -> None:
    spreading = spread(12)
    edit = edit_alert(episode_start=T0, event_time=T0)
    store(world, spreading, edit)
    visit(browser, world)
    eventually(lambda: "Repeated 12 times" in shown(browser, "#open .spread h4"))
    corrected = spreading.correct(T0 + 70)
    spreading.fold_all([post(n, T0 + 80 + n) for n in (50, 51)])
    spreading.until(T0 + 600)
    assert corrected == []
    follow_ups = of_kind(spreading.alerts, AlertKind.FACT_CORRECTED)
    assert follow_ups
    store(world, spreading, resolved(edit))
    eventually(lambda: titles(browser, "settled") == [FACT.title])
    words = "Repeated 14 times by 14 authors (2 after the revert)"
    eventually(lambda: words in shown(browser, "#settled .touched"))
    eventually(lambda: words in shown(browser, "#open li:not(.leaving) .spread h4"))
    assert titles(browser, "open") == [FACT.title]
    assert "The wiki has restored the statement" in shown(browser, "#open .who")
    eventually(lambda: count(browser, "#open .course rect.after") > 0)
    assert count(browser, "#open .course .revert") == 1
    assert "12 before the revert" in shown(browser, "#open figcaption")
    assert shown(browser, "#open .late").count("after the revert") == 2
    assert "14 posts it touches" in shown(browser, "#settled summary")
    assert count(browser, "#settled .posts li") == 14
    assert console(browser) == []


def test_a_hostile_post_shows_as_text_and_runs_nothing(browser: Chrome, world: SpreadWorld) -> None:
    visit(browser, world)
    spreading = spread(3)
    repeats = of_kind(spreading.alerts, AlertKind.POST_REPEATS)
    hostile = [
        with_post(
            repeats[0],
            statement=HOSTILE,
            url="javascript:window.pwned=1",
            platform="<b>chat</b>\u202e",
            reasons=("<i>why</i>\u2067",),
        ),
        with_post(repeats[1], statement="W" * 500, url="http://plain.example/p"),
        with_post(repeats[2], statement="", url="https://ok.example/\u202e<x>"),
    ]
    # By the alerts alone: what they name is shown before the API is asked.
    world.store.commit(edit_alert(), *hostile)
    eventually(lambda: count(browser, "#open .posts li") == 3)
    said = shown(browser, "#open .posts")
    assert '<img src=x onerror="window.pwned=1">' in said
    assert "<script>window.pwned = 1</script> & <b>bold</b>" in said
    for sign in (
        "[U+202E]gnp.exe[U+2066][U+0007][U+0000]↵",
        "<b>chat</b>[U+202E]",
        "<i>why</i>[U+2067]",
    ):
        assert sign in said
    assert not set(said) & set("\u202e\u2066\u2067\x00\x07")
    assert count(browser, "#open img, #open script, #open b, #open i") == 0
    hrefs = browser.execute_script(
        "return [...document.querySelectorAll('#open .posts a')].map(a => a.href)"
    )
    assert [href.partition("/%")[0] for href in hrefs] == ["https://ok.example"]
    assert "no safe link (javascript:window.pwned=1)" in said
    assert "no safe link (http://plain.example/p)" in said
    assert browser.execute_script("return window.pwned") is None
    assert count(browser, "#open .posts blockquote bdi") == 3
    assert console(browser) == []


@pytest.mark.parametrize("hot_facts", [1, None], ids=["by facts", "by alerts alone"])
def test_a_deleted_post_is_gone_from_every_card_that_named_it(
    browser: Chrome, world: SpreadWorld, hot_facts: int | None
) -> None:
    world.hot_facts = hot_facts
    spreading = spread(12)
    spreading.correct(T0 + 70)
    spreading.until(T0 + 600)
    edit = edit_alert()
    store(world, spreading, edit, resolved(edit))
    visit(browser, world)
    link = "a[href='https://bsky.app/p/3']"
    eventually(lambda: count(browser, f"#open {link}") == count(browser, f"#settled {link}") == 1)
    key = post(3, T0).key
    gone = PostsGone(platform="bluesky", post_id="at://p/00003", event_time=T0 + 700, arrival_time=0)
    told = spreading.amplifier.gone(spreading.state, spreading.fact, gone, T0 + 650)
    removed = changes([], [spreading.state])
    removed.posts = {state_id(key): None}
    removed.gone = True
    commit(world.store, removed, *told.alerts)
    eventually(lambda: count(browser, link) == 0)
    if hot_facts is not None:
        assert "Repeated 11 times by 11 authors" in shown(browser, "#open h4")
    assert console(browser) == []


def test_kinds_are_filtered_on_the_card_that_tells_of_them(browser: Chrome, world: SpreadWorld) -> None:
    store(world, spread(12), edit_alert())
    world.store.commit(
        msgspec.structs.replace(edit_alert(), alert_id="f" * 32, ce_id="f", title="Other")
    )
    visit(browser, world)
    eventually(lambda: len(titles(browser, "open")) == 2)
    kind = Select(browser.find_element(By.ID, "filter-kind"))
    for value in ("fact.amplified", "post.repeats"):
        kind.select_by_value(value)
        eventually(lambda: titles(browser, "open") == [FACT.title])
    kind.select_by_value("fact.corrected")
    eventually(lambda: titles(browser, "open") == [])
    kind.select_by_value("edit.suspect")
    eventually(lambda: len(titles(browser, "open")) == 2)
    kind.select_by_value("")
    browser.find_element(By.ID, "filter-text").send_keys("born in 1808")
    eventually(lambda: FACT.title in titles(browser, "open"))


def test_the_header_tells_of_hot_facts_posts_and_their_sources(
    browser: Chrome, world: SpreadWorld
) -> None:
    visit(browser, world)
    eventually(lambda: text_of(browser, "count-facts") == "1,234")
    assert text_of(browser, "count-posts") == "62"
    lines = [li.text.split("\n") for li in browser.find_elements(By.CSS_SELECTOR, "#post-sources li")]
    assert lines == [
        ["Bluesky: connected"],
        ["Mastodon: retrying", "no network: retrying in 9 s"],
    ]


def test_without_posts_the_header_has_nothing_of_them(browser: Chrome) -> None:
    plain = web_world.WebWorld()
    with web_world.serve(plain):
        browser.get(plain.url)
        eventually(lambda: text_of(browser, "source-state") == "Connected")
        for part in ("figure-facts", "figure-posts", "post-sources"):
            assert not browser.find_element(By.ID, part).is_displayed()


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_runs_off_the_side(browser: Chrome, world: SpreadWorld, width: int) -> None:
    spreading = spread(12, reach=99_999_999)
    repeats = of_kind(spreading.alerts, AlertKind.POST_REPEATS)
    long = with_post(
        repeats[0], statement="W" * 500, reasons=("x" * 300,), url=f"javascript:{'y' * 300}"
    )
    # Of a fact of its own, so that the API does not know better.
    evidence = {**long.evidence, "hot_id": "h2"}
    alone = msgspec.structs.replace(
        long, alert_id="e" * 32, ce_id="e", related=("x",), evidence=evidence, title="W" * 255
    )
    store(world, spreading, edit_alert(), alone)
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        visit(browser, world)
        eventually(lambda: len(titles(browser, "open")) == 2)
        browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
