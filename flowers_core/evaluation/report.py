"""What a model got right and wrong on a split: saved predictions → report, confusion matrix, worst pairs, mistakes.

Every figure equals scikit-learn's, with one rule added: of equal logits the lower label ranks first, in the prediction
and in the top five alike.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError
from flowers_core.evaluation.calibration import ece
from flowers_core.inference.manifest import Accuracy
from flowers_core.inference.prediction import log_softmax, softmax
from flowers_core.storage.files import write_atomically
from flowers_core.storage.npz import NpzError, read_npz

_PRECISION = re.compile(r"[a-z0-9]+")


class PredictionsError(FlowersError):
    """Predictions that are missing, damaged or contradictory; the message is a sentence for the person who meets it."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's output on many photos.

    ids: (n,) int64, each once; labels: (n,) int64, the true ones, 1-based; logits: (n, classes) float32, finite.
    Raises PredictionsError when these do not belong together.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.ids.shape != (n,) or self.labels.shape != (n,) or self.logits.ndim != 2 or len(self.logits) != n:
            raise PredictionsError(
                f"Predictions need one id, one label and one row of logits a photo, not arrays of shape "
                f"{self.ids.shape}, {self.labels.shape} and {self.logits.shape}."
            )
        if len(np.unique(self.ids)) != n:
            raise PredictionsError("Predictions name a photo twice.")
        if n and not (self.labels.min() >= 1 and self.labels.max() <= self.classes):
            raise PredictionsError(f"Predictions have labels outside 1 to {self.classes}.")
        if not np.isfinite(self.logits).all():
            raise PredictionsError("Predictions hold logits that are not finite numbers.")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def classes(self) -> int:
        """How many classes the model tells apart."""
        return self.logits.shape[1]

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(n,) int64: the label with the largest logit, the lower label of equal ones."""
        return self.logits.argmax(axis=1).astype(np.int64) + 1

    def select(self, where: ArrayLike) -> "Predictions":
        """The photos where a boolean array (n,) is true, or those at the given positions."""
        chosen = np.asarray(where)
        return Predictions(self.ids[chosen], self.labels[chosen], self.logits[chosen])


@dataclass(frozen=True)
class ClassRow:
    """How one class fares. Shares are in [0, 1], and 0 where there is nothing to divide by, as in scikit-learn.

    support: photos of the class; correct: those of them named rightly; most_confused_with: the label most of the others
    got (the lowest of equals), None when there are no others.
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
class ConfusedPair:
    """`count` photos of true_label were called predicted_label: a `share` in [0, 1] of the true class' photos."""

    true_label: int
    predicted_label: int
    count: int
    share: float


@dataclass(frozen=True)
class Mistake:
    """A misclassified photo: the probability of the class it was given, and of the one it has."""

    photo_id: int
    true_label: int
    predicted_label: int
    confidence: float
    true_probability: float


def save_predictions(
    path: Path, ids: ArrayLike, labels: ArrayLike, logits_by_precision: Mapping[str, ArrayLike]
) -> None:
    """Write the logits of several precisions of one model on the same photos as one `.npz`, atomically.

    ids, labels: (n,); logits: (n, classes) by name of the precision. Logits are kept as float16 distances to the
    largest of their photo, which itself is kept as float32: the values that decide are the most exact, and no
    prediction changes by being saved unless two logits are closer than 1e-7. (Plain float16 makes equals of logits
    0.004 apart.) Figures taken from what `load_predictions` returns are the same wherever they are computed.
    """
    if not logits_by_precision:
        raise PredictionsError("There are no logits to save.")
    arrays: dict[str, NDArray[Any]] = {
        "ids": np.asarray(ids, dtype=np.int64),
        "labels": np.asarray(labels, dtype=np.int64),
    }
    for precision, logits in logits_by_precision.items():
        if not _PRECISION.fullmatch(precision):
            raise PredictionsError(f"'{precision}' cannot name a precision: use lower-case letters and digits.")
        checked = Predictions(arrays["ids"], arrays["labels"], np.asarray(logits, dtype=np.float32))
        largest = checked.logits.max(axis=1)
        arrays[f"largest_{precision}"] = largest
        # Beyond float16's range a class is impossible anyway; the bound keeps it finite.
        distance = np.maximum(checked.logits - largest[:, None], np.finfo(np.float16).min)
        arrays[f"logits_{precision}"] = distance.astype(np.float16)
    write_atomically(path, lambda beside: np.savez_compressed(beside, **arrays))  # type: ignore[arg-type]


def load_predictions(path: Path, precision: str) -> Predictions:
    """One precision's predictions. Raises PredictionsError when the file is missing or damaged, or lacks them."""
    arrays = _read(path)
    try:
        ids, labels = arrays["ids"], arrays["labels"]
        distance, largest = arrays[f"logits_{precision}"], arrays[f"largest_{precision}"]
    except KeyError as error:
        kept = ", ".join(_precisions_in(arrays)) or "none"
        raise PredictionsError(f"{path} holds no predictions in {precision}; it has {kept}.") from error
    try:
        return Predictions(
            ids.astype(np.int64), labels.astype(np.int64), distance.astype(np.float32) + largest[:, None]
        )
    except (ValueError, IndexError) as error:
        raise PredictionsError(f"{path} is damaged. {error}") from error


def stored_precisions(path: Path) -> tuple[str, ...]:
    """The precisions whose predictions a file holds, in the order they were saved. Raises PredictionsError as above."""
    return _precisions_in(_read(path))


def confusion_matrix(predictions: Predictions) -> NDArray[np.int64]:
    """(classes, classes) int64: row j, column k counts the photos of label j + 1 that were called label k + 1."""
    classes = predictions.classes
    cells = (predictions.labels - 1) * classes + predictions.predicted - 1
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def report(predictions: Predictions, temperature: float = 1.0) -> Report:
    """All figures of one set of predictions; ece and nll of the probabilities at this temperature.

    Raises PredictionsError when there are no photos.
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


def worst_pairs(matrix: NDArray[np.int64], n: int) -> list[ConfusedPair]:
    """The n most frequent confusions of a confusion matrix; equals by share, then by labels."""
    support = matrix.sum(axis=1)
    pairs = [
        ConfusedPair(int(row) + 1, int(column) + 1, int(matrix[row, column]), float(matrix[row, column] / support[row]))
        for row, column in np.argwhere(matrix)
        if row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share, pair.true_label, pair.predicted_label))[:n]


def mistakes(
    predictions: Predictions, temperature: float, true_label: int | None = None, predicted_label: int | None = None
) -> list[Mistake]:
    """The misclassified photos, of one true or predicted label if asked: most confident first, equals by id."""
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
        Mistake(int(photo), int(true), int(called), float(row[called - 1]), float(row[true - 1]))
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
    """(n,) int64: how many classes come before the true one, which is 0 when the prediction is right."""
    columns = predictions.labels - 1
    truth = predictions.logits[np.arange(len(columns)), columns][:, None]
    earlier = np.arange(predictions.classes) < columns[:, None]
    return ((predictions.logits > truth) | ((predictions.logits == truth) & earlier)).sum(axis=1)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return read_npz(path)
    except NpzError as error:
        raise PredictionsError(f"{error} scripts/evaluate.py writes it.") from error


def _precisions_in(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name.removeprefix("logits_") for name in arrays if name.startswith("logits_"))
