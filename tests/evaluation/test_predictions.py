"""Predictions as values, as files, and subsets of them."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.predictions import (
    Predictions,
    PredictionsError,
    by_confidence,
    by_family,
    load_predictions,
    save_predictions,
    stored_precisions,
    without,
)
from flowers_core.inference.prediction import softmax
from tests.fixtures.predictions import CASES


def test_select_keeps_rows_together() -> None:
    case = CASES["drawn 0"]
    chosen = case.select(case.labels == case.labels[5])
    assert list(chosen.ids) == [i for i, label in zip(case.ids, case.labels, strict=True) if label == case.labels[5]]
    assert np.array_equal(chosen.logits, case.logits[chosen.ids - 1])
    assert list(case.select([4, 2]).ids) == [5, 3]


@pytest.mark.parametrize(
    ("ids", "labels", "logits", "reason"),
    [
        ([1, 1], [1, 2], np.zeros((2, 3)), "twice"),
        ([1, 2], [0, 2], np.zeros((2, 3)), "outside 1 to 3"),
        ([1, 2], [4, 2], np.zeros((2, 3)), "outside 1 to 3"),
        ([1, 2], [1], np.zeros((2, 3)), "one id, one label"),
        ([1, 2], [1, 2], np.zeros((3, 3)), "one id, one label"),
        ([1, 2], [1, 2], np.zeros(2), "one id, one label"),
        ([1, 2], [1, 2], np.full((2, 3), np.nan), "finite"),
        ([1, 2], [1, 2], np.full((2, 3), np.inf), "finite"),
    ],
)
def test_contradictory_predictions_are_refused(
    tmp_path: Path, ids: list[int], labels: list[int], logits: np.ndarray, reason: str
) -> None:
    with pytest.raises(PredictionsError, match=reason):
        Predictions(np.array(ids), np.array(labels), logits.astype(np.float32))
    with pytest.raises(PredictionsError, match=reason):
        save_predictions(tmp_path / "p.npz", ids, labels, {"int8": logits})
    assert list(tmp_path.iterdir()) == []


def test_saved_predictions_come_back(tmp_path: Path) -> None:
    path = tmp_path / "test_predictions.npz"
    case, other = CASES["drawn 1"], CASES["far from calibrated"]
    save_predictions(path, case.ids, case.labels, {"float32": case.logits, "int8": other.logits})
    assert stored_precisions(path) == ("float32", "int8")
    for precision, logits in (("float32", case.logits), ("int8", other.logits)):
        back = load_predictions(path, precision)
        assert np.array_equal(back.ids, case.ids)
        assert np.array_equal(back.labels, case.labels)
        assert back.logits.dtype == np.float32
        assert np.array_equal(back.predicted, logits.argmax(axis=1) + 1)
        # float16 has 11 significant bits: half a unit in the last place of the distance to the largest logit.
        distance = logits.max(axis=1, keepdims=True) - logits
        assert (np.abs(back.logits - logits) <= distance * 2.0**-11 + 1e-5).all()
    with np.load(path, allow_pickle=False) as stored:
        assert stored["logits_int8"].dtype == np.float16


def test_close_logits_are_not_made_equal_by_saving(tmp_path: Path) -> None:
    # Plain float16 cannot tell 12.001 from 12.002: it has steps of 0.008 there, and 1 would win over 2.
    logits = np.array([[12.001, 12.002, -3.0], [12.002, 12.001, 5.0]], dtype=np.float32)
    assert list(logits.astype(np.float16).argmax(axis=1)) == [0, 0]
    save_predictions(tmp_path / "p.npz", [1, 2], [2, 1], {"int8": logits})
    assert list(load_predictions(tmp_path / "p.npz", "int8").predicted) == [2, 1]


def test_logits_beyond_float16_stay_finite(tmp_path: Path) -> None:
    save_predictions(tmp_path / "p.npz", [1], [1], {"int8": [[1e6, -1e6]]})
    back = load_predictions(tmp_path / "p.npz", "int8")
    assert back.logits[0, 0] == 1e6
    assert back.logits[0, 1] < 1e6 - 60_000


def test_a_missing_file_or_precision_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    with pytest.raises(PredictionsError, match=r"p\.npz is missing.*`flowers evaluate`"):
        load_predictions(path, "int8")
    with pytest.raises(PredictionsError, match=r"p\.npz is missing"):
        stored_precisions(path)
    save_predictions(path, [1], [1], {"int8": [[1.0, 0.0]], "float16": [[1.0, 0.0]]})
    with pytest.raises(PredictionsError, match=r"no predictions in float32; it has int8, float16\."):
        load_predictions(path, "float32")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    save_predictions(path, [1], [1], {"int8": [[1.0, 0.0]]})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PredictionsError, match="damaged"):
        load_predictions(path, "int8")
    one = {"logits_int8": np.zeros((1, 2), np.float16), "largest_int8": np.zeros(1, np.float32)}
    np.savez(path, ids=[1, 2], labels=[1, 1], **one)
    with pytest.raises(PredictionsError, match="damaged"):
        load_predictions(path, "int8")
    np.savez(path, ids=["a"], labels=[1], **one)
    with pytest.raises(PredictionsError, match="damaged"):
        load_predictions(path, "int8")


def test_a_failed_save_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.npz"
    save_predictions(path, [1], [2], {"int8": [[1.0, 3.0]]})

    def full_disk(beside: Path, content: bytes) -> int:
        with beside.open("wb") as handle:
            handle.write(content[: len(content) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_predictions(path, [1], [1], {"int8": [[9.0, 0.0]]})
    assert [p.name for p in tmp_path.iterdir()] == ["p.npz"]
    assert list(load_predictions(path, "int8").predicted) == [2]


@pytest.mark.parametrize("precision", ["", "../int8", "int 8", "INT8"])
def test_odd_names_of_precisions_are_refused(tmp_path: Path, precision: str) -> None:
    with pytest.raises(PredictionsError, match="cannot name a precision"):
        save_predictions(tmp_path / "p.npz", [1], [1], {precision: [[1.0, 0.0]]})


def test_saving_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="no logits"):
        save_predictions(tmp_path / "p.npz", [1], [1], {})


def test_filters() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(1, 103, 200)
    answers = Predictions(np.arange(200), labels, (rng.normal(size=(200, 102)) * 4).astype(np.float32))
    top = softmax(answers.logits, 1.5).max(axis=1)
    found = by_confidence(answers, 1.5, 0.3, 0.6)
    assert set(found.ids.tolist()) == {row for row in range(200) if 0.3 <= top[row] <= 0.6}
    assert len(by_confidence(answers, 1.5)) == 200
    with pytest.raises(ValueError, match="range of confidence"):
        by_confidence(answers, 1.5, 0.6, 0.3)
    taxonomy = load_taxonomy()
    roses = by_family(answers, {"Asteraceae"}, taxonomy)
    assert 0 < len(roses) < 200
    assert all((taxonomy[int(label)].family == "Asteraceae") for label in roses.labels)
    assert len(without(answers, [3, 5, 999])) == 198
