"""What a person would say an edit changed: kind, sentence before and after, section, values, key."""

from __future__ import annotations

import pytest

from streams.records import ChangeType, Edit, FactChange, PerformerKind
from streams.stages.diff import text_delta
from streams.stages.fact_key import MAX_SHOWN
from streams.stages.facts import fact_changes


def an_edit(wiki: str = "enwiki", title: str = "Ada Example") -> Edit:
    return Edit(
        event_id="e",
        wiki=wiki,
        server_name="en.wikipedia.org",
        title=title,
        namespace=0,
        rev_id=2,
        parent_id=1,
        performer="192.0.2.7",
        performer_kind=PerformerKind.IP,
        event_time=0.0,
        arrival_time=0.0,
    )


def told(before: str, after: str, wiki: str = "enwiki", limit: int = 8) -> tuple[FactChange, ...]:
    return fact_changes(an_edit(wiki), text_delta(before, after), limit)


def one(before: str, after: str, wiki: str = "enwiki") -> FactChange:
    changes = told(before, after, wiki)
    assert len(changes) == 1, changes
    return changes[0]


@pytest.mark.parametrize(
    ("before", "after", "kind", "gone", "come"),
    [
        ("She led 1,809 men.", "She led 1,890 men.", ChangeType.NUMBER, "1809", "1890"),
        ("She had four sons.", "She had nine sons.", ChangeType.NUMBER, "4", "9"),
        ("She was born in 1809 here.", "She was born in 1890 here.", ChangeType.DATE, "1809", "1890"),
        ("Born on May 3, 1809.", "Born on 4 May 1809.", ChangeType.DATE, "1809-05-03", "1809-05-04"),
        ("It is 3.5 km long.", "It is 5.3 km long.", ChangeType.QUANTITY, "3.5 km", "5.3 km"),
        ("It cost $5 million.", "It cost $6 million.", ChangeType.QUANTITY, "5000000 $", "6000000 $"),
        ("It was −5 °C cold.", "It was 5 °C cold.", ChangeType.QUANTITY, "-5 °C", "5 °C"),
        (
            "She met Bob Stone there.",
            "She met Tim Rock there.",
            ChangeType.NAME,
            "Bob Stone",
            "Tim Rock",
        ),
    ],
)
def test_a_changed_value_names_the_change(
    before: str, after: str, kind: ChangeType, gone: str, come: str
) -> None:
    change = one(before, after)
    assert (change.change_type, change.before_values, change.after_values) == (kind, (gone,), (come,))
    assert (change.before, change.after) == (before, after)


@pytest.mark.parametrize(
    ("wiki", "before", "after", "kind"),
    [
        ("enwiki", "He was a friend.", "He was not a friend.", ChangeType.NEGATION),
        ("enwiki", "It is true.", "It isn't true.", ChangeType.NEGATION),
        ("hewiki", "הוא נולד בשנת 1809.", "הוא לא נולד בשנת 1809.", ChangeType.NEGATION),
        ("hiwiki", "वे राष्ट्रपति थे।", "वे राष्ट्रपति नहीं थे।", ChangeType.NEGATION),
        ("zhwiki", "他是总统。", "他不是总统。", ChangeType.NEGATION),
        ("jawiki", "1809年2月12日に生まれた。", "1890年2月12日に生まれた。", ChangeType.DATE),
        ("arwiki", "ولد عام ١٨٠٩ هنا.", "ولد عام ١٨٩٠ هنا.", ChangeType.NUMBER),
        ("thwiki", "เกิดในปี 1809 ที่นี่ เขาเป็น", "เกิดในปี 1890 ที่นี่ เขาเป็น", ChangeType.NUMBER),
        (
            "ruwiki",
            "Родился 12 февраля 1809 г. там.",
            "Родился 12 февраля 1890 г. там.",
            ChangeType.DATE,
        ),
        ("dewiki", "Es hat 1.809.000 Einwohner.", "Es hat 1.908.000 Einwohner.", ChangeType.NUMBER),
    ],
)
def test_other_languages(wiki: str, before: str, after: str, kind: ChangeType) -> None:
    assert one(before, after, wiki).change_type is kind


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A b [[c|d]] e '''f'''.", "A b ''d'' e f."),
        ("One two.  Three four.", "One two. Three four."),
        (
            "Text.<ref>{{cite web|url=http://x|title=A}}</ref>",
            "Text.<ref>{{cite web|url=http://y}}</ref>",
        ),
        ("It has 1 809 people.", "It has 1&nbsp;809 people."),
        ("A “quote” – here.", 'A "quote" - here.'),
        ("Word here.", "Wo\u200brd here."),
        ("She came, saw (and won).", "She came saw and won."),
        ("First sentence. Second sentence.", "Second sentence. First sentence."),
        ("One line here.\n\nTwo lines there.", "Two lines there.\n\nOne line here."),
        ("Old text.<!-- a -->", "Old text.<!-- b -->"),
        ("Old text.\n[[Category:A]]\n[[de:A]]", "Old text.\n[[Category:B]]"),
    ],
)
def test_markup_spacing_and_moves_are_no_change(before: str, after: str) -> None:
    assert told(before, after) == ()


def test_an_infobox_value_is_a_statement() -> None:
    page = "{{{{Infobox person\n| name = X\n| birth_date = {{{{birth date|{}|2|12}}}}\n}}}}\nText."
    change = one(page.format(1809), page.format(1890))
    assert (change.before, change.after) == ("birth_date: 1809-02-12", "birth_date: 1890-02-12")
    assert change.change_type is ChangeType.DATE


def test_a_replaced_infobox_value_is_paired_however_unlike() -> None:
    change = one("{{Box\n| spouse = [[Mary Stone]]\n}}", "{{Box\n| spouse = nobody at all, lol\n}}")
    assert (change.before, change.after) == ("spouse: Mary Stone", "spouse: nobody at all, lol")


def test_a_table_cell_is_labelled_by_its_row() -> None:
    change = one('{| class="x"\n| Paris || 2,100 || a\n|}', '{| class="x"\n| Paris || 3,100 || a\n|}')
    assert (change.before, change.after) == ("Paris: 2,100, a", "Paris: 3,100, a")


def test_numbers_come_before_wording_insertions_and_deletions() -> None:
    before = "Cats are good pets. She led 18 men.\n\nThis last line goes away soon."
    after = "Cats are awful pets. She led 81 men.\n\nZZZ ZZZ!!"
    kinds = [change.change_type for change in told(before, after)]
    assert kinds == [ChangeType.NUMBER, ChangeType.WORDING, ChangeType.INSERTION, ChangeType.DELETION]


def test_a_blanked_section_is_its_sentences_under_its_heading() -> None:
    kept = "== Life ==\nA first fact here.\n"
    changes = told(kept + "\n== War ==\nThe war began. The war ended. It was long.", kept, limit=2)
    assert [(c.change_type, c.section, c.before, c.after) for c in changes] == [
        (ChangeType.DELETION, "War", "The war began.", ""),
        (ChangeType.DELETION, "War", "The war ended.", ""),
    ]


def test_a_blanked_page_is_told_up_to_the_limit() -> None:
    page = "\n\n".join(f"Fact number {i} stands here." for i in range(500))
    changes = told(page, "")
    assert [change.change_type for change in changes] == [ChangeType.DELETION] * 8
    assert changes[0].before == "Fact number 0 stands here."


def test_the_section_is_the_heading_above_without_markup() -> None:
    page = "Lead.\n== The [[war]] of '''1812''' ==\nText.\n=== Later ===\nShe led {} men.\n== End ==\nX."
    assert one(page.format(18), page.format(81)).section == "Later"
    assert one("He is 18 old.\n== A ==\nX.", "He is 81 old.\n== A ==\nX.").section == ""


def test_one_sentence_has_one_key_whatever_the_value() -> None:
    a, b, c = (
        "She was born in 1809 in Kent.",
        "She was born in 1890 in Kent.",
        "She was born in 1,901 in Kent.",
    )
    keys = {one(x, y).fact_key for x, y in ((a, b), (b, c), (c, a), (b, a))}
    assert len(keys) == 1


def test_words_that_changed_places_have_one_key_either_way() -> None:
    a, b = "She met Ada Bob then.", "She met Bob Ada then."
    assert one(a, b).fact_key == one(b, a).fact_key


def test_swapped_values_stay_with_their_labels() -> None:
    box = "{{{{Box\n| name = {}\n| spouse = {}\n}}}}"
    changes = told(
        box.format("Ada Stonebridge", "Bob Rockefort"), box.format("Bob Rockefort", "Ada Stonebridge")
    )
    assert {(change.before, change.after) for change in changes} == {
        ("name: Ada Stonebridge", "name: Bob Rockefort"),
        ("spouse: Bob Rockefort", "spouse: Ada Stonebridge"),
    }


def test_no_more_than_the_limit_is_told() -> None:
    page = "\n\n".join(f"She led {{}}{i} men of her own." for i in range(9))
    assert len(told(page.format(*[1] * 9), page.format(*[2] * 9), limit=4)) == 4


def test_keys_tell_facts_pages_and_wikis_apart() -> None:
    two = told("Born in 1809. Died in 1865.\n", "Born in 1890. Died in 1856.\n")
    assert len({change.fact_key for change in two}) == 2
    delta = text_delta("Born in 1809.", "Born in 1890.")
    edits = (an_edit(), an_edit(title="Other"), an_edit(wiki="dewiki"))
    assert len({fact_changes(edit, delta)[0].fact_key for edit in edits}) == 3


def test_a_deleted_sentence_and_its_return_have_one_key() -> None:
    gone, back = one("A b c.\nNew fact here.", "A b c."), one("A b c.", "A b c.\nNew fact here.")
    assert gone.fact_key == back.fact_key
    assert (gone.before, back.after) == ("New fact here.", "New fact here.")


def test_a_long_sentence_is_shown_around_its_change() -> None:
    words = " ".join(f"word{i}" for i in range(300))
    change = one(f"{words} led 18 men {words}.", f"{words} led 81 men {words}.")
    for shown, value in ((change.before, "led 18 men"), (change.after, "led 81 men")):
        assert value in shown
        assert shown.startswith("…")
        assert shown.endswith("…")
        assert len(shown) <= MAX_SHOWN


def test_hostile_text_is_quoted_as_it_is() -> None:
    hostile = "<script>alert(1)</script>\u202e evil {{subst:x}} text\x07 here"
    (change,) = told("", hostile)
    assert "\u202e" in change.after
    assert "\x07" in change.after
    assert "<script>" not in change.after
