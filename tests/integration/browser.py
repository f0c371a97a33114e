"""Debian's Chromium, headless, driven by its ChromeDriver."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.requirements import require

HOW = "the page test wants Debian's browser: apt-get install chromium chromium-driver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_browser(width: int = 1280, height: int = 900) -> Iterator[Chrome]:
    """A browser with a profile of its own. Skips, or fails in CI, where there is none."""
    chromium, driver = require("chromium", HOW), require("chromedriver", HOW)
    with tempfile.TemporaryDirectory(prefix="factwatch-browser-", ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        browser = Chrome(options=options, service=ChromeService(driver))
        try:
            yield browser
        finally:
            browser.quit()


def left_empty(browser: Chrome) -> Chrome:
    """The same browser without the page before and what that wrote: it may have gone on asking a server
    that is gone."""
    browser.get("about:blank")
    console(browser)
    return browser


def console(browser: Chrome) -> list[str]:
    """What the page wrote to the console since the last call: errors, and refusals by its policy."""
    return [entry["message"] for entry in browser.get_log("browser")]
