"""What is printed of strangers' text, and that it can't do anything to a terminal."""

from __future__ import annotations

from streams.cli.output import safe


def test_untrusted_text_is_one_bounded_line_without_escapes() -> None:
    assert safe("a\x1b[2J\n\x9b1m\u202e\U000e0041") == "a\\u001b[2J\\u000a\\u009b1m\\u202e\\U000e0041"
    assert safe("x" * 301) == "x" * 299 + "…"
