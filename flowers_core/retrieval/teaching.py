"""Teach a linear head a class from a few photos: one column is fitted, the others stay as they are.

The head stays linear in the embedding, so each closed form that explains it stays exact. NumPy is all that it needs.

With the other columns fixed, the cross-entropy of a photo depends on the new column (w, b) only through its margin
t = w·e + b − A, where A is the log-sum-exp of the other logits: it is softplus(−t) for a photo of the class, and grows
by softplus(t) for one of another class. That is a logistic regression with offset A, convex, with one optimum. It is
held near a column that the existing ones foretell, by a pull that is the same for every new class. (Leaving the new
photos out to choose it gives stronger ones, which cost other classes more: the stored photos were learnt from,
so they lie further from a new class than other photos of theirs.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError

#: How strongly a new column is held near the foretold one.
REGULARIZATION = 0.003
#: How strongly a corrected column is held near what it was, weakest first; the least held-out loss chooses.
REGULARIZATIONS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
#: Photos of other classes that a column is fitted against: those for which its logit would be the most too large.
#: The share of the rest in the loss vanishes, and a fit stays within milliseconds.
HARDEST = 128
#: Nats by which a new class must lead, so that five lessons in a row cost the others a quarter of a percentage point.
LEAD = 1.0

_FOLDS = 10
_STEPS, _CONVERGED = 50, 1e-6

Array = NDArray[np.float64]


class TeachingError(FlowersError):
    """Photos or a name that nothing can be taught from; the message says what would work."""


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer. weights: (c, classes) float64; bias: (classes,) float64."""

    weights: Array
    bias: Array

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.bias)

    def logits(self, embeddings: ArrayLike) -> Array:
        """(n, classes) float64 of embeddings (n, c)."""
        return np.asarray(embeddings, np.float64) @ self.weights + self.bias

    def with_column(self, column: int, weights: Array, bias: float) -> Head:
        """The head with another column, or with one more.

        Args:
            column: which one, from 0; the number of classes for one more.
            weights: (c,) of that column.
            bias: of that column.
        """
        W, b = self.weights.copy(), self.bias.copy()
        if column == self.classes:
            W, b = np.column_stack([W, weights]), np.append(b, bias)
        W[:, column], b[column] = weights, bias
        return Head(W, b)


@dataclass(frozen=True, eq=False)
class Examples:
    """Photos whose class is known. embeddings: (n, c) float64, the mean of the features; columns: (n,) int64 from 0."""

    embeddings: Array
    columns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.columns)

    def joined(self, more: Examples) -> Examples:
        """These and more."""
        return Examples(
            np.concatenate([self.embeddings, more.embeddings]), np.concatenate([self.columns, more.columns])
        )


@dataclass(frozen=True, eq=False)
class Taught:
    """A head that has learnt.

    Attributes:
        head: the new one.
        column: which of its columns is new or changed.
        regularization: `REGULARIZATION`, or which of `REGULARIZATIONS` was chosen for a correction.
        held_out: (m, classes) float64, the logits of each of the m new photos by a head that was taught without it.
    """

    head: Head
    column: int
    regularization: float
    held_out: Array

    @property
    def leave_one_out(self) -> float:
        """The fraction of the new photos that are named rightly by a head that was taught without them."""
        return float((self.held_out.argmax(axis=1) == self.column).mean())


@dataclass(frozen=True)
class Cost:
    """What a lesson changes on photos that it was not about: the rows that are right now and were not, and reversed."""

    gained: tuple[int, ...]
    lost: tuple[int, ...]


def teach(head: Head, known: Examples, photos: ArrayLike, column: int | None = None) -> Taught:
    """Teach a head a new class, or correct one.

    Args:
        head: with at least two classes.
        known: the stored photos that the head has learnt, and those of earlier lessons.
        photos: (m, c), the embeddings of the new ones; m ≥ 2, or ≥ 1 for a class that has others.
        column: of the class that the photos belong to; None for a new one.

    Returns:
        The head with that column fitted; a new one has a bias that is less by `LEAD`. Each of the m photos is left out
        once, with a part of the others, to tell how it would be answered and to choose the regularization of a
        correction; beyond ten photos, a tenth of them is left out at a time.

    Raises:
        TeachingError: too few photos, or embeddings that are not finite or of another length.
    """
    new = np.asarray(photos, np.float64)
    at = head.classes if column is None else column
    same = known.columns == at
    if new.ndim != 2 or new.shape[1] != len(head.weights) or not np.isfinite(new).all():
        raise TeachingError(
            f"Embeddings of shape {new.shape} are not this model's, which have {len(head.weights)} values."
        )
    if len(new) + same.sum() < 2 or not len(new):
        raise TeachingError("One photo is not enough to learn a flower by; give at least two, better three to ten.")
    if same.all():
        raise TeachingError("There are no stored photos of other classes to tell the new ones from.")
    problem = _Problem.of(head, known, new, at)
    folds = [np.arange(len(new)) % _FOLDS == fold for fold in range(min(len(new), _FOLDS))]
    best: tuple[float, float, Array] | None = None
    for regularization in (REGULARIZATION,) if at == head.classes else REGULARIZATIONS:
        loss, logits = problem.held_out(folds, regularization)
        if best is None or loss < best[0]:
            best = loss, regularization, logits
    assert best is not None
    weights, bias = problem.fit(np.ones(problem.size, bool), best[1])
    lead = LEAD if at == head.classes else 0.0
    others = np.delete(head.logits(new), at, axis=1) if at < head.classes else head.logits(new)
    held_out = np.insert(others, at, best[2] - lead, axis=1)
    return Taught(head.with_column(at, weights, bias - lead), at, best[1], held_out)


def cost(before: Head, after: Head, photos: Examples) -> Cost:
    """What a lesson changes for photos that neither head was fitted to.

    Args:
        before: the head without the lesson.
        after: the head with it.
        photos: n photos of known classes.

    Returns:
        Rows of `photos`.
    """
    was, now = (head.logits(photos.embeddings).argmax(axis=1) == photos.columns for head in (before, after))
    return Cost(tuple(np.flatnonzero(now & ~was).tolist()), tuple(np.flatnonzero(was & ~now).tolist()))


def foretold_column(head: Head, known: Examples, photos: Array) -> tuple[Array, float]:
    """A new class's column as the existing ones foretell it from the mean of its photos.

    The columns W_k − W̄ are regressed on the mean embeddings μ_k − μ̄ of their classes, with one slope for all; the
    bias is the mean of the existing ones.

    Args:
        head: with its existing columns.
        known: photos of their classes.
        photos: (m, c), embeddings of the new class's.

    Returns:
        The column (c,) and its bias.
    """
    classes = np.unique(known.columns)
    means = np.stack([known.embeddings[known.columns == column].mean(axis=0) for column in classes])
    centre, columns = means.mean(axis=0), head.weights[:, classes].T
    spread = means - centre
    slope = float((spread * (columns - columns.mean(axis=0))).sum() / max(float((spread**2).sum()), 1e-12))
    return columns.mean(axis=0) + slope * (photos.mean(axis=0) - centre), float(head.bias[classes].mean())


@dataclass(frozen=True, eq=False)
class _Problem:
    """The regression of one column. Rows are photos: the new ones, those of the class, the hardest of the others.

    Attributes:
        photos: (n, c).
        offsets: (n,), A of the module's docstring.
        signs: (n,), 1 for photos of the class, −1 for others.
        weights: (n,), of each photo's loss.
        count: how many of the rows are new.
        start: the column that the fit is held near, and its bias.
        scale: typical length of an embedding; makes the regularization free of units.
        gram: (n, n), inner products of the rows (e / scale, 1).
    """

    photos: Array
    offsets: Array
    signs: Array
    weights: Array
    count: int
    start: tuple[Array, float]
    scale: float
    gram: Array

    @classmethod
    def of(cls, head: Head, known: Examples, new: Array, column: int) -> _Problem:
        is_new = column == head.classes
        same = known.columns == column
        start = foretold_column(head, known, new) if is_new else (head.weights[:, column], float(head.bias[column]))

        def offsets(embeddings: Array) -> Array:
            logits = head.logits(embeddings)
            return _log_sum_exp(logits if is_new else np.delete(logits, column, axis=1))

        others = known.embeddings[~same]
        hardest = np.argsort(-(others @ start[0] - offsets(others)), kind="stable")[:HARDEST]
        own = np.concatenate([new, known.embeddings[same]])
        photos = np.concatenate([own, others[hardest]])
        signs = np.concatenate([np.ones(len(own)), -np.ones(len(hardest))])
        # A class of few photos counts as much as the others do on average.
        typical = (~same).sum() / len(np.unique(known.columns[~same]))
        weights = np.where(signs > 0, max(1.0, typical / len(own)), 1.0)
        scale = float(np.sqrt((photos**2).sum(axis=1).mean()))
        gram = photos @ photos.T / scale**2 + 1
        return cls(photos, offsets(photos), signs, weights, len(new), start, scale, gram)

    @property
    def size(self) -> int:
        return len(self.signs)

    def held_out(self, folds: Sequence[NDArray[np.bool_]], regularization: float) -> tuple[float, Array]:
        """The loss of photos that were left out, and the new photos' logits of the column from fits without them."""
        loss, logits = 0.0, np.empty(self.count)
        for number, fold in enumerate(folds):
            out = np.arange(self.size) % len(folds) == number
            out[: self.count] = fold
            weights, bias = self.fit(~out, regularization)
            found = self.photos[out] @ weights + bias
            margins = self.signs[out] * (found - self.offsets[out])
            loss += float((self.weights[out] * np.logaddexp(0, -margins)).sum())
            logits[fold] = found[: fold.sum()]
        return loss, logits

    def fit(self, rows: NDArray[np.bool_], regularization: float) -> tuple[Array, float]:
        """The column and bias from some rows: Newton's method on the kernel's coefficients, steps halved as needed."""
        gram, signs, weights = self.gram[np.ix_(rows, rows)], self.signs[rows], self.weights[rows]
        at_start = self.photos[rows] @ self.start[0] + self.start[1] - self.offsets[rows]
        alpha = np.zeros(len(signs))

        def objective(alpha: Array) -> float:
            pull = gram @ alpha
            losses = weights * np.logaddexp(0, -signs * (at_start + pull))
            return float(losses.sum() + regularization / 2 * alpha @ pull)

        value = objective(alpha)
        for _ in range(_STEPS):
            wrong = 1 / (1 + np.exp(np.clip(signs * (at_start + gram @ alpha), -500, 500)))
            gradient = regularization * alpha - weights * signs * wrong
            curvature = weights * wrong * (1 - wrong)
            step = np.linalg.solve(curvature[:, None] * gram + regularization * np.eye(len(signs)), gradient)
            length = 1.0
            while (after := objective(alpha - length * step)) > value and length > 1e-6:
                length /= 2
            if after > value:
                break
            alpha, gain, value = alpha - length * step, value - after, after
            if gain <= _CONVERGED * max(1.0, abs(value)):
                break
        return self.start[0] + self.photos[rows].T @ alpha / self.scale**2, self.start[1] + float(alpha.sum())


def _log_sum_exp(logits: Array) -> Array:
    largest = logits.max(axis=1)
    return largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
