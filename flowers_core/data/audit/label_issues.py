"""Photos whose label is probably wrong: confident learning on predictions by a model that was not fitted on them.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", Journal of Artificial
Intelligence Research 70 (2021), arXiv 1911.00068. A photo counts as confidently of class j when its probability of j
reaches the mean probability of j over the photos labelled j. Where that class is another than the label, the label is
suspect. The bar differs from class to class, so a class that the model is seldom sure of is not held to be mislabelled
throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Probabilities this close to the bar reach it: sums of floats in another order must not decide.
_SLACK = 1e-6
_OUT_OF_REACH = 2.0


@dataclass(frozen=True)
class SuspectLabel:
    """A photo that is probably of `suggested` rather than of `label`.

    self_confidence: the probability of the label it has, in [0, 1].
    margin: that minus the largest probability of any other class, in [-1, 1]; the lower, the more suspect.
    """

    photo_id: int
    label: int
    suggested: int
    self_confidence: float
    margin: float


def confident_thresholds(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """The bar of each class: the mean probability of j over the photos labelled j, (classes,) float64.

    probabilities: (n, classes), rows sum to 1, by a model not fitted on these photos; labels: (n,), 1-based. A class
    without photos gets a bar above 1, which nothing reaches.
    """
    rows, columns = _checked(probabilities, labels)
    photos = np.bincount(columns, minlength=rows.shape[1])
    sums = np.bincount(columns, weights=rows[np.arange(len(columns)), columns], minlength=rows.shape[1])
    return np.divide(sums, photos, out=np.full(rows.shape[1], _OUT_OF_REACH), where=photos > 0)


def confident_classes(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """The label each photo confidently has, (n,) int64; 0 where it reaches no class' bar.

    Of several classes whose bar is reached, it is the most probable class of all (as in the paper's equation 1 with
    its rule for collisions).
    """
    rows, _ = _checked(probabilities, labels)
    reached = rows >= confident_thresholds(probabilities, labels) - _SLACK
    count = reached.sum(axis=1)
    chosen = np.where(count > 1, rows.argmax(axis=1), reached.argmax(axis=1)) + 1
    return np.where(count > 0, chosen, 0).astype(np.int64)


def confident_joint(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """(classes, classes) int64: row i, column j counts the photos labelled i + 1 that are confidently of j + 1."""
    rows, columns = _checked(probabilities, labels)
    confident = confident_classes(probabilities, labels)
    classes = rows.shape[1]
    known = confident > 0
    cells = columns[known] * classes + confident[known] - 1
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def suspect_labels(ids: ArrayLike, probabilities: ArrayLike, labels: ArrayLike) -> list[SuspectLabel]:
    """The photos off the diagonal of the confident joint, lowest margin first, equals by id.

    ids: (n,); probabilities and labels as above. A photo whose most probable class is its label is never suspect.
    Raises ValueError when the arrays do not belong together.
    """
    rows, columns = _checked(probabilities, labels)
    photo_ids = np.asarray(ids, dtype=np.int64)
    if photo_ids.shape != columns.shape:
        raise ValueError(f"There are {photo_ids.size} ids for {len(columns)} photos.")
    confident = confident_classes(probabilities, labels)
    suspect = (confident > 0) & (confident != columns + 1) & (rows.argmax(axis=1) != columns)
    found = []
    for at in np.flatnonzero(suspect):
        own = float(rows[at, columns[at]])
        others = np.delete(rows[at], columns[at])
        found.append(
            SuspectLabel(
                photo_id=int(photo_ids[at]),
                label=int(columns[at]) + 1,
                suggested=int(confident[at]),
                self_confidence=own,
                margin=own - float(others.max()),
            )
        )
    return sorted(found, key=lambda photo: (photo.margin, photo.photo_id))


def _checked(probabilities: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rows = np.asarray(probabilities, dtype=np.float64)
    columns = np.asarray(labels, dtype=np.int64) - 1
    if rows.ndim != 2 or rows.shape[1] < 2 or columns.shape != rows.shape[:1] or not len(columns):
        raise ValueError(
            f"Probabilities of shape {rows.shape} and labels of shape {columns.shape} do not belong together."
        )
    if columns.min() < 0 or columns.max() >= rows.shape[1]:
        raise ValueError(f"The labels must lie between 1 and {rows.shape[1]}.")
    return rows, columns
