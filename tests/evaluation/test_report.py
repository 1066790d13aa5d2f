"""Every figure against scikit-learn, on drawn and on awkward predictions."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax
from sklearn import metrics

from flowers_core.evaluation.calibration import ece
from flowers_core.evaluation.report import (
    ConfusedPair,
    Mistake,
    Predictions,
    PredictionsError,
    confusion_matrix,
    load_predictions,
    mistakes,
    report,
    save_predictions,
    stored_precisions,
    worst_pairs,
)


def _predictions(labels: list[int], logits: np.ndarray | list[list[float]], first_id: int = 1) -> Predictions:
    ids = np.arange(first_id, first_id + len(labels), dtype=np.int64)
    return Predictions(ids, np.asarray(labels, dtype=np.int64), np.asarray(logits, dtype=np.float32))


def _awkward_cases() -> Iterator[tuple[str, Predictions]]:
    rng = np.random.default_rng(11)
    for seed in range(3):
        labels = rng.integers(1, 103, size=700)
        logits = rng.normal(size=(700, 102)) * 2
        logits[np.arange(700), labels - 1] += 4
        yield f"drawn {seed}", _predictions(labels, logits)
        yield f"ties {seed}", _predictions(labels, np.round(logits))
    yield "all logits equal", _predictions(labels, np.zeros((700, 102)))
    few = rng.choice([3, 55, 102], size=200)
    yield "most classes absent", _predictions(few, rng.normal(size=(200, 102)))
    one = rng.normal(size=(200, 102))
    one[:, 7] += 100
    yield "one class always predicted", _predictions(rng.integers(1, 103, size=200), one)
    yield "that class absent", _predictions(rng.choice([1, 2, 9], size=200), one)
    yield "all right", _predictions(np.arange(1, 103), np.eye(102) * 9)
    yield "all wrong", _predictions(np.arange(1, 103), np.roll(np.eye(102), 1, axis=1) * 9)
    yield "one photo", _predictions([102], rng.normal(size=(1, 102)))
    yield "far from calibrated", _predictions(labels, logits * 8)


CASES = dict(_awkward_cases())


@pytest.fixture(params=CASES, name="case")
def _case(request: pytest.FixtureRequest) -> Predictions:
    return CASES[request.param]


# --- equal to scikit-learn


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
def test_report_equals_scikit_learn(case: Predictions) -> None:
    figures = report(case)
    every = np.arange(1, 103)
    # Of equal scores scikit-learn ranks the last first, we the lowest label: mirrored columns make the two rules one.
    mirrored, scores = 103 - case.labels, case.logits[:, ::-1]
    assert figures.photos == len(case)
    assert figures.top1 == pytest.approx(metrics.accuracy_score(case.labels, case.predicted), abs=1e-12)
    assert figures.top1 == pytest.approx(metrics.top_k_accuracy_score(mirrored, scores, k=1, labels=every), abs=1e-12)
    assert figures.top5 == pytest.approx(metrics.top_k_accuracy_score(mirrored, scores, k=5, labels=every), abs=1e-12)
    assert figures.balanced_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(case.labels, case.predicted), abs=1e-12
    )
    probabilities = scipy_softmax(case.logits.astype(np.float64), axis=1)
    # scikit-learn takes no probability below 2.2e-16 at its word; we do.
    expected = metrics.log_loss(case.labels, probabilities, labels=every)
    if probabilities[np.arange(len(case)), case.labels - 1].min() > 1e-15:
        assert figures.nll == pytest.approx(expected, rel=1e-9)
    else:
        assert figures.nll >= expected
    assert figures.ece == pytest.approx(ece(probabilities, case.labels, 15), abs=1e-12)


def test_class_rows_equal_scikit_learn(case: Predictions) -> None:
    every = np.arange(1, 103)
    expected = metrics.classification_report(
        case.labels, case.predicted, labels=every, output_dict=True, zero_division=0
    )
    rows = report(case).rows
    assert [row.label for row in rows] == list(every)
    for row in rows:
        theirs = expected[str(row.label)]
        assert row.precision == pytest.approx(theirs["precision"], abs=1e-12)
        assert row.recall == pytest.approx(theirs["recall"], abs=1e-12)
        assert row.f1 == pytest.approx(theirs["f1-score"], abs=1e-12)
        assert row.support == theirs["support"]
        called = case.predicted[case.labels == row.label]
        assert row.correct == (called == row.label).sum()
        others = np.bincount(called[called != row.label], minlength=103)
        assert row.most_confused_count == others.max()
        assert row.most_confused_with == (int(others.argmax()) if others.any() else None)


def test_confusion_matrix_equals_scikit_learn(case: Predictions) -> None:
    expected = metrics.confusion_matrix(case.labels, case.predicted, labels=np.arange(1, 103))
    matrix = confusion_matrix(case)
    assert matrix.shape == (102, 102)
    assert np.array_equal(matrix, expected)


def test_temperature_changes_ece_and_nll_alone() -> None:
    case = CASES["far from calibrated"]
    cold, warm = report(case), report(case, temperature=8.0)
    assert warm.nll == pytest.approx(
        metrics.log_loss(
            case.labels, scipy_softmax(case.logits.astype(np.float64) / 8, axis=1), labels=np.arange(1, 103)
        )
    )
    assert warm.nll < cold.nll
    assert warm.ece != cold.ece
    assert (warm.top1, warm.top5, warm.balanced_accuracy, warm.rows) == (
        cold.top1,
        cold.top5,
        cold.balanced_accuracy,
        cold.rows,
    )


# --- by hand


def test_report_of_five_photos_by_hand() -> None:
    # True 1 1 1 2 2, called 1 2 2 2 3; class 3 has no photos.
    logits = [[9, 0, 0], [0, 9, 1], [0, 9, 1], [0, 9, 0], [0, 1, 9]]
    figures = report(_predictions([1, 1, 1, 2, 2], logits))
    assert figures.top1 == pytest.approx(2 / 5)
    assert figures.balanced_accuracy == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert figures.top5 == 1
    first, second, third = figures.rows
    assert (first.precision, first.recall, first.f1) == pytest.approx((1, 1 / 3, 1 / 2))
    assert (first.support, first.correct, first.most_confused_with, first.most_confused_count) == (3, 1, 2, 2)
    assert (second.precision, second.recall, second.f1) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    assert (second.support, second.correct, second.most_confused_with, second.most_confused_count) == (2, 1, 3, 1)
    assert (third.precision, third.recall, third.f1, third.support) == (0, 0, 0, 0)
    assert (third.most_confused_with, third.most_confused_count) == (None, 0)


def test_of_equal_logits_the_lower_label_ranks_first() -> None:
    logits = [[0, 1, 1, 1, 1, 1, 1]] * 2
    case = _predictions([6, 7], logits)
    assert list(case.predicted) == [2, 2]
    assert report(case).top5 == 0.5  # 2 3 4 5 6 are the first five


def test_report_is_plain_json() -> None:
    figures = report(CASES["most classes absent"])
    back = json.loads(json.dumps(figures.to_json(), allow_nan=False))
    assert back["top1"] == figures.top1
    assert len(back["rows"]) == 102
    assert back["rows"][2] == {**vars(figures.rows[2])}
    assert set(back) == {"photos", "top1", "balanced_accuracy", "top5", "ece", "nll", "rows"}


def test_worst_pairs_by_hand() -> None:
    matrix = np.array([[8, 2, 0, 0], [3, 0, 0, 2], [2, 0, 2, 0], [0, 1, 0, 1]])
    assert worst_pairs(matrix, 4) == [
        ConfusedPair(2, 1, 3, 3 / 5),
        ConfusedPair(3, 1, 2, 2 / 4),  # two each: by share
        ConfusedPair(2, 4, 2, 2 / 5),
        ConfusedPair(1, 2, 2, 2 / 10),
    ]
    assert worst_pairs(matrix, 99)[4:] == [ConfusedPair(4, 2, 1, 1 / 2)]
    assert worst_pairs(np.diag([3, 0, 2]), 5) == []


def test_worst_pairs_of_equal_count_and_share_are_ordered_by_label() -> None:
    assert [(p.true_label, p.predicted_label) for p in worst_pairs(1 - np.eye(3, dtype=int), 6)] == [
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 3),
        (3, 1),
        (3, 2),
    ]


def test_mistakes_by_hand() -> None:
    ln3 = float(np.log(3))
    case = _predictions([1, 2, 2, 1, 3], [[0, ln3, 0], [5, 0, 0], [0, 9, 0], [0, ln3, 0], [0, 0, 0]], first_id=41)
    found = mistakes(case, 1.0)
    assert [(m.photo_id, m.true_label, m.predicted_label) for m in found] == [
        (42, 2, 1),
        (41, 1, 2),
        (44, 1, 2),
        (45, 3, 1),
    ]
    assert found[1] == Mistake(41, 1, 2, pytest.approx(0.6), pytest.approx(0.2))
    assert found[0].confidence == pytest.approx(np.exp(5) / (np.exp(5) + 2))
    assert [m.photo_id for m in mistakes(case, 1.0, true_label=1)] == [41, 44]
    assert [m.photo_id for m in mistakes(case, 1.0, predicted_label=1)] == [42, 45]
    assert [m.photo_id for m in mistakes(case, 1.0, true_label=3, predicted_label=1)] == [45]
    assert mistakes(case, 1.0, true_label=3, predicted_label=2) == []
    assert mistakes(case, 2.0, true_label=1)[0].confidence == pytest.approx(3**0.5 / (3**0.5 + 2))


def test_mistakes_are_all_the_wrong_ones(case: Predictions) -> None:
    found = mistakes(case, 1.3)
    wrong = case.labels != case.predicted
    assert {m.photo_id for m in found} == set(case.ids[wrong].tolist())
    assert all(a.confidence >= b.confidence for a, b in itertools.pairwise(found))
    cells = confusion_matrix(case)
    for pair in worst_pairs(cells, 3):
        assert len(mistakes(case, 1.3, pair.true_label, pair.predicted_label)) == pair.count
        assert pair.share == pytest.approx(pair.count / (case.labels == pair.true_label).sum())


def test_select_keeps_rows_together() -> None:
    case = CASES["drawn 0"]
    chosen = case.select(case.labels == case.labels[5])
    assert list(chosen.ids) == [i for i, label in zip(case.ids, case.labels, strict=True) if label == case.labels[5]]
    assert np.array_equal(chosen.logits, case.logits[chosen.ids - 1])
    assert list(case.select([4, 2]).ids) == [5, 3]


# --- what cannot be a set of predictions


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


def test_no_photos_make_no_report() -> None:
    with pytest.raises(PredictionsError, match="no predictions"):
        report(_predictions([], np.zeros((0, 102))))
    assert mistakes(_predictions([], np.zeros((0, 102))), 1.0) == []


# --- on disk


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
    with pytest.raises(PredictionsError, match=r"p\.npz is missing.*evaluate\.py"):
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

    def full_disk(beside: Path, **arrays: np.ndarray) -> None:
        Path(beside).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
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
