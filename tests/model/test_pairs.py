"""The model of pairs: told from agreement alone, on articles it never saw, the same file from the same data."""

from __future__ import annotations

import random
from collections import Counter
from html import escape
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models import artifact_files
from models.pair_dataset import pairs_of
from models.pair_facts import FOUGHT_OVER, changed_part, reverted_facts, statable
from models.pair_figures import figures_of
from models.pair_fit import GRID, choose_thresholds, fit_pairs
from models.pair_maker import PostPair, Says
from models.pair_model import PAIRS_DIR, load_pair_model
from models.pair_rows import PairRows, rows_of
from models.train_pairs import history_files, load_pairs, write_model
from streams.errors import BadArtifact, BadInput
from streams.matching.pair_features import FALLING, FEATURE_NAMES, RISING
from streams.posts import HotFact, HotKind
from tests.model.histories import edit_of, sentence
from tests.unit.matching.facts import hot


def facts_of(title: str, count: int, seed: int) -> list[HotFact]:
    """Made-up facts whose year or name a vandal changed."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        told = sentence(rng).replace("[[", "").replace("]]", "").split("<ref>")[0].rstrip(".")
        before = f"{title} {told} as far as known."
        year = told.split()[-1]
        after = before.replace(year, str(int(year) + 7))
        found.append(hot(before, after, title=title, hot_id=f"{title}{number}"))
    return found


def made_pairs(title: str, seed: int, count: int = 40) -> list[PostPair]:
    return pairs_of(title, facts_of(title, count, seed), facts_of("Elsewhere", 10, 99), seed=1)


@pytest.fixture(scope="module")
def rows() -> list[PairRows]:
    return [
        rows_of(title, made_pairs(title, seed))
        for seed, title in enumerate(("First", "Second", "Third"))
    ]


def test_the_artifact_that_comes_with_the_program_is_as_its_manifest_says() -> None:
    model = load_pair_model()
    assert 0 < model.thresholds.suggested < model.thresholds.confirmed < 1
    assert model.manifest.feature_names == FEATURE_NAMES
    for one in model.manifest.metrics["left_out"]:
        assert one["good_flagged"] <= 0.01, one["name"]
        assert one["recall"] >= 0.9, one["name"]


def test_a_tampered_or_foreign_artifact_is_refused(tmp_path: Path) -> None:
    arrays, manifest = artifact_files.read(PAIRS_DIR)
    artifact_files.write(tmp_path, {**arrays, "calibration": np.zeros(2)}, manifest, "")
    with pytest.raises(BadArtifact, match="sha256"):
        load_pair_model(tmp_path)
    other = msgspec.structs.replace(manifest, feature_names=FEATURE_NAMES[::-1])
    artifact_files.write(tmp_path, arrays, other, "")
    with pytest.raises(BadArtifact, match="other features"):
        load_pair_model(tmp_path)


def test_the_probability_moves_in_the_direction_reason_gives() -> None:
    model = load_pair_model()
    rng = np.random.default_rng(3)
    base = rng.random((300, len(FEATURE_NAMES)))
    for names, sign in ((RISING, 1.0), (FALLING, -1.0)):
        for name in names:
            more = base.copy()
            more[:, FEATURE_NAMES.index(name)] += 0.5
            change = sign * (model.probability(more) - model.probability(base))
            assert change.min() >= -1e-12, name


def test_rows_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="rows of"):
        load_pair_model().probability(np.zeros((3, 2)))


def test_training_is_deterministic_to_the_byte(rows: list[PairRows], tmp_path: Path) -> None:
    versions = {write_model(tmp_path / str(at), fit_pairs(rows), {}).version for at in range(2)}
    assert len(versions) == 1


def test_an_article_left_out_is_told_by_the_others(rows: list[PairRows]) -> None:
    figures = figures_of("First", made_pairs("First", 0), fit_pairs(rows[1:]))
    assert figures.precision >= 0.95
    assert figures.recall >= 0.8
    assert figures.good_flagged <= 0.01


def test_the_same_facts_and_seed_give_the_same_pairs() -> None:
    assert made_pairs("First", 0) == made_pairs("First", 0)
    other = pairs_of("First", facts_of("First", 40, 0), facts_of("Elsewhere", 10, 99), seed=2)
    assert other != made_pairs("First", 0)


def test_pairs_of_every_kind_are_made() -> None:
    pairs = made_pairs("First", 0)
    assert {pair.says for pair in pairs} == set(Says)
    assert {"verbatim", "shared part", "other value", "other subject", "denial", "contrast", "same page", "other page",
            "longer post", "brief"} <= {pair.kind for pair in pairs}  # fmt: skip


def test_what_states_neither_side_has_neither_value() -> None:
    looked_at = 0
    for pair in made_pairs("First", 0):
        if pair.kind in ("other value", "shared part"):
            fact = pair.fact.fact
            values = [
                changed_part(*sides).split()[1]
                for sides in ((fact.after, fact.before), (fact.before, fact.after))
            ]
            assert not set(values) & set(pair.text.split()), pair.kind
            looked_at += 1
    assert looked_at >= 20


def test_the_changed_part_comes_with_a_word_on_either_side() -> None:
    assert changed_part("a b c d e", "a b X Y d e") == "b X Y d"
    assert changed_part("", "a b") == "a b"


def test_facts_are_taken_from_edits_that_somebody_else_reverted() -> None:
    good, bad = "Ada was born in 1815 in London town.", "Ada was born in 1915 in London town."
    parent = None
    edits = []
    for number, (text, who) in enumerate(
        [(good, "Good"), (bad, "10.0.0.1"), (good, "Good"), (bad, "10.0.0.1"), (good, "Good"),
         (good + " More.", "Vain"), (good, "Vain")], start=1
    ):  # fmt: skip
        edits.append(edit_of(number, text, parent, who, float(number)))
        parent = (number, text)
    found = list(reverted_facts(edits))
    assert [(one.rev_id, one.fact.before, one.fact.after) for one in found] == [
        (2, good, bad),
        (3, bad, good),  # the vandal's own revert: both directions of what is fought over
        (4, good, bad),
    ]
    assert FOUGHT_OVER == 2
    assert [one.kind for one in found] == [HotKind.VANDALISED, HotKind.VANDALISED, HotKind.CONTESTED]
    assert [one.rev_id for one in statable(found)] == [3, 4]


def test_the_lowest_threshold_that_is_precise_enough_is_chosen() -> None:
    label = np.array([True] * 500 + [False] * 500)
    score = np.concatenate([np.full(500, 0.9), np.full(500, 0.75)])
    empty = np.zeros(1000, dtype=bool)
    article = PairRows("x", np.zeros((1000, 1)), label, ~empty, np.ones(1000), empty)
    assert choose_thresholds([article], [score]).confirmed == pytest.approx(0.76)
    hopeless = choose_thresholds([article], [np.full(1000, 0.99)])
    assert hopeless.confirmed == GRID[-1]


def test_too_few_histories_are_refused(tmp_path: Path) -> None:
    (tmp_path / "histories").mkdir()
    (tmp_path / "histories" / f"{escape('one')}.xml").touch()
    with pytest.raises(BadInput, match="at least three"):
        history_files(tmp_path)


def test_real_histories_make_the_pairs_asked_for_and_are_told(shared_data: Path) -> None:
    paths = [
        path
        for path in history_files(shared_data)
        if "lincoln" not in path.name and "anarchism" not in path.name
    ]
    pairs = load_pairs(paths, lambda what, share: None)
    assert sum(map(len, pairs.values())) >= 2_000
    says = Counter(pair.says for own in pairs.values() for pair in own)
    assert min(says.values()) >= 200
    every = [pair for own in pairs.values() for pair in own]
    figures = figures_of("both", every, load_pair_model())
    assert figures.precision >= 0.98
    assert figures.recall >= 0.9
    assert figures.good_flagged <= 0.01
