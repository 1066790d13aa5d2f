"""Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068).

A photo counts as confidently of class j when its probability of j reaches the mean probability of j over the photos
labelled j. Where that class differs from the label, the label is an issue. The threshold is one for each class, so a
class that the model is seldom confident about is not suspected throughout.

The tests hold the results equal to those of cleanlab, the authors' own package.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Probabilities this close to the threshold reach it: the order of a floating-point sum must not decide.
_SLACK = 1e-6
_OUT_OF_REACH = 2.0


@dataclass(frozen=True)
class LabelIssue:
    """A photo that probably shows `suggested` rather than its label.

    Attributes:
        photo_id: the photo.
        label: the label it has, 1-based.
        suggested: the class that it confidently shows, 1-based.
        self_confidence: the probability of `label`, in [0, 1].
        margin: `self_confidence` minus the largest probability of any other class, in [-1, 1]; the lower, the more
            suspect ("normalized margin").
    """

    photo_id: int
    label: int
    suggested: int
    self_confidence: float
    margin: float


def confident_thresholds(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Mean probability of each class over the photos that are labelled with it.

    Args:
        probabilities: (n, classes), rows sum to 1, by a model that was not fitted on these photos.
        labels: (n,), 1-based.

    Returns:
        (classes,) float64; above 1, out of reach, for a class without photos.
    """
    rows, columns = _checked(probabilities, labels)
    photos = np.bincount(columns, minlength=rows.shape[1])
    sums = np.bincount(columns, weights=rows[np.arange(len(columns)), columns], minlength=rows.shape[1])
    return np.divide(sums, photos, out=np.full(rows.shape[1], _OUT_OF_REACH), where=photos > 0)


def confident_classes(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """The class that each photo confidently shows.

    Where several thresholds are reached it is the most probable class (the paper's equation 1 with its rule for
    collisions).

    Args:
        probabilities: as for `confident_thresholds`.
        labels: as for `confident_thresholds`.

    Returns:
        (n,) int64, 1-based; 0 where no threshold is reached.
    """
    rows, _ = _checked(probabilities, labels)
    reached = rows >= confident_thresholds(probabilities, labels) - _SLACK
    count = reached.sum(axis=1)
    chosen = np.where(count > 1, rows.argmax(axis=1), reached.argmax(axis=1)) + 1
    return np.where(count > 0, chosen, 0).astype(np.int64)


def find_label_issues(ids: ArrayLike, probabilities: ArrayLike, labels: ArrayLike) -> list[LabelIssue]:
    """The photos that confidently show another class than their label.

    A photo whose most probable class is its label is never among them.

    Args:
        ids: (n,) photo ids.
        probabilities: as for `confident_thresholds`.
        labels: as for `confident_thresholds`.

    Returns:
        The issues, lowest margin first, equals by id.

    Raises:
        ValueError: the arrays do not belong together.
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
            LabelIssue(
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
