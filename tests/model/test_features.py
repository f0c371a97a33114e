"""A feature is the same number in training and live, and knows nothing that came later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from models.classifier import load_classifier
from models.content_features import CONTENT_NAMES, content_features
from models.features import FEATURE_NAMES, extract, matrix_of
from models.replay import Replay
from models.word_features import WORD_CONTENT_NAMES, WORD_HISTORY_NAMES
from streams.records import Edit, PerformerKind, Reason
from streams.stages.diff import delta_of, text_delta
from streams.state.words import WordMemory
from tests.core_world import Core
from tests.model.histories import edit_of, life

AT = {name: at for at, name in enumerate(FEATURE_NAMES)}


def rows_of(edits: list[Edit]) -> list[list[float]]:
    return [one.row for one in Replay().edits(edits)]


def same(one: list[float], other: list[float]) -> bool:
    return all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))


class RecordingScorer:
    """Keeps the rows that the pipeline asks for."""

    version = "recording"

    def __init__(self) -> None:
        self.rows: list[list[float]] = []

    def row(self, *known: Any) -> list[float]:
        row = extract(*known)
        self.rows.append(row)
        return row

    def matrix(self, rows: Sequence[list[float]]) -> npt.NDArray[np.float64]:
        return np.array(rows)

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.zeros(len(matrix))

    def thresholds(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.full(len(matrix), 0.5)

    def asked_thresholds(
        self, met: npt.NDArray[np.float64], known: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        return self.thresholds(known)

    def reasons_of(self, rows: Sequence[list[float]]) -> list[tuple[Reason, ...]]:
        return [() for _ in rows]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_training_rows_are_the_pipelines_rows(tmp_path: Path, batch: int) -> None:
    edits = life(seed=5, edits=120)
    scorer = RecordingScorer()
    with Core(tmp_path, scorer, history=True) as core:
        for start in range(0, len(edits), batch):
            core.take(edits[start : start + batch])
    assert len(scorer.rows) == len(edits)
    for edit, trained, served in zip(edits, rows_of(edits), scorer.rows, strict=True):
        assert same(trained, served), edit.event_id


@pytest.mark.parametrize("kept", [1, 20, 60])
def test_what_comes_later_changes_no_row(kept: int) -> None:
    edits = life(seed=8, edits=90)
    others = life(seed=9, edits=90)
    later = [
        msgspec.structs.replace(edit, event_time=edit.event_time + 1e8, rev_id=edit.rev_id + 10_000)
        for edit in others
    ]
    alone, followed, otherwise = rows_of(edits[:kept]), rows_of(edits), rows_of(edits[:kept] + later)
    for row, one, other in zip(alone, followed, otherwise, strict=False):
        assert same(row, one)
        assert same(row, other)


def test_every_row_has_a_number_for_every_name() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    for row in rows_of(life(seed=1, edits=60)):
        assert len(row) == len(FEATURE_NAMES)
        assert not any(math.isinf(value) for value in row)


def test_without_content_its_features_are_missing_and_the_rest_is_not() -> None:
    [_, edit] = life(seed=2, edits=2)
    row = extract(msgspec.structs.replace(edit, content=None), None, None, None, None)
    for name in CONTENT_NAMES + WORD_CONTENT_NAMES + WORD_HISTORY_NAMES + ("text_score",):
        assert math.isnan(row[AT[name]]), name
    assert row[AT["comment_empty"]] in (0.0, 1.0)
    assert not math.isnan(row[AT["size_change"]])


@pytest.mark.parametrize("without", [(), (0,), (1, 3), (0, 1, 2, 3, 4)])
def test_rows_without_content_may_stand_among_whole_ones(without: tuple[int, ...]) -> None:
    classifier = load_classifier()
    edits = [
        msgspec.structs.replace(edit, content=None) if at in without else edit
        for at, edit in enumerate(life(seed=3, edits=5))
    ]
    known = [(edit, delta_of(edit), None, None, None) for edit in edits]
    trained = np.array([extract(*one, classifier.text) for one in known])
    live = matrix_of([classifier.row(*one) for one in known])
    np.testing.assert_array_equal(live, trained)
    np.testing.assert_array_equal(classifier.matrix([]), trained[:0])
    alone = [classifier.score(trained[at : at + 1])[0] for at in range(len(edits))]
    np.testing.assert_array_equal(classifier.score(live), alone)
    assert len(set(classifier.thresholds(live)[list(without)])) <= 1


def test_a_page_met_live_has_words_but_no_ages() -> None:
    edit = edit_of(9, "ant bee cat gnu", (8, "ant bee cat dog"), "Anna", 5_000.0)
    words = WordMemory()
    words.stand_at(8, "ant bee cat dog", 5_000.0)
    row = extract(edit, delta_of(edit), None, None, words)
    assert row[AT["new_share"]] == 1.0
    for name in WORD_HISTORY_NAMES:
        assert math.isnan(row[AT[name]]), name


def test_a_word_thrown_out_before_is_known_when_it_comes_back() -> None:
    good, bad = "ant bee cat", "ant bee cat BUTTZ"
    texts = [(1, good, "Anna"), (2, bad, "10.0.0.1"), (3, good, "Bert"), (4, bad, "10.0.0.2")]
    edits = [edit_of(1, good, None, "Anna", 0.0)]
    edits += [
        edit_of(rev_id, text, (before_id, before), who, 100.0 * rev_id)
        for (before_id, before, _), (rev_id, text, who) in pairwise(texts)
    ]
    rows = rows_of(edits)
    assert rows[1][AT["thrown_share"]] == 0.0
    assert rows[3][AT["thrown_share"]] == 1.0
    assert rows[3][AT["never_seen_share"]] == 0.0
    assert rows[1][AT["never_seen_share"]] == 1.0


def test_an_old_value_for_a_new_one_shows_as_a_difference_of_ages() -> None:
    texts = ["born 1809 here", "born 1809 here now", "born 1809 here now too", "born 1909 here now too"]
    edits = [edit_of(1, texts[0], None, "Anna", 0.0)]
    edits += [
        edit_of(rev_id + 1, after, (rev_id, before), "Anna", 86_400.0 * rev_id)
        for rev_id, (before, after) in enumerate(pairwise(texts), start=1)
    ]
    row = rows_of(edits)[3]
    assert row[AT["number_swaps"]] == pytest.approx(math.log1p(1))
    assert row[AT["age_difference"]] > 0
    assert row[AT["removed_age_min"]] == pytest.approx(math.log1p(3))


@pytest.mark.parametrize(
    ("before", "after", "name", "sign"),
    [
        ("A fact.<ref>x</ref>", "A fact.", "reference_change", -1),
        ("A fact.", "A fact.<ref>x</ref>", "reference_change", 1),
        ("see it", "see [[it]] and [[that]]", "link_change", 1),
        ("see it", "see http://spam.example it", "external_link_change", 1),
        ("{{Box}} it", "it", "template_change", -1),
        ("one\ntwo", "one\n== Head ==\ntwo", "heading_change", 1),
    ],
)
def test_markup_that_comes_or_goes_is_counted(before: str, after: str, name: str, sign: int) -> None:
    edit = edit_of(2, after, (1, before), "Anna", 5.0)
    row = extract(edit, text_delta(before, after), None, None, None)
    assert math.copysign(1, row[AT[name]]) == sign
    assert row[AT[name]] != 0


@pytest.mark.parametrize("kind", list(PerformerKind))
def test_every_kind_of_performer_gives_a_row(kind: PerformerKind) -> None:
    edit = msgspec.structs.replace(life(seed=3, edits=1)[0], performer_kind=kind, content=None)
    row = extract(edit, None, None, None, None)
    assert math.isnan(row[AT["anonymous"]]) == (kind is PerformerKind.HIDDEN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n" * 5_000,
        "x" * 300_000,
        "\u202e\ud7ff\x00{{{[[[",
        "\U0001f600" * 2_000,
        "[[" * 9_000,
        "a " * 90_000,
    ],
    ids=["empty", "lines", "one word", "marks", "emoji", "brackets", "words"],
)
def test_odd_texts_give_finite_or_missing_numbers(text: str) -> None:
    for before, after in (("Some words here.", text), (text, "Some words here.")):
        edit = edit_of(2, after, (1, before), "10.0.0.1", 10.0)
        [row] = rows_of([edit])
        assert not any(math.isinf(value) for value in row)


@pytest.mark.parametrize(
    ("before", "after", "magnitudes"),
    [
        ("It is 187 m high.", "It is 9999 m high.", math.log10(10_000) - math.log10(188)),
        (
            "Pop. 420,000 souls.",
            "Pop. 420,000,000 souls.",
            math.log10(420_000_001) - math.log10(420_001),
        ),
        ("Opened in 1911.", "Opened in 1912.", math.log10(1_913) - math.log10(1_912)),
        ("It is ١٨٧ m high.", "It is 187 m high.", 0.0),
        ("It is high.", "It is tall.", math.nan),
    ],
)
def test_how_far_a_number_jumps(before: str, after: str, magnitudes: float) -> None:
    edits = [edit_of(1, before, None, "Anna", 0.0), edit_of(2, after, (1, before), "Ben", 60.0)]
    assert rows_of(edits)[1][AT["number_jump"]] == pytest.approx(magnitudes, nan_ok=True)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "Born 1809. In 1809 he was born. Box 1809.",
            "Born 1909. In 1809 he was born. Box 1809.",
            {"old_elsewhere": math.log1p(2), "new_elsewhere": 0.0, "digits_changed": 0.25,
             "same_digits": 1.0, "year_swapped": 1.0, "year_ahead": 0.0},
        ),
        ("Four or 4 sons, 14 in all.", "Four or 14 sons, 14 in all.",
         {"new_elsewhere": math.log1p(1), "digits_changed": 1.0, "same_digits": 0.0}),
        ("Closed in 1999.", "Closed in 2999.", {"year_ahead": 1.0}),
        ("He was guilty of it.", "He was not guilty of it.", {"negations_added": 1.0, "negations_removed": 0.0}),
        ("It was never shown.", "It was shown.", {"negations_added": 0.0, "negations_removed": 1.0}),
        ("One two three four.", "One two three four five.", {"old_elsewhere": math.nan}),
    ],
    ids=["year", "another number of the page", "a year to come", "negated", "no longer negated", "no swap"],
)  # fmt: skip
def test_what_a_swapped_value_contradicts(before: str, after: str, expected: dict[str, float]) -> None:
    first = msgspec.structs.replace(edit_of(1, before, None, "Anna", 1e9), wiki="enwiki")
    swap = msgspec.structs.replace(edit_of(2, after, (1, before), "Ben", 1.1e9), wiki="enwiki")
    row = rows_of([first, swap])[1]
    for name, value in expected.items():
        assert row[AT[name]] == pytest.approx(value, nan_ok=True), name


@pytest.mark.parametrize(
    ("before", "after", "likeness", "put_in"),
    [
        ("the recieved view\n", "the received view\n", 0.75, 0.0),
        ("ten days in the town\n", "tenne days in the town\n", 0.6, 1.0),
        ("born in Kentucky\n", "born in zxwv\n", 0.0, 0.0),
        ("the Image here\n", "the image here\n", 1.0, 0.0),
        ("ten days in Rome\n", "tenne days in Dallas\n", 0.3, 0.5),
    ],
)
def test_a_word_put_right_looks_like_the_one_it_takes_the_place_of(
    before: str, after: str, likeness: float, put_in: float
) -> None:
    found = dict(zip(CONTENT_NAMES, content_features(text_delta(before, after)), strict=True))
    assert found["swap_likeness"] == pytest.approx(likeness)
    assert found["swap_put_in"] == pytest.approx(put_in)


@pytest.mark.parametrize(
    ("before", "after"), [("in 1850\n", "in 1851\n"), ("in Rome\n", "in Rome now\n")]
)
def test_numbers_and_mere_additions_are_no_exchanged_words(before: str, after: str) -> None:
    found = dict(zip(CONTENT_NAMES, content_features(text_delta(before, after)), strict=True))
    assert math.isnan(found["swap_likeness"])
    assert math.isnan(found["swap_put_in"])


def test_negations_are_looked_for_in_the_languages_that_are_known() -> None:
    edit = edit_of(2, "a not b", (1, "a b"), "Ben", 5.0)  # testwiki: no language of ours
    row = extract(edit, text_delta("a b", "a not b"), None, None, None)
    assert math.isnan(row[AT["negations_added"]])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("See it.", "See it. [http://spam.example/x Buy]", {"domains_added": 1.0, "new_domains": 1.0}),
        (
            "See [http://www.old.example a].",
            "See [http://www.old.example a] and [http://old.example/b b].",
            {"domains_added": 1.0, "new_domains": 0.0},
        ),
        ("It.", "It.\n[[Category:Bridges]]\n[[Kategorie:X]]", {"category_change": 2.0}),
        ("It.\n[[Category:Bridges]]", "It.", {"category_change": -1.0}),
        ("He said so then.", 'He said "never in all my life" so then.', {"glued": 0.0}),
        ("A sentence, here.", "A sentenceLOL, here.", {"odd_capitals": 1.0}),
        ("A page of words.", "A page of words. asdfghjkl", {"keyboard_run": 8.0}),
        ("A page of words.", "A page of words. brtkspf", {"consonant_run": 7.0}),
    ],
)
def test_links_setting_and_runs(before: str, after: str, expected: dict[str, float]) -> None:
    edits = [edit_of(1, before, None, "Anna", 0.0), edit_of(2, after, (1, before), "Ben", 60.0)]
    row = rows_of(edits)[1]
    for name, value in expected.items():
        assert row[AT[name]] == value, name


def test_text_like_that_around_it_takes_few_bytes() -> None:
    lines = "\n".join(f"The {n}th bridge over the river Alda was opened in 19{n:02}." for n in range(20))
    alike, odd = (
        rows_of(
            [
                edit_of(1, lines, None, "Anna", 0.0),
                edit_of(2, f"{lines}\n{added}", (1, lines), "Ben", 60.0),
            ]
        )[1][AT["context_compression"]]
        for added in (
            "The 20th bridge over the river Alda was opened in 1920.",
            "Zxq vbk jfw oiu yqm plx gzt hdn cvr wks ebu tma jyp qod.",
        )
    )
    assert alike < 0.6 * odd


def test_how_long_ago_an_added_word_was_taken_out() -> None:
    good, bad = "A page of words.", "A page of rude words."
    texts = [(1, good, "Anna"), (2, bad, "10.0.0.1"), (3, good, "Bert"), (4, bad, "10.0.0.2")]
    edits = [edit_of(1, good, None, "Anna", 0.0)]
    edits += [
        edit_of(rev_id, text, (before_id, before), who, 100.0 * rev_id)
        for (before_id, before, _), (rev_id, text, who) in pairwise(texts)
    ]
    rows = rows_of(edits)
    assert math.isnan(rows[1][AT["gone_since"]])
    assert rows[3][AT["gone_since"]] == pytest.approx(math.log1p(2))  # this one counts


@pytest.mark.parametrize(
    ("comment", "undoes"),
    [
        ("Reverted edits by [[Special:Contributions/10.0.0.1|10.0.0.1]] to last revision by Anna", 1.0),
        ("Änderung 12 von [[Spezial:Beiträge/Bert Ö|Bert Ö]] rückgängig gemacht", 1.0),
        ("استرجع تعديلات [[خاص:مساهمات/10.0.0.1|10.0.0.1]]", 1.0),
        ("a source, see [[Talk:Bridge/Archive 1|the talk]]", 0.0),
        ("[[Bridge|Bridge]] and [[a/b|c]]", 0.0),
        ("/* History */ more", 0.0),
        ("", 0.0),
    ],
)
def test_a_summary_that_undoes_somebodys_edits_is_known_in_any_language(
    comment: str, undoes: float
) -> None:
    [_, edit] = life(seed=2, edits=2)
    row = extract(msgspec.structs.replace(edit, comment=comment), None, None, None, None)
    assert row[AT["comment_undoes"]] == undoes


def test_of_a_difference_alone_it_is_known_how_its_words_are_spelled() -> None:
    edit = edit_of(9, "ant bee qwertyui", (8, "ant bee cat"), "Anna", 5_000.0)
    row = extract(edit, delta_of(edit), None, None, None)
    assert row[AT["keyboard_run"]] == 7.0
    assert row[AT["net_added"]] == row[AT["net_removed"]] == math.log1p(1)
    assert row[AT["rude_added"]] == 0.0
    for name in ("new_share", "surprise_mean", *WORD_HISTORY_NAMES):
        assert math.isnan(row[AT[name]]), name
