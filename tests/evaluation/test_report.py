"""Every figure against scikit-learn, on drawn and on awkward predictions."""

import itertools
import json

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax
from sklearn import metrics

from flowers_core.data.photo_ref import PhotoRef, oxford
from flowers_core.evaluation.calibration import ece
from flowers_core.evaluation.confusion_matrix import confusion_matrix, worst_pairs
from flowers_core.evaluation.predictions import Predictions, PredictionsError
from flowers_core.evaluation.report import Mistake, mistakes, report
from tests.fixtures.predictions import CASES, predictions_of


@pytest.fixture(params=CASES, name="case")
def _case(request: pytest.FixtureRequest) -> Predictions:
    return CASES[request.param]


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


def test_report_of_five_photos_by_hand() -> None:
    # True 1 1 1 2 2, called 1 2 2 2 3; class 3 has no photos.
    logits = [[9, 0, 0], [0, 9, 1], [0, 9, 1], [0, 9, 0], [0, 1, 9]]
    figures = report(predictions_of([1, 1, 1, 2, 2], logits))
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
    case = predictions_of([6, 7], logits)
    assert list(case.predicted) == [2, 2]
    assert report(case).top5 == 0.5  # 2 3 4 5 6 are the first five


def test_report_is_plain_json() -> None:
    figures = report(CASES["most classes absent"])
    back = json.loads(json.dumps(figures.to_json(), allow_nan=False))
    assert back["top1"] == figures.top1
    assert len(back["rows"]) == 102
    assert back["rows"][2] == {**vars(figures.rows[2])}
    assert set(back) == {"photos", "top1", "balanced_accuracy", "top5", "ece", "nll", "rows"}


def test_mistakes_by_hand() -> None:
    ln3 = float(np.log(3))
    case = predictions_of([1, 2, 2, 1, 3], [[0, ln3, 0], [5, 0, 0], [0, 9, 0], [0, ln3, 0], [0, 0, 0]], first_id=41)
    found = mistakes(case, 1.0)
    assert [(m.photo_id, m.true_label, m.predicted_label) for m in found] == [
        (42, 2, 1),
        (41, 1, 2),
        (44, 1, 2),
        (45, 3, 1),
    ]
    assert found[1] == Mistake(oxford(41), 1, 2, pytest.approx(0.6), pytest.approx(0.2))
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


def test_no_photos_make_no_report() -> None:
    with pytest.raises(PredictionsError, match="no predictions"):
        report(predictions_of([], np.zeros((0, 102))))
    assert mistakes(predictions_of([], np.zeros((0, 102))), 1.0) == []


def test_a_mistake_says_where_its_photo_comes_from() -> None:
    case = predictions_of([1, 2], [[0.0, 1.0], [0.0, 1.0]])
    assert [found.photo for found in mistakes(case, 1.0)] == [oxford(1)]
    custom = Predictions(case.ids, case.labels, case.logits, "custom", "meadow")
    assert [found.photo for found in mistakes(custom, 1.0)] == [PhotoRef("custom", 1, "meadow")]
    assert [found.photo for found in mistakes(custom.select([1, 0]), 1.0)] == [PhotoRef("custom", 1, "meadow")]
