"""What is printed of strangers' text, and that it can't do anything to a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from streams.cli.output import alert_lines, safe
from streams.records import AlertKind, AlertStatus, Grade, PostRef
from tests.sample_alerts import sample_alert


def test_untrusted_text_is_one_bounded_line_without_escapes() -> None:
    assert safe("a\x1b[2J\n\x9b1m\u202e\U000e0041") == "a\\u001b[2J\\u000a\\u009b1m\\u202e\\U000e0041"
    assert safe("x" * 301) == "x" * 299 + "…"


def test_of_a_post_it_is_shown_what_that_says() -> None:
    post = PostRef(
        platform="bluesky", post_id="p", author="", url="", event_time=0.0,
        grade=Grade.REPEATS_VANDALISED, probability=1.0, statement="Born in 1971\x1b[2J\nsays \u202ehe",
    )  # fmt: skip
    alert = sample_alert(1, kind=AlertKind.POST_REPEATS, posts=(post,))
    assert alert_lines(alert).splitlines()[-2] == "    > Born in 1971\\u001b[2J\\u000asays \\u202ehe"
    over = msgspec.structs.replace(alert, status=AlertStatus.RESOLVED)
    assert len(alert_lines(over).splitlines()) == 1
    assert "Born" not in alert_lines(sample_alert(1, posts=(post,)))


def test_when_an_edit_was_made_is_told_whole() -> None:
    """A history's are years old: a time alone would be taken for today's, and for one of here."""
    made = datetime(2005, 10, 2, 14, 3, 11, tzinfo=UTC).timestamp()
    assert alert_lines(sample_alert(1, event_time=made)).startswith("2005-10-02 14:03:11 UTC  warning ")
