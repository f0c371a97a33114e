"""The artifact is data that is checked, and a score is a function of its row alone."""

from __future__ import annotations

import io
import json
import math
import pickle
import random
import shutil
import time
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import skops.io

from models import artifact_files
from models.classifier import ARTIFACT_DIR, Classifier, load_classifier
from models.features import FEATURE_NAMES
from models.phrase_table import PHRASES
from models.phrases import phrase
from models.reasons import GROUPS, MAX_REASONS, MIN_CONTRIBUTION
from models.replay import Replay
from streams.errors import BadArtifact
from streams.records import Edit
from tests.model.histories import edit_of, life

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


@pytest.fixture(scope="module")
def matrix(classifier: Classifier) -> Matrix:
    edits: list[Edit] = life(seed=4, edits=150)
    rows = np.array([one.row for one in Replay(classifier.text).edits(edits)])
    rows[::5, FEATURE_NAMES.index("spans") :] = np.nan
    return rows


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return shutil.copytree(ARTIFACT_DIR, tmp_path / "artifact")


def test_scores_are_probabilities(classifier: Classifier, matrix: Matrix) -> None:
    scores = classifier.score(matrix)
    assert scores.shape == (len(matrix),)
    assert ((scores > 0) & (scores < 1)).all()
    assert 0 < classifier.threshold < 1


@pytest.mark.parametrize("size", [1, 3, 64])
def test_a_score_does_not_depend_on_the_batch(classifier: Classifier, matrix: Matrix, size: int) -> None:
    whole = classifier.score(matrix)
    parts = [classifier.score(matrix[start : start + size]) for start in range(0, len(matrix), size)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(classifier.score(matrix[::-1]), whole[::-1])


def test_an_empty_batch_has_no_scores(classifier: Classifier) -> None:
    assert classifier.score(np.zeros((0, len(FEATURE_NAMES)))).shape == (0,)


def test_rows_of_another_width_are_refused(classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="features wanted"):
        classifier.score(np.zeros((2, len(FEATURE_NAMES) - 1)))


def test_trees_walked_in_numpy_give_the_compiled_scores(classifier: Classifier, matrix: Matrix) -> None:
    for part in (classifier._full, classifier._difference, classifier._bare):
        trees = part.trees
        assert trees._compiled is not None, "this scikit-learn builds the compiled predictor"
        np.testing.assert_allclose(
            trees.walk(matrix) + trees.baseline, trees.log_odds(matrix), rtol=1e-12
        )


def test_a_model_trained_on_other_features_is_refused(artifact: Path) -> None:
    path = artifact / artifact_files.MANIFEST_FILE
    manifest = json.loads(path.read_text())
    manifest["feature_names"][3] = "moon_phase"
    path.write_text(json.dumps(manifest))
    with pytest.raises(BadArtifact, match="moon_phase"):
        load_classifier(artifact)


def test_features_in_another_order_are_refused(artifact: Path) -> None:
    path = artifact / artifact_files.MANIFEST_FILE
    manifest = json.loads(path.read_text())
    manifest["feature_names"].reverse()
    path.write_text(json.dumps(manifest))
    with pytest.raises(BadArtifact, match="order"):
        load_classifier(artifact)


def test_a_changed_model_file_is_refused(artifact: Path) -> None:
    path = artifact / artifact_files.MODEL_FILE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadArtifact, match="sha256"):
        load_classifier(artifact)


class Evil:
    """Unpickles into a call."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, ("evil",)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Evil()),
        skops.io.dumps({"trees": Path("x")}),
        b"PK\x03\x04 nothing",
        b"",
        skops.io.dumps([1]),
    ],
    ids=["pickle", "another type", "cut", "empty", "no arrays"],
)
def test_a_model_file_that_holds_anything_but_arrays_is_refused(artifact: Path, data: bytes) -> None:
    (artifact / artifact_files.MODEL_FILE).write_bytes(data)
    path = artifact / artifact_files.MANIFEST_FILE
    manifest = json.loads(path.read_text())
    manifest["model_sha256"] = sha256(data).hexdigest()
    path.write_text(json.dumps(manifest))
    with pytest.raises(BadArtifact):
        load_classifier(artifact)


def test_arrays_that_are_not_all_there_are_refused(artifact: Path) -> None:
    arrays, _ = artifact_files.read(artifact)
    del arrays["reference"]
    data = artifact_files.model_bytes(arrays)
    (artifact / artifact_files.MODEL_FILE).write_bytes(data)
    path = artifact / artifact_files.MANIFEST_FILE
    manifest = json.loads(path.read_text())
    manifest["model_sha256"] = sha256(data).hexdigest()
    path.write_text(json.dumps(manifest))
    with pytest.raises(BadArtifact, match="incomplete"):
        load_classifier(artifact)


@pytest.mark.parametrize("name", [artifact_files.MODEL_FILE, artifact_files.MANIFEST_FILE])
def test_a_file_that_is_missing_is_named(artifact: Path, name: str) -> None:
    (artifact / name).unlink()
    with pytest.raises(BadArtifact, match=name):
        load_classifier(artifact)


def test_a_manifest_that_is_no_manifest_is_refused(artifact: Path) -> None:
    (artifact / artifact_files.MANIFEST_FILE).write_text('{"version": 3}')
    with pytest.raises(BadArtifact, match="no manifest"):
        load_classifier(artifact)


@pytest.mark.parametrize(
    "data",
    [
        b'{"version": "\xff\xfe"}',
        b'{"metrics": ' + b"[" * 100_000,
        b" " * (artifact_files.MAX_MANIFEST_BYTES + 1),
    ],
    ids=["no UTF-8", "deep", "large"],
)
def test_a_hostile_manifest_is_refused(artifact: Path, data: bytes) -> None:
    (artifact / artifact_files.MANIFEST_FILE).write_bytes(data)
    with pytest.raises(BadArtifact, match="no manifest"):
        load_classifier(artifact)


@pytest.mark.parametrize("value", [-5, 0, 1.01])
@pytest.mark.parametrize("which", [None, "metadata"])
def test_a_threshold_that_is_no_probability_is_refused(
    artifact: Path, value: float, which: str | None
) -> None:
    path = artifact / artifact_files.MANIFEST_FILE
    manifest = json.loads(path.read_text())
    if which is None:
        manifest["threshold"] = value
    else:
        manifest["thresholds"][which] = value
    path.write_text(json.dumps(manifest))
    with pytest.raises(BadArtifact, match=f"threshold {value:g}"):
        load_classifier(artifact)


def vouch_for(artifact: Path, data: bytes) -> None:
    """Makes `data` the model file that the manifest names."""
    (artifact / artifact_files.MODEL_FILE).write_bytes(data)
    path = artifact / artifact_files.MANIFEST_FILE
    manifest = json.loads(path.read_text())
    manifest["model_sha256"] = sha256(data).hexdigest()
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_model_file_that_its_manifest_vouches_for_is_refused(
    artifact: Path, seed: int
) -> None:
    """Whatever zlib, zipfile, json or NumPy makes of it."""
    rng = random.Random(seed)
    data = bytearray((artifact / artifact_files.MODEL_FILE).read_bytes())
    at = rng.randrange(len(data) - 2_000)
    data[at : at + 1_000] = rng.randbytes(1_000)
    vouch_for(artifact, bytes(data))
    with pytest.raises(BadArtifact):
        load_classifier(artifact)


def packed(schema: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("schema.json", schema)
    return out.getvalue()


@pytest.mark.parametrize(
    "schema", [b"[" * 200_000, b"\xff", b"[]", b"{}", b" " * (artifact_files.MAX_UNPACKED_BYTES + 1)]
)
def test_a_hostile_schema_is_refused(artifact: Path, schema: bytes) -> None:
    vouch_for(artifact, packed(schema))
    with pytest.raises(BadArtifact):
        load_classifier(artifact)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("feature_idx", len(FEATURE_NAMES), "feature beyond"),
        ("feature_idx", -1, "feature beyond"),
        ("left", 0, "lead nowhere"),
        ("right", 1_000_000, "lead nowhere"),
        ("sizes", 1_000_000, "sizes"),
        ("sizes", 0, "sizes"),
    ],
)
@pytest.mark.parametrize("trees", ["trees", "bare"])
def test_trees_that_lead_out_of_themselves_are_refused(
    artifact: Path, trees: str, column: str, value: int, says: str
) -> None:
    arrays, _ = artifact_files.read(artifact)
    changed = arrays[f"{trees}_{column}"].copy().astype(np.int64)
    changed[0] = value
    vouch_for(artifact, artifact_files.model_bytes({**arrays, f"{trees}_{column}": changed}))
    with pytest.raises(BadArtifact, match=says):
        load_classifier(artifact)


def test_the_same_arrays_are_the_same_bytes() -> None:
    arrays = {"b": np.arange(5.0), "a": np.ones((2, 3), dtype=np.uint8)}
    again = {name: value.copy() for name, value in arrays.items()}
    assert artifact_files.model_bytes(arrays) == artifact_files.model_bytes(again)
    read = skops.io.loads(artifact_files.model_bytes(arrays), trusted=[])
    assert {name: value.tolist() for name, value in read.items()} == {
        name: value.tolist() for name, value in arrays.items()
    }


def test_the_committed_model_was_measured_to_do_what_was_asked(classifier: Classifier) -> None:
    """By the run that trained it, each article left out; `python -m models.train` measures anew."""
    figures = {one["name"]: one for one in classifier.manifest.metrics["left_out"]}
    people = figures["enwiki-abraham-lincoln"]["people"]
    assert people["roc_auc"] >= 0.97
    assert people["r1p"] >= 0.78
    assert people["r1p_by_kind"]["Misinformation"] >= 0.85
    assert people["r1p_others_48h"] >= 0.70
    assert figures["enwiki-holy-grail"]["roc_auc"] >= 0.90
    for one in figures.values():
        assert one["roc_auc"] > one["baseline_roc_auc"]
    for name in ("enwiki-abraham-lincoln", "enwiki-anarchism", "enwiki-holy-grail"):
        recent = figures[name]["slices"]["recent history"]
        assert recent["roc_auc_anonymous"] > figures[name]["baseline_roc_auc"], name


def blanking() -> list[Edit]:
    edits = life(seed=6, edits=40)
    last = edits[-1]
    assert last.content is not None
    parent = (last.rev_id, last.content.revision.text)
    edits.append(edit_of(last.rev_id + 1, "lol", parent, "10.1.2.3", last.event_time + 500))
    return edits


def test_a_blanking_is_explained_by_what_was_removed(classifier: Classifier) -> None:
    row = Replay(classifier.text).edits(blanking())[-1].row
    (reasons,) = classifier.reasons_of([row])
    assert 3 <= len(reasons) <= 5
    removal = {"removed", "vanish", "bytes", "size_ratio", "net_removed"}
    assert any(any(word in reason.feature + reason.text for word in removal) for reason in reasons)
    contributions = [reason.contribution for reason in reasons]
    assert contributions == sorted(contributions, reverse=True)
    assert all(contribution > 0 for contribution in contributions)


def test_every_feature_is_explained_once_and_in_words() -> None:
    grouped = [name for group in GROUPS for name in group]
    assert sorted(grouped) == sorted(FEATURE_NAMES)
    assert set(PHRASES) == set(FEATURE_NAMES)
    for name in FEATURE_NAMES:
        for value in (0.0, 1.0, -3.0, 25.0, math.nan):
            assert "{" not in phrase(name, value)
        nothing = phrase(name, 0.0)
        assert not nothing.startswith(("0 ", "no of", "none of the added words never"))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("longest_run", 5.0, "the same character stands 5 times in a row"),
        ("longest_run", 12.0, "the same character stands 12 or more times in a row"),
        ("longest_run", 1.0, "no character stands three times in a row"),
        ("removed_words", math.log1p(1), "1 word is removed"),
        ("removed_words", math.log1p(40), "40 words are removed"),
        ("page_own_reverted", 1.0, "1 of this editor's latest edits here was reverted"),
        ("comment_length", 0.0, "the editor wrote no edit summary"),
        ("new_share", 0.0, "none of the added words are new to the page"),
        ("new_share", 0.001, "under 1 % of the added words are new to the page"),
        ("numbers_added", 0.0, "no numbers are added"),
        ("added_signs", 0.0, "nothing but letters and digits is added"),
        ("delete_only", 0.0, "text is not only removed"),
        ("never_seen_share", 0.0, "all of the added words stood on this page before"),
        ("number_jump", 1.0, "a number becomes about 10 times as large, or as small"),
        ("number_jump", math.log10(1_234), "a number becomes about 1,200 times as large, or as small"),
        ("number_jump", 0.01, "a number is changed by less than 5 %"),
    ],
)
def test_a_reason_reads_as_a_sentence(name: str, value: float, text: str) -> None:
    assert phrase(name, value) == text


def test_a_rows_reasons_do_not_depend_on_the_rows_beside_it(
    classifier: Classifier, matrix: Matrix
) -> None:
    alone = [classifier.reasons_of([row])[0] for row in matrix]
    assert classifier.reasons_of(matrix) == alone
    assert classifier.reasons_of(matrix[::-1]) == alone[::-1]
    assert len({len(reasons) for reasons in alone}) > 1
    assert classifier.reasons_of([]) == []


def test_a_reason_is_what_the_score_loses_at_its_usual_value(
    classifier: Classifier, matrix: Matrix
) -> None:
    """The definition, row by row and group by group, without anything left out."""
    reference = classifier.reference
    groups = [[FEATURE_NAMES.index(name) for name in group] for group in GROUPS]
    for row in matrix[:40]:
        usual = np.where(np.isnan(row), np.nan, reference)

        def lost(columns: list[int], row: Matrix = row, usual: Matrix = usual) -> float:
            ablated = row.copy()
            ablated[columns] = usual[columns]
            whole, less = classifier.log_odds(np.array([row, ablated]))
            return float(whole - less)

        ordered = sorted(groups, key=lost, reverse=True)[:MAX_REASONS]
        expected = [
            (FEATURE_NAMES[max(group, key=lambda column: lost([column]))], lost(group))
            for group in ordered
            if lost(group) > MIN_CONTRIBUTION
        ]
        (reasons,) = classifier.reasons_of([row])
        assert [(reason.feature, reason.contribution) for reason in reasons] == expected


def test_reasons_take_milliseconds(classifier: Classifier, matrix: Matrix) -> None:
    times = []
    for row in matrix[:30]:
        started = time.process_time()
        classifier.reasons_of([row])
        times.append(time.process_time() - started)
    assert sorted(times)[len(times) // 2] < 0.02, "about 2 ms on an idle machine"
