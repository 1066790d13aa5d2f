"""Two models on the same photos: what the second fixed and broke, and where they disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowers_core.evaluation.predictions import Predictions, PredictionsError
from flowers_core.inference.prediction import softmax


@dataclass(frozen=True)
class Change:
    """A photo that exactly one of two models gets right.

    Attributes:
        photo_id: of the photos' source.
        true_label: 1-based.
        before: what the first predicts, 1-based.
        after: what the second predicts, 1-based.
    """

    photo_id: int
    true_label: int
    before: int
    after: int


@dataclass(frozen=True)
class Disagreement:
    """A photo for which two models predict different classes.

    Attributes:
        photo_id: of the photos' source.
        true_label: 1-based.
        before: what the first predicts, 1-based.
        after: what the second predicts, 1-based.
        confidence_before: the first's probability of its own prediction, in [0, 1].
        confidence_after: the second's.
    """

    photo_id: int
    true_label: int
    before: int
    after: int
    confidence_before: float
    confidence_after: float

    @property
    def right(self) -> str:
        """Which of the two models is right: "before", "after" or "neither"."""
        if self.before == self.true_label:
            return "before"
        return "after" if self.after == self.true_label else "neither"


@dataclass(frozen=True)
class ClassChange:
    """How many photos of a class were fixed and broken.

    Attributes:
        label: 1-based.
        fixed: photos that were wrong before and are right after.
        broken: photos that were right before and are wrong after.
    """

    label: int
    fixed: int
    broken: int

    @property
    def net(self) -> int:
        """Photos gained, negative where more were lost."""
        return self.fixed - self.broken


@dataclass(frozen=True)
class Comparison:
    """Two models on the same photos.

    Attributes:
        photos: their number.
        fixed: wrong before and right after, by id.
        broken: right before and wrong after, by id.
        p_value: the probability of a split into fixed and broken at least this uneven if the models are equally good,
            by the exact two-sided test of McNemar (1947).
    """

    photos: int
    fixed: tuple[Change, ...]
    broken: tuple[Change, ...]
    p_value: float

    @property
    def gain(self) -> float:
        """Difference of top-1, after minus before, in [-1, 1]."""
        return (len(self.fixed) - len(self.broken)) / self.photos

    def by_class(self) -> tuple[ClassChange, ...]:
        """The classes in which anything changed, the largest gain first, ties by label."""
        rows = []
        for label in {change.true_label for change in (*self.fixed, *self.broken)}:
            fixed, broken = (
                sum(change.true_label == label for change in changes) for changes in (self.fixed, self.broken)
            )
            rows.append(ClassChange(label, fixed, broken))
        return tuple(sorted(rows, key=lambda row: (-row.net, row.label)))


def compare(before: Predictions, after: Predictions) -> Comparison:
    """Compare two models on the photos that both predicted.

    Args:
        before: the first model's.
        after: the second model's.

    Returns:
        The photos that only one of them gets right, and the test's p-value.

    Raises:
        PredictionsError: when they share no photo, or disagree about a photo's true label.
    """
    from scipy.stats import binomtest

    first, second = _shared(before, after)
    shared = first.ids
    was, is_now = first.predicted == first.labels, second.predicted == second.labels

    def changes(where: np.ndarray) -> tuple[Change, ...]:
        return tuple(
            Change(int(shared[at]), int(first.labels[at]), int(first.predicted[at]), int(second.predicted[at]))
            for at in np.flatnonzero(where)
        )

    fixed, broken = changes(~was & is_now), changes(was & ~is_now)
    uneven = len(fixed) + len(broken)
    return Comparison(
        photos=len(shared),
        fixed=fixed,
        broken=broken,
        p_value=float(binomtest(len(fixed), uneven, 0.5).pvalue) if uneven else 1.0,
    )


def disagreements(
    before: Predictions, after: Predictions, temperature_before: float, temperature_after: float
) -> tuple[Disagreement, ...]:
    """The photos that two models predict differently.

    Args:
        before: the first model's predictions.
        after: the second model's.
        temperature_before: of the first model's softmax, > 0.
        temperature_after: of the second model's.

    Returns:
        Sorted by the smaller of the two confidences, largest first, ties by id.

    Raises:
        PredictionsError: as `compare`.
    """
    first, second = _shared(before, after)
    where = np.flatnonzero(first.predicted != second.predicted)
    if not len(where):
        return ()
    confidences = [
        softmax(answers.logits[where], temperature).max(axis=1)
        for answers, temperature in ((first, temperature_before), (second, temperature_after))
    ]
    found = [
        Disagreement(
            int(first.ids[at]),
            int(first.labels[at]),
            int(first.predicted[at]),
            int(second.predicted[at]),
            float(one),
            float(other),
        )
        for at, one, other in zip(where, *confidences, strict=True)
    ]
    return tuple(sorted(found, key=lambda item: (-min(item.confidence_before, item.confidence_after), item.photo_id)))


def _shared(before: Predictions, after: Predictions) -> tuple[Predictions, Predictions]:
    """Both, restricted to the photos that both predicted, by id."""
    if (before.source, before.collection) != (after.source, after.collection):
        raise PredictionsError("The two models were not asked about any photo in common.")
    shared, at_before, at_after = np.intersect1d(before.ids, after.ids, return_indices=True)
    if not len(shared):
        raise PredictionsError("The two models were not asked about any photo in common.")
    first, second = before.select(at_before), after.select(at_after)
    if (first.labels != second.labels).any():
        raise PredictionsError("The two records disagree about the true class of a photo; they cannot be compared.")
    return first, second
