"""Markup as a reader sees it; broken markup loses its brackets and keeps its words."""

from __future__ import annotations

import pytest

from streams.stages.wikitext import MAX_DEPTH, LineKind, Marks, plain_lines, plain_text, unmarked


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("'''Bold''' and ''italic''", "Bold and italic"),
        ("[[a|b]] [[c]] [[:Category:D]] [[e|]]", "b c Category:D e"),
        ("[http://x.org label here] http://y.org", "label here http://y.org"),
        ("A<ref name=x>{{cite|a}}</ref> b<ref name=x /> c", "A b c"),
        ("A <!-- hidden [[x --> b", "A b"),
        ("A &amp; B&nbsp;C &lt;ref&gt;", "A & B C <ref>"),
        ("<nowiki>[[x]] {{y}}</nowiki> z", "[[x]] {{y}} z"),
        ("{{lang|fr|bon mot}} said", "bon mot said"),
        ("{{convert|6|ft|4|in|cm}} tall", "6 ft 4 in tall"),
        ("{{death date and age|1865|4|15|1809|2|12}}", "1865-04-15"),
        ("{{date|12|2|1809}}", "1809-02-12"),
        ("{{hlist|one|two}}", "one, two"),
        ("Sure.{{citation needed|date=May 2026}}", "Sure."),
        ("{{#if:x|y}}{{DEFAULTSORT:Z}}__NOTOC__w", "w"),
        ("a {{unclosed b", "a"),
        ("a [[unclosed b", "a unclosed b"),
        ("a ]] b }} c", "a b c"),
        ("[[File:A.jpg|thumb|A caption here]]", "A caption here"),
        ("[[Bild:A.jpg|mini|links|A caption here]]", "A caption here"),
        ("* ''item'' one", "item one"),
    ],
)
def test_plain_text(written: str, read: str) -> None:
    assert plain_text(written) == read


def test_lines_of_a_template_opened_above() -> None:
    lines = plain_lines(["| born = [[May 3]], [[1809]]", '| style="x" | width=30%', "}}", "Prose here."])
    assert [(line.kind, line.text, line.label) for line in lines] == [
        (LineKind.FIELD, "born: May 3, 1809", "born"),
        (LineKind.PROSE, "Prose here.", ""),
    ]


def test_the_first_line_of_an_infobox_counts_though_its_end_is_elsewhere() -> None:
    (line,) = plain_lines(["{{Infobox person | name = Ada"])
    assert (line.text, line.value) == ("name: Ada", "Ada")


def test_headings() -> None:
    lines = plain_lines(["== A [[b]] ==", "=== ===", "x = y"])
    assert [(line.kind, line.text) for line in lines] == [
        (LineKind.HEADING, "A b"),
        (LineKind.PROSE, "x = y"),
    ]


@pytest.mark.parametrize(
    "hostile",
    ["{{" * 50_000, "[[" * 50_000, "{{[[" * 30_000 + "]]}}" * 30_000, "<!--" * 30_000, "<ref>" * 30_000,
     "<nowiki>" * 20_000, "|" * 100_000, "{{x|" + " " * 90_000 + "y}}",
     "{|\n| a=" + "bc=bcbc" * 900 + '!"',
     "=" * 100_000, "[http://a " * 20_000],
)  # fmt: skip
def test_broken_markup_takes_linear_work(hostile: str) -> None:
    """Marks bound the steps, depth the copying; regular expressions must not go back over the text.
    A test that hangs here has found one that does."""
    plain_lines(hostile.split("\n"), Marks(1_000_000))


def test_reading_ends_where_the_marks_run_out() -> None:
    assert unmarked("a '''b''' c", Marks(1)) == "a b"


@pytest.mark.parametrize(
    ("left", "shown"), [(0, "x "), (1, "x a"), (2, "x b"), (3, "x b "), (4, "x b c")]
)
def test_a_link_is_three_marks_however_it_is_read(left: int, shown: str) -> None:
    assert unmarked("x [[a|b]] ''c''", Marks(left)) == shown


def test_links_below_the_deepest_level_are_text() -> None:
    assert unmarked("[[a" * (MAX_DEPTH - 2) + "[[c|d]]", Marks()) == "a" * (MAX_DEPTH - 2) + "d"
    assert unmarked("[[a" * (MAX_DEPTH - 1) + "[[c|d]]", Marks()) == "a" * (MAX_DEPTH - 1) + "cd"


def test_a_character_reference_of_thousands_of_digits_is_no_number_to_read() -> None:
    lines = [f"&#{'9' * 5_000}; The tower is 300 m high. &#x{'f' * 9_000};"]
    (found,) = plain_lines(lines)
    assert "The tower is 300 m high." in found.text
    assert "999" not in found.text


@pytest.mark.timeout(20)
def test_spaces_in_a_file_link_take_time_in_proportion() -> None:
    """A pattern that went back over them took ten seconds for a tenth of these, and would hang here."""
    lines = [f"[[File:a.jpg|alt={' ' * 400_000}{{{{x|a=b|c=d e f}}}}|bb cc]] The end."]
    assert [found.text for found in plain_lines(lines)][-1] == "The end."
