"""What a model gets right and wrong: predictions → report and mistakes.

Every figure equals scikit-learn's. One rule is added: of equal logits the lower label ranks first, both in the
prediction and in the top five.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.photo_ref import PhotoRef
from flowers_core.evaluation.calibration import ece
from flowers_core.evaluation.confusion_matrix import confusion_matrix
from flowers_core.evaluation.predictions import Predictions, PredictionsError
from flowers_core.inference.prediction import log_softmax, softmax
from flowers_core.inference.records.metrics import Accuracy


@dataclass(frozen=True)
class ClassRow:
    """The figures of one class; ratios are in [0, 1], and 0 where there is nothing to divide by, as in scikit-learn.

    Attributes:
        label: 1-based.
        precision: the fraction of the photos predicted as this class that are of it.
        recall: the fraction of the photos of this class that are predicted as it.
        f1: harmonic mean of both.
        support: how many photos are of the class.
        correct: how many of them are predicted correctly.
        most_confused_with: the most frequent wrong prediction for them (of equals the lowest label); None if all are
            correct.
        most_confused_count: how many have that prediction.
    """

    label: int
    precision: float
    recall: float
    f1: float
    support: int
    correct: int
    most_confused_with: int | None
    most_confused_count: int


@dataclass(frozen=True)
class Report(Accuracy):
    """The figures of one model on one set of photos, and one row for each class, by label.

    Balanced accuracy is over the classes that have photos, as in scikit-learn.
    """

    rows: tuple[ClassRow, ...]

    def figures(self) -> dict[str, Any]:
        """All but the classes' rows, by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(Accuracy)}

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and None, all finite."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}


@dataclass(frozen=True)
class Mistake:
    """A misclassified photo.

    Attributes:
        photo: which photo it is.
        true_label: 1-based.
        predicted_label: 1-based, another.
        confidence: the probability of the predicted class, in [0, 1].
        true_probability: the probability of the true class, in [0, 1].
    """

    photo: PhotoRef
    true_label: int
    predicted_label: int
    confidence: float
    true_probability: float

    @property
    def photo_id(self) -> int:
        """The photo's id within its source."""
        return self.photo.id


def report(predictions: Predictions, temperature: float = 1.0) -> Report:
    """All figures of one set of predictions.

    Args:
        predictions: at least one.
        temperature: of the softmax for ece and nll, > 0.

    Raises:
        PredictionsError: when there are no photos.
    """
    if not len(predictions):
        raise PredictionsError("There are no predictions to report on.")
    matrix = confusion_matrix(predictions)
    support = matrix.sum(axis=1)
    recall = _share(matrix.diagonal(), support)
    each = np.arange(len(predictions))
    log_probabilities = log_softmax(predictions.logits, temperature)
    return Report(
        photos=len(predictions),
        top1=float((predictions.predicted == predictions.labels).mean()),
        balanced_accuracy=float(recall[support > 0].mean()),
        top5=float((_rank_of_truth(predictions) < 5).mean()),
        ece=ece(np.exp(log_probabilities), predictions.labels),
        nll=-float(log_probabilities[each, predictions.labels - 1].mean()),
        rows=_class_rows(matrix),
    )


def mistakes(
    predictions: Predictions, temperature: float, true_label: int | None = None, predicted_label: int | None = None
) -> list[Mistake]:
    """The misclassified photos.

    Args:
        predictions: of any photos.
        temperature: of the softmax, > 0.
        true_label: only photos of this class, 1-based; None for all.
        predicted_label: only photos predicted as this class; None for all.

    Returns:
        The most confident first, ties by id.
    """
    wrong = predictions.predicted != predictions.labels
    if true_label is not None:
        wrong &= predictions.labels == true_label
    if predicted_label is not None:
        wrong &= predictions.predicted == predicted_label
    chosen = predictions.select(wrong)
    if not len(chosen):
        return []
    probabilities = softmax(chosen.logits, temperature)
    found = [
        Mistake(predictions.ref(photo), int(true), int(called), float(row[called - 1]), float(row[true - 1]))
        for photo, true, called, row in zip(chosen.ids, chosen.labels, chosen.predicted, probabilities, strict=True)
    ]
    return sorted(found, key=lambda mistake: (-mistake.confidence, mistake.photo_id))


def _class_rows(matrix: NDArray[np.int64]) -> tuple[ClassRow, ...]:
    correct, support, called = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall, f1 = _share(correct, called), _share(correct, support), _share(2 * correct, support + called)
    confused = matrix - np.diag(correct)
    rival = confused.argmax(axis=1)
    return tuple(
        ClassRow(
            label=row + 1,
            precision=float(precision[row]),
            recall=float(recall[row]),
            f1=float(f1[row]),
            support=int(support[row]),
            correct=int(correct[row]),
            most_confused_with=int(rival[row]) + 1 if confused[row].any() else None,
            most_confused_count=int(confused[row, rival[row]]),
        )
        for row in range(len(matrix))
    )


def _rank_of_truth(predictions: Predictions) -> NDArray[np.int64]:
    """(n,) int64: how many classes come before the true one; 0 when the prediction is correct."""
    columns = predictions.labels - 1
    truth = predictions.logits[np.arange(len(columns)), columns][:, None]
    earlier = np.arange(predictions.classes) < columns[:, None]
    return ((predictions.logits > truth) | ((predictions.logits == truth) & earlier)).sum(axis=1)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
