"""The page as a person sees it: pushed alerts, hostile texts, what is settled, a token, an outage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from streams.records import AlertKind, ChangeType, FactChange, Verdict
from streams.sources.base import SourceStatus
from streams.store.verdicts import GivenVerdict
from streams.web.tokens import Scope, Tokens
from streams.web.verdicts import verdict_route
from tests.integration.browser import console, left_empty, open_browser
from tests.memory_alerts import StoreAlerts
from tests.sample_alerts import HOSTILE_TITLE, a_day, correction_of, resolved, sample_alert
from tests.web_world import WebWorld, eventually, serve

TOKEN = "a-token-for-the-page"


@pytest.fixture(scope="module")
def opened() -> Iterator[Chrome]:
    with open_browser() as chrome:
        yield chrome


@pytest.fixture
def browser(opened: Chrome) -> Chrome:
    return left_empty(opened)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WebWorld]:
    """On the real store."""
    alerts = StoreAlerts(tmp_path / "factwatch.sqlite")
    with serve(WebWorld(alerts)) as world:
        yield world
    alerts.close()


def visit(browser: Chrome, world: WebWorld) -> None:
    """The page, loaded and following the stream; marked, so that a reload would be noticed."""
    browser.get(world.url)
    browser.execute_script("window.isStillThisLoad = true")
    eventually(lambda: text_of(browser, "source-state") != "Loading")


def text_of(browser: Chrome, element_id: str) -> str:
    return str(
        browser.execute_script("return document.getElementById(arguments[0]).innerText", element_id)
    )


def titles(browser: Chrome, element_id: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map(h => h.textContent)"
    return list(browser.execute_script(script, f"#{element_id} > li:not(.leaving) h3"))


def test_an_alert_appears_without_a_reload(browser: Chrome, world: WebWorld) -> None:
    visit(browser, world)
    eventually(lambda: "All quiet" in text_of(browser, "empty"))
    fact = FactChange(
        fact_key="k",
        change_type=ChangeType.NUMBER,
        section="Geography",
        before="It is 8,849 m high, measured in 2020.",
        after="It is 12 m high, measured in 2020.",
    )
    world.alerts.commit(sample_alert(1, fact_changes=(fact,)))
    eventually(lambda: titles(browser, "open") == ["Mount Everest"])
    assert browser.execute_script("return window.isStillThisLoad") is True
    # `text` is empty while the card fades in.
    assert browser.find_element(By.CSS_SELECTOR, "#open del").get_property("textContent") == "8,849"
    assert browser.find_element(By.CSS_SELECTOR, "#open ins").get_property("textContent") == "12"
    assert browser.find_element(By.LINK_TEXT, "Diff").get_attribute("href").endswith("diff=1300000001")
    eventually(lambda: browser.title == "(1) Factwatch")
    assert console(browser) == []


def test_a_person_says_what_an_edit_was_and_can_say_it_again(browser: Chrome, tmp_path: Path) -> None:
    kept: list[GivenVerdict] = []
    edits = [1, 1, 0]

    def keep(given: GivenVerdict) -> int:
        kept.append(given)
        return edits[len(kept) - 1]

    def said(verdict: str) -> str:
        """What the page tells after that button."""
        script = """
            const box = document.querySelector("#open .judge");
            box.open = true;
            box.querySelector("[role=status]").textContent = "";
            box.querySelector(`[data-verdict=${arguments[0]}]`).click();"""
        browser.execute_script(script, verdict)
        told = "return document.querySelector('#open .judge [role=status]').textContent"
        eventually(lambda: browser.execute_script(told) != "")
        return str(browser.execute_script(told))

    alerts = StoreAlerts(tmp_path / "factwatch.sqlite")
    with serve(WebWorld(alerts), more=[verdict_route(keep, None, lambda: 5.0)]) as world:
        alert = sample_alert(1)
        world.alerts.commit(alert)
        visit(browser, world)
        eventually(lambda: titles(browser, "open") == ["Mount Everest"])
        asks = browser.find_element(By.CSS_SELECTOR, "#open .judge").is_displayed
        assert not asks(), "where nobody keeps it"
        world.takes_verdicts = True
        eventually(asks)
        assert "good edit" in said("good")
        assert "damaging" in said("damaging")
        assert "Not kept" in said("good")
        assert [(one.alert_id, one.verdict, one.rev_id) for one in kept] == [
            (alert.alert_id, verdict, None) for verdict in (Verdict.GOOD, Verdict.DAMAGING, Verdict.GOOD)
        ]
        assert len({one.verdict_id for one in kept}) == 3
        (refused,) = console(browser)  # the browser's own line
        assert "404" in refused
    alerts.close()


def test_a_newer_alert_stands_above_an_older_one(browser: Chrome, world: WebWorld) -> None:
    world.alerts.commit(sample_alert(1, title="First"))
    visit(browser, world)
    world.alerts.commit(sample_alert(2, title="Second"), sample_alert(3, title="Third"))
    eventually(lambda: titles(browser, "open") == ["Third", "Second", "First"])


def test_a_link_of_a_pager_opens_its_alert_among_many(browser: Chrome, world: WebWorld) -> None:
    """Older than all that the page loads by itself, and settled."""
    old = sample_alert(1, title="Lhotse")
    world.alerts.commit(old)
    world.alerts.commit(resolved(old))
    many = [sample_alert(n, title=f"Peak {n}") for n in range(2, 260)]
    world.alerts.commit(*many)
    world.alerts.commit(*map(resolved, many))
    world.alerts.commit(sample_alert(900, title="Makalu"))

    browser.get(f"{world.url}/#alert={old.alert_id}")
    shown = "return [...document.querySelectorAll('li.linked h3')].map(h => h.textContent)"
    eventually(lambda: browser.execute_script(shown) == ["Lhotse"])
    seen = """
        const box = document.querySelector("li.linked").getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight;"""
    eventually(lambda: browser.execute_script(seen))
    world.alerts.commit(sample_alert(901, title="Cho Oyu"))  # the stream goes on where it was
    eventually(lambda: titles(browser, "open") == ["Cho Oyu", "Makalu"])
    assert browser.execute_script(shown) == ["Lhotse"]

    browser.execute_script(f"location.hash = 'alert={901:032x}'")
    eventually(lambda: browser.execute_script(shown) == ["Cho Oyu"])
    assert not browser.find_element(By.ID, "linked-unknown").is_displayed()
    assert console(browser) == []
    browser.execute_script("location.hash = 'alert=<img src=x onerror=alert(1)>'")
    eventually(lambda: browser.find_element(By.ID, "linked-unknown").is_displayed())
    assert browser.execute_script(shown) == []
    console(browser)  # the 404 stands there


def test_a_hostile_title_shows_as_text_and_runs_nothing(browser: Chrome, world: WebWorld) -> None:
    visit(browser, world)
    hostile = sample_alert(
        1,
        title=HOSTILE_TITLE,
        comment="<b>bold</b>",
        page_url="javascript:window.pwned=1",
        diff_url="ftp://wiki.example/diff",
    )
    world.alerts.commit(hostile)
    [title] = eventually(lambda: titles(browser, "open"))
    assert title.startswith("<img src=x onerror=")
    assert "[U+202E]" in title
    assert "↵<script>" in title
    script = (
        "return [document.querySelectorAll('#open img, #open script, #open b').length, window.pwned]"
    )
    assert browser.execute_script(script) == [0, None]
    links = browser.execute_script("return [...document.querySelectorAll('#open a')].map(a => a.href)")
    assert links == [hostile.last_good_url]
    assert "javascript:window.pwned=1" in text_of(browser, "open")
    assert browser.title == "(1) Factwatch"
    assert console(browser) == []


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("/* History */ [[Special:Contributions/X|X]] was here", "History: X was here"),
        ("/* Early life */", "Early life:"),
        ("[[:Category:Towers]] and [[Tower of London]]", "Category:Towers and Tower of London"),
        ("[[broken [[Rome|<img src=x onerror='window.pwned=1'>]]", "[[broken <img src=x onerror='window.pwned=1'>"),
        ("/* <b>Top</b> */ [[javascript:window.pwned=1|\u202ehere]]", "<b>Top</b>: [U+202E]here"),
    ],
)  # fmt: skip
def test_a_comment_shows_as_the_wiki_words_it(
    browser: Chrome, world: WebWorld, comment: str, shown: str
) -> None:
    visit(browser, world)
    world.alerts.commit(sample_alert(1, comment=comment))
    eventually(lambda: titles(browser, "open"))
    node = browser.find_element(By.CSS_SELECTOR, "#open .comment")
    assert node.get_property("textContent") == shown  # `text` is empty while the card fades in
    script = "return [document.querySelectorAll('#open img, #open .comment *').length, window.pwned]"
    assert browser.execute_script(script) == [0, None]
    assert console(browser) == []


def test_a_comment_of_nothing_but_marks_is_left_out(browser: Chrome, world: WebWorld) -> None:
    visit(browser, world)
    world.alerts.commit(sample_alert(1, comment="/* */"))
    eventually(lambda: titles(browser, "open"))
    assert not browser.find_elements(By.CSS_SELECTOR, "#open .comment")


def test_a_contested_page_tells_which_revision_to_use(browser: Chrome, world: WebWorld) -> None:
    known = sample_alert(1, kind=AlertKind.PAGE_CONTESTED)
    world.alerts.commit(known)
    visit(browser, world)
    eventually(lambda: titles(browser, "open"))
    line = browser.find_element(By.CSS_SELECTOR, "#open .to-use")
    assert line.get_property("textContent") == (
        f"Good to use meanwhile: revision {known.last_good_rev_id}, which stood before the dispute"
    )
    assert line.find_element(By.TAG_NAME, "a").get_attribute("href") == known.last_good_url
    assert text_of(browser, "open").count(str(known.last_good_rev_id)) == 1


def test_a_dispute_as_old_as_what_we_saw_says_so(browser: Chrome, world: WebWorld) -> None:
    world.alerts.commit(
        sample_alert(1, kind=AlertKind.PAGE_CONTESTED, last_good_rev_id=None, last_good_url="")
    )
    visit(browser, world)
    eventually(lambda: titles(browser, "open"))
    assert "before the dispute is not known" in text_of(browser, "open")


def test_a_resolved_alert_moves_to_settled_with_who_and_when(browser: Chrome, world: WebWorld) -> None:
    alert = sample_alert(1)
    world.alerts.commit(alert)
    visit(browser, world)
    eventually(lambda: titles(browser, "open") == ["Mount Everest"])
    world.alerts.commit(resolved(alert), correction_of(alert))
    eventually(lambda: titles(browser, "settled") == ["Mount Everest"])
    assert titles(browser, "open") == []
    assert "Corrected by Vigilant Editor after 4 min" in text_of(browser, "settled")
    eventually(lambda: not browser.find_elements(By.CSS_SELECTOR, "#open > li"))


def test_a_sentence_changed_to_and_fro_is_shown_once(browser: Chrome, world: WebWorld) -> None:
    """A dispute's change since it began may be none."""
    fact = FactChange(
        fact_key="k",
        change_type=ChangeType.WORDING,
        section="Safety",
        before="It leaks.",
        after="It leaks.",
    )
    evidence = {"mutual_reverts": 6, "controversy": 0.0}
    world.alerts.commit(
        sample_alert(1, kind=AlertKind.PAGE_CONTESTED, fact_changes=(fact,), evidence=evidence)
    )
    visit(browser, world)
    eventually(lambda: titles(browser, "open"))
    shown = text_of(browser, "open")
    assert shown.count("It leaks.") == 1
    assert "changed to and fro, now as before" in shown
    assert "Mutual reverts: 6" in shown
    assert "Controversy" not in shown


def test_an_update_leaves_the_rest_of_the_page_alone(browser: Chrome, world: WebWorld) -> None:
    first, second = sample_alert(1, title="First"), sample_alert(2, title="Second")
    world.alerts.commit(first, second)
    visit(browser, world)
    eventually(lambda: len(titles(browser, "open")) == 2)
    browser.find_element(By.CSS_SELECTOR, f"[data-alert='{first.alert_id}'] summary").send_keys(
        Keys.ENTER
    )
    eventually(lambda: "Suspect edit: First" in text_of(browser, "open"))
    browser.execute_script("document.querySelector('#open a').focus()")
    world.alerts.commit(sample_alert(3, title="Third"))
    eventually(lambda: len(titles(browser, "open")) == 3)
    assert browser.switch_to.active_element.get_attribute("href") == second.diff_url
    assert browser.find_element(By.CSS_SELECTOR, f"[data-alert='{first.alert_id}'] details[open]")


def test_filters_and_pause(browser: Chrome, world: WebWorld) -> None:
    world.alerts.commit(*a_day(time.time()))
    visit(browser, world)
    eventually(lambda: len(titles(browser, "open")) == 5)
    browser.find_element(By.ID, "filter-text").send_keys("biology")
    eventually(lambda: titles(browser, "open") == ["Photosynthesis"])
    browser.find_element(By.ID, "filter-text").send_keys(" nowhere")
    eventually(lambda: "No open alert matches" in text_of(browser, "empty"))
    browser.find_element(By.ID, "clear-filter").click()
    eventually(lambda: len(titles(browser, "open")) == 5)
    browser.find_element(By.ID, "pause").click()
    world.alerts.commit(sample_alert(50, title="While paused"))
    eventually(lambda: text_of(browser, "pause") == "Resume (1 waiting)")
    assert "While paused" not in titles(browser, "open")
    browser.find_element(By.ID, "pause").click()
    eventually(lambda: "While paused" in titles(browser, "open"))


def test_an_outage_of_the_source_is_told_with_what_to_do(browser: Chrome, world: WebWorld) -> None:
    world.source = SourceStatus("retrying", "no network: retrying in 12 s")
    visit(browser, world)
    eventually(lambda: text_of(browser, "source-state") == "Retrying")
    assert "no network: retrying in 12 s" in text_of(browser, "source")
    assert "make demo" in text_of(browser, "trouble")
    assert "All quiet" not in text_of(browser, "main")
    world.source = SourceStatus("connected", "", time.time())
    eventually(lambda: text_of(browser, "source-state") == "Connected")
    assert not browser.find_element(By.ID, "trouble").is_displayed()


def test_the_page_takes_up_where_it_was_when_the_server_comes_back(browser: Chrome) -> None:
    world = WebWorld()
    with serve(world):
        visit(browser, world)
        eventually(lambda: text_of(browser, "source-state") == "Connected")
    eventually(lambda: "reach" in text_of(browser, "source-state"))
    world.alerts.commit(sample_alert(1, title="While away"))
    with serve(world, bind=world.url.removeprefix("http://")):
        eventually(lambda: titles(browser, "open") == ["While away"], within_s=20)


def test_with_tokens_the_page_asks_once(browser: Chrome) -> None:
    world = WebWorld()
    world.alerts.commit(sample_alert(1))
    with serve(world, Tokens({TOKEN: frozenset({Scope.READ})})):
        browser.get(world.url)
        field = browser.find_element(By.ID, "token")
        eventually(field.is_displayed)
        field.send_keys("wrong", Keys.ENTER)
        eventually(lambda: "Not accepted" in text_of(browser, "token-form"))
        field.send_keys(TOKEN, Keys.ENTER)
        eventually(lambda: titles(browser, "open") == ["Mount Everest"])
        browser.refresh()
        eventually(lambda: titles(browser, "open") == ["Mount Everest"])
        world.alerts.commit(sample_alert(2, title="Pushed"))
        eventually(lambda: "Pushed" in titles(browser, "open"))


def test_on_a_phone_what_is_settled_is_told_above_and_a_key_away(
    browser: Chrome, world: WebWorld
) -> None:
    """The lists stand one below the other there, the settled ones many screens down."""
    alerts = [sample_alert(number) for number in range(1, 9)]
    world.alerts.commit(*alerts)
    with width_of(browser, 400):
        visit(browser, world)
        eventually(lambda: len(titles(browser, "open")) == 8)
        jump = browser.find_element(By.CSS_SELECTOR, "#to-settled a")
        assert not jump.is_displayed(), "nothing is settled"
        world.alerts.commit(resolved(alerts[0]), correction_of(alerts[0]))
        eventually(jump.is_displayed)
        eventually(lambda: jump.text.startswith("✓ 1 settled, the last ") and jump.text.endswith(" ago"))
        assert is_seen(browser, "to-settled")
        assert not is_seen(browser, "settled-heading")
        jump.send_keys(Keys.ENTER)
        eventually(lambda: is_seen(browser, "settled-heading"))
        browser.switch_to.active_element.send_keys(Keys.TAB)
        back = browser.switch_to.active_element
        assert back.text == "Back to the open ones"
        back.send_keys(Keys.ENTER)
        eventually(lambda: is_seen(browser, "open-heading"))
        Select(browser.find_element(By.ID, "filter-kind")).select_by_value("page.contested")
        eventually(lambda: not jump.is_displayed())
    with width_of(browser, 1280):
        Select(browser.find_element(By.ID, "filter-kind")).select_by_value("")
        eventually(lambda: titles(browser, "settled") == ["Mount Everest"])
        assert not jump.is_displayed(), "both lists stand side by side"
    assert console(browser) == []


def is_seen(browser: Chrome, element_id: str) -> bool:
    """Within what the window shows now."""
    script = """const {top, bottom} = document.getElementById(arguments[0]).getBoundingClientRect();
        return top >= 0 && bottom <= window.innerHeight"""
    return bool(browser.execute_script(script, element_id))


@contextmanager
def width_of(browser: Chrome, width: int) -> Iterator[None]:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_runs_off_the_side(browser: Chrome, world: WebWorld, width: int) -> None:
    world.alerts.commit(*a_day(time.time()))
    world.alerts.commit(sample_alert(90, title="W" * 255, comment="x" * 500))
    with width_of(browser, width):
        visit(browser, world)
        eventually(lambda: len(titles(browser, "open")) == 6)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("before", "after", "gone", "new"),
    [
        ("It is 8,849 m high.", "It is 12 m high.", ["8,849"], ["12"]),
        ("one two three", "one three", ["two "], []),
        ("", "all new", [], ["all new"]),
        ("red, green, blue", "cyan, teal, blue", ["red, green"], ["cyan, teal"]),
        ("他出生于1879年。", "他出生于1979年。", ["1879"], ["1979"]),
        ("same", "same", [], []),
        ("x " * 1500 + "end", "y " * 1500 + "end", ["x " * 1500], ["y " * 1500]),
    ],
)
def test_the_changed_words_are_marked(
    browser: Chrome, world: WebWorld, before: str, after: str, gone: list[str], new: list[str]
) -> None:
    visit(browser, world)
    script = """
        const [before, after, done] = arguments;
        import("/static/words.js").then(({diffWords}) => done(diffWords(before, after)));
    """
    runs = browser.execute_async_script(script, before, after)
    assert [run["text"].strip() for run in runs["before"] if run["changed"]] == [x.strip() for x in gone]
    assert [run["text"].strip() for run in runs["after"] if run["changed"]] == [x.strip() for x in new]
