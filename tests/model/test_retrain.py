"""A challenger learns from what was seen, is tested on what it never saw, and replaces nothing better."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models import artifact_files
from models import retrain as retraining
from models.classifier import ARTIFACT_DIR, load_classifier
from models.contest import Outcome, contest
from models.feature_set import feature_set_of
from models.features import FEATURE_NAMES, KNOWN_WITH_CONTENT
from models.refit import refit
from models.retrain import LEAST_RATE, MIN_DAMAGING, MIN_SETTLED, RetrainReport, retrain
from models.seen import SeenRows
from models.situations import SITUATIONS, AskedAbout
from streams.errors import BadInput

AT = {name: at for at, name in enumerate(FEATURE_NAMES)}
CHAMPION = load_classifier()


def seen(
    edits: int = 4_000,
    *,
    pages: int = 900,
    sign: str = "comment_links",
    texts: bool = False,
    seed: int = 1,
) -> SeenRows:
    """Edits of which a tenth is damaging; `sign` is high in nearly all of these, and in few others."""
    random = np.random.default_rng(seed)
    damaging = random.random(edits) < 0.1
    matrix = np.full((edits, len(FEATURE_NAMES)), np.nan)
    matrix[:, : AT[KNOWN_WITH_CONTENT]] = 0.0
    matrix[:, AT["anonymous"]] = random.random(edits) < 0.3
    matrix[:, AT["size_change"]] = random.normal(0, 3, edits)
    if texts:
        matrix[:, AT[KNOWN_WITH_CONTENT] :] = np.abs(
            random.normal(0, 1, (edits, len(FEATURE_NAMES) - AT[KNOWN_WITH_CONTENT]))
        )
    matrix[:, AT[sign]] = np.where(random.random(edits) < 0.95, damaging, ~damaging)
    return SeenRows(
        matrix,
        damaging,
        np.where(random.random(edits) < 0.5, 1.0, 8.0),
        np.arange(edits, dtype=float),
        random.integers(0, pages, edits),
        np.full(edits, "enwiki"),
        CHAMPION.score(matrix),
        np.full(edits, CHAMPION.version),
    )


def learn(rows: SeenRows, out: Path, champion: Path = ARTIFACT_DIR) -> RetrainReport:
    return retrain(champion, out, rows, lambda what, share: None)


def test_what_is_learnt_here_is_better_here(tmp_path: Path) -> None:
    report = learn(seen(), tmp_path / "new")
    assert report.contest.outcome is Outcome.BETTER
    roc = report.contest.figures[0]
    assert roc.challenger.low > roc.champion.high
    challenger = load_classifier(tmp_path / "new")
    assert challenger.version == report.challenger != CHAMPION.version
    assert feature_set_of(challenger.text) == feature_set_of(CHAMPION.text)
    assert challenger._difference.calibration == CHAMPION._difference.calibration
    of_differences = challenger._difference.trees.columns["value"]
    assert np.array_equal(of_differences, CHAMPION._difference.trees.columns["value"])
    assert report.challenger in (tmp_path / "new" / "MODEL_CARD.md").read_text()


def test_it_is_calibrated_on_what_it_never_saw(tmp_path: Path) -> None:
    learn(seen(), tmp_path / "new")
    fresh = seen(seed=2)
    risk = load_classifier(tmp_path / "new").score(fresh.matrix)
    assert (
        abs(np.average(risk, weights=fresh.weight) - np.average(fresh.damaging, weights=fresh.weight))
        < 0.02
    )


def test_it_alerts_as_often_as_the_champion_where_there_is_enough_to_tell(tmp_path: Path) -> None:
    rows = seen()
    learn(rows, tmp_path / "new")
    challenger = load_classifier(tmp_path / "new")
    fresh = seen(seed=3)
    stood = ~fresh.damaging
    matrix, weight = fresh.matrix[stood], fresh.weight[stood]
    shares = [
        np.average(model.score(matrix) >= model.thresholds(matrix), weights=weight)
        for model in (CHAMPION, challenger)
    ]
    assert shares[1] == pytest.approx(shares[0], abs=0.01)


def test_pages_asked_about_have_thresholds_of_its_own_where_the_champion_has(tmp_path: Path) -> None:
    rows = seen()
    learn(rows, tmp_path / "new")
    challenger = load_classifier(tmp_path / "new")
    stood = ~rows.damaging
    matrix, weight = rows.matrix[stood], rows.weight[stood]
    shares = [
        np.average(model.score(matrix) >= model.manifest.thresholds[AskedAbout.OTHER], weights=weight)
        for model in (CHAMPION, challenger)
    ]
    assert shares[1] == pytest.approx(shares[0], abs=0.01)
    assert (
        challenger.manifest.thresholds[AskedAbout.OTHER]
        != CHAMPION.manifest.thresholds[AskedAbout.OTHER]
    )

    arrays, manifest = artifact_files.read(ARTIFACT_DIR)
    older = {name: limit for name, limit in manifest.thresholds.items() if name not in list(AskedAbout)}
    artifact_files.write(
        tmp_path / "old", arrays, msgspec.structs.replace(manifest, thresholds=older), ""
    )
    learn(rows, tmp_path / "newer", tmp_path / "old")
    assert set(load_classifier(tmp_path / "newer").manifest.thresholds) == set(SITUATIONS)


def test_what_it_unlearnt_keeps_the_champion(tmp_path: Path) -> None:
    """What was seen first was another custom than what is seen now."""
    learn(seen(), tmp_path / "champion")
    now, before = seen(seed=4), seen(sign="minor", seed=5)
    cut = int(0.8 * now.edits)
    mixed = now._replace(
        matrix=np.vstack([before.matrix[:cut], now.matrix[cut:]]),
        damaging=np.concatenate([before.damaging[:cut], now.damaging[cut:]]),
    )
    report = learn(mixed, tmp_path / "new", tmp_path / "champion")
    assert report.contest.outcome is Outcome.WORSE
    assert not report.contest.outcome.may_replace
    assert "ROC-AUC" in report.contest.why


def test_the_newest_edits_and_their_pages_are_never_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt, tested = [], []
    monkeypatch.setattr(retraining, "refit", lambda *given: learnt.append(given[2]) or refit(*given))
    monkeypatch.setattr(retraining, "contest", lambda *given: tested.append(given[0]) or contest(*given))
    rows = seen(pages=1_500)
    report = learn(rows, tmp_path / "new")
    (older,), (newest,) = learnt, tested
    assert older.event_time.max() < newest.event_time.min() == report.learnt_until
    assert not set(older.page.tolist()) & set(newest.page.tolist())
    assert older.edits + newest.edits + report.left_out_pages == rows.edits
    assert newest.weight.sum() == pytest.approx(0.2 * rows.weight.sum(), rel=0.01)


def test_recall_is_compared_at_the_champions_own_rate_but_never_at_next_to_none(tmp_path: Path) -> None:
    rows = seen()
    report = learn(rows, tmp_path / "champion")
    assert report.contest.false_positive_rate >= LEAST_RATE
    arrays, manifest = artifact_files.read(tmp_path / "champion")
    eager = msgspec.structs.replace(manifest, thresholds=dict.fromkeys(SITUATIONS, 0.03))
    artifact_files.write(tmp_path / "eager", arrays, eager, "")
    model = load_classifier(tmp_path / "eager")
    newest = rows.at(rows.event_time >= report.learnt_until)
    wrong = ~newest.damaging & (model.score(newest.matrix) >= 0.03)
    rate = newest.weight[wrong].sum() / newest.weight[~newest.damaging].sum()
    assert rate > 2 * LEAST_RATE
    found = learn(rows, tmp_path / "new", tmp_path / "eager").contest
    assert found.false_positive_rate == pytest.approx(rate)
    shy = msgspec.structs.replace(manifest, thresholds=dict.fromkeys(SITUATIONS, 1.0))
    artifact_files.write(tmp_path / "shy", arrays, shy, "")
    assert learn(rows, tmp_path / "new", tmp_path / "shy").contest.false_positive_rate == LEAST_RATE


def test_the_same_edits_give_the_same_model(tmp_path: Path) -> None:
    for name in ("one", "two"):
        learn(seen(), tmp_path / name)
    for file in ("model.skops", "manifest.json", "MODEL_CARD.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_edits_with_texts_get_trees_of_their_own_where_there_are_enough(tmp_path: Path) -> None:
    report = learn(seen(texts=True), tmp_path / "new")
    assert report.with_content
    assert report.contest.outcome is Outcome.BETTER


def test_where_there_are_few_with_texts_the_champions_trees_stay(tmp_path: Path) -> None:
    rows, few = seen(), seen(400, texts=True)
    rows.matrix[:400] = few.matrix
    report = learn(rows, tmp_path / "new")
    assert not report.with_content
    challenger = load_classifier(tmp_path / "new")
    assert challenger.score(few.matrix).tolist() == CHAMPION.score(few.matrix).tolist()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (seen().at(np.arange(MIN_SETTLED - 1)), "1,999 settled edits, 2,000 are wanted"),
        (
            seen()._replace(damaging=np.arange(4_000) < MIN_DAMAGING - 1),
            "99 of them reverted or called damaging, 100 are wanted",
        ),
        (seen(pages=30), "once the newest fifth and its pages are set aside"),
        (seen()._replace(damaging=np.arange(4_000) < 800), "0 damaging edits to test on"),
        (seen()._replace(page=np.where(np.arange(4_000) < 3_200, np.arange(4_000), -1)), "1 pages"),
    ],
)
def test_too_little_is_refused_and_said(rows: SeenRows, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=told):
        learn(rows, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def judged(
    challenger: NDArray[np.float64], champion: NDArray[np.float64], edits: int = 2_000
) -> Outcome:
    rows = seen(edits)
    return contest(rows, champion[:edits], challenger[:edits], 0.05).outcome


def scores(quality: float, seed: int, edits: int = 2_000) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    found: NDArray[np.float64] = 1 / (
        1 + np.exp(-(quality * (seen(edits).damaging - 0.5) + random.normal(0, 1, edits)))
    )
    return found


def test_outcomes_are_told_apart() -> None:
    usual = scores(1.5, 1)
    assert judged(scores(3, 2), usual) is Outcome.BETTER
    assert judged(usual, scores(3, 2)) is Outcome.WORSE
    assert judged(usual, usual) is Outcome.NOT_WORSE
    hair_worse = usual.copy()
    first = int(np.flatnonzero(seen(2_000).damaging)[0])
    hair_worse[first] = 0.0
    assert judged(hair_worse, usual) is Outcome.UNCLEAR
    assert judged(usual, hair_worse) is Outcome.NOT_WORSE


def test_a_gain_in_one_figure_makes_up_for_no_loss_in_the_other() -> None:
    """Finds more at the top, and puts the rest in a worse order."""
    rows = seen(2_000)
    usual = scores(2, 1)
    odd = np.where(rows.damaging & (np.arange(2_000) % 3 == 0), 0.999, 1 - usual)
    result = contest(rows, usual, odd, 0.0005)
    roc, recall = result.figures[:2]
    assert recall.difference.value > 0 > roc.difference.value
    assert result.outcome is Outcome.WORSE


def test_edits_of_one_page_are_no_proof_by_their_number() -> None:
    """All that the challenger does better it does on one page of many."""
    rows = seen(2_000, pages=200)
    usual = scores(1, 1)
    one_page = rows.page % 200 < 3
    better = usual.copy()
    better[one_page] = rows.damaging[one_page]
    by_page = contest(rows, usual, better, 0.05).figures[0].difference
    apart = contest(rows._replace(page=np.arange(2_000)), usual, better, 0.05).figures[0].difference
    assert by_page.value == apart.value
    assert by_page.high - by_page.low > apart.high - apart.low
