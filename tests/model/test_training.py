"""Training finds what is there to find, on articles it did not see, and gives the same artifact again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import artifact_files, figures
from models.classifier import load_classifier
from models.evaluate import evaluate, read_labels
from models.replay import Replay, edits_of
from models.situations import ASKED_BUDGET, AskedAbout
from models.train import TrainReport, train
from streams.errors import BadInput
from tests.model.histories import edit_of, export, life

TITLES = ("First", "Second", "Third")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data")
    (directory / "histories").mkdir()
    for seed, title in enumerate(TITLES):
        text = export(life(seed=seed, edits=450, title=title))
        (directory / "histories" / f"{title.lower()}.xml").write_text(text, encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainReport:
    return train(data, tmp_path_factory.mktemp("model"), leave_out=["third"])


def test_it_beats_the_anonymous_flag_on_articles_left_out(trained: TrainReport) -> None:
    assert {one.name for one in trained.left_out} == {"first", "second"}
    for one in trained.left_out:
        assert one.roc_auc > 0.97
        assert one.roc_auc > one.baseline_roc_auc
        assert one.bare_roc_auc > one.baseline_roc_auc - 0.02


def test_an_article_left_out_of_training_is_judged_well_and_calibrated(
    trained: TrainReport, data: Path
) -> None:
    report = evaluate([data / "histories" / "third.xml"], model_dir=trained.out_dir)
    assert report.seen_in_training == ()
    roc_auc = report.everybody.roc_auc.value
    assert roc_auc is not None
    assert report.everybody.baseline_roc_auc is not None
    assert roc_auc > max(0.97, report.everybody.baseline_roc_auc)
    assert report.everybody.calibration_error is not None
    assert report.everybody.calibration_error < 0.06
    own = report.own_calibration["everybody"]
    assert (own.edits, own.reverted) == (report.edits_scored, report.edits_reverted)
    assert own.calibration_error == report.everybody.calibration_error
    assert own.roc_auc == report.everybody.roc_auc.value
    assert own.own_calibration_error != own.calibration_error


def test_an_article_learnt_from_is_said_to_be_one(trained: TrainReport, data: Path) -> None:
    path = data / "histories" / "first.xml"
    assert evaluate([path], model_dir=trained.out_dir).seen_in_training == (str(path),)


def test_the_same_data_give_the_same_artifact(trained: TrainReport, data: Path, tmp_path: Path) -> None:
    again = train(data, tmp_path / "again", leave_out=["third"])
    assert again.version == trained.version
    for name in (artifact_files.MODEL_FILE, artifact_files.MANIFEST_FILE, artifact_files.CARD_FILE):
        assert (tmp_path / "again" / name).read_bytes() == (Path(trained.out_dir) / name).read_bytes()


def test_the_threshold_flags_about_one_in_a_hundred_of_those_that_stood(
    trained: TrainReport, data: Path
) -> None:
    classifier = load_classifier(trained.out_dir)
    replayed = Replay(classifier.text).edits(edits_of(data / "histories" / "third.xml"))
    scores = classifier.score(np.array([one.row for one in replayed]))
    stood = np.array([not one.reverted for one in replayed])
    assert (scores[stood] > classifier.threshold).mean() < 0.05


def test_edits_whose_page_is_asked_about_have_thresholds_learnt_of_such(trained: TrainReport) -> None:
    _, manifest = artifact_files.read(Path(trained.out_dir))
    asked = {name: manifest.thresholds[name] for name in AskedAbout}
    assert all(0 < threshold < 1 for threshold in asked.values())
    card = (Path(trained.out_dir) / artifact_files.CARD_FILE).read_text(encoding="utf-8")
    for name, threshold in asked.items():
        assert f"| {name} | {ASKED_BUDGET[name]:.1%} | {threshold:.3f} |" in card


def test_a_name_that_is_not_there_can_not_be_left_out(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="fourth"):
        train(data, tmp_path, leave_out=["fourth"])


def test_no_data_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no histories"):
        train(tmp_path, tmp_path / "out")


def test_labels_of_people_are_used_where_given(trained: TrainReport, data: Path, tmp_path: Path) -> None:
    path = data / "histories" / "third.xml"
    replayed = Replay().edits(edits_of(path))
    labels, scores = tmp_path / "labels.csv", tmp_path / "scores.csv"
    lines = [
        f"{one.edit.rev_id},{int(one.reverted)},{'Graffiti' if one.reverted else ''}"
        for one in replayed[:200]
    ]
    labels.write_text(
        "\n".join(["rev_id,damaging,kind", *lines, "999999999,1,Graffiti"]), encoding="utf-8"
    )
    report = evaluate([path], labels, scores, trained.out_dir)
    assert report.label == "damaging"
    assert report.labels_not_found == 1
    assert report.everybody.edits == 200
    assert report.by_kind["Graffiti"].edits == sum(one.reverted for one in replayed[:200])
    written = scores.read_text(encoding="utf-8").splitlines()
    assert written[0] == "rev_id,score"
    assert [int(line.partition(",")[0]) for line in written[1:]] == [one.edit.rev_id for one in replayed]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "columns"),
        ("rev_id,damaging,kind\n12,maybe,\n", "line 2"),
        ("rev_id,damaging,kind\nx,1,\n", "line 2"),
        ("rev_id,damaging,kind\n", "no labels"),
        ("", "columns"),
    ],
)
def test_labels_that_can_not_be_read_are_refused_with_the_line(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        read_labels(path)


def test_figures_of_a_case_worked_by_hand() -> None:
    label = np.array([True, False, True, False])
    score = np.array([0.9, 0.8, 0.7, 0.1])
    assert figures.roc_auc(label, score) == pytest.approx(3 / 4)
    assert figures.pr_auc(label, score) == pytest.approx((1 + 2 / 3) / 2)
    assert figures.recall_at(label, score, 0.01) == pytest.approx(1 / 2)
    assert figures.roc_auc(label, np.zeros(4)) == pytest.approx(1 / 2)
    assert figures.calibration_error(label, np.full(4, 0.5)) == pytest.approx(0.0)
    assert figures.calibration_error(label, np.full(4, 0.9)) == pytest.approx(0.4)


def test_vandalism_is_labelled_and_is_no_self_revert(data: Path) -> None:
    replayed = Replay().edits(edits_of(data / "histories" / "first.xml"))
    reverted = [one for one in replayed if one.reverted]
    assert len(reverted) > 50
    assert all(not one.self_reverted for one in reverted)


@pytest.mark.parametrize("history", ["none", "recent:50"])
def test_a_page_that_was_not_followed_is_judged_too(
    trained: TrainReport, data: Path, history: str
) -> None:
    report = evaluate([data / "histories" / "third.xml"], model_dir=trained.out_dir, history=history)
    assert report.history == history
    assert report.everybody.roc_auc.value is not None
    assert report.everybody.baseline_roc_auc is not None
    assert report.everybody.roc_auc.value > report.everybody.baseline_roc_auc
    assert report.edits_reverted > 50


def test_what_its_own_author_took_back_was_taken_back_but_is_no_revert() -> None:
    texts = ["A page of words.", "A page of BUTTZ.", "A page of words.", "A page of words, and more."]
    who = ["Anna", "10.0.0.1", "10.0.0.1", "Bert"]
    edits = [edit_of(1, texts[0], None, who[0], 1e9)]
    edits += [
        edit_of(at + 1, texts[at], (at, texts[at - 1]), who[at], 1e9 + 60.0 * at) for at in range(1, 4)
    ]
    replayed = Replay().edits(edits)
    assert [one.taken_back for one in replayed] == [False, True, False, False]
    assert not any(one.reverted for one in replayed)


def test_the_manifest_says_how_much_was_known_and_how_scores_were_spread(trained: TrainReport) -> None:
    manifest = load_classifier(trained.out_dir).manifest
    slices = manifest.metrics["left_out"][0]["slices"]
    assert next(iter(slices)) == "recent history"
    assert {"whole history", "page met first", "difference alone", "no content"} < set(slices)
    assert all(one["edits"] > 0 for one in slices.values())
    assert manifest.reference is not None
    assert "added_words" in manifest.reference.features
