"""Representer points: a logit as a sum over the training photos, each with what it adds.

Yeh, Kim, Yen and Ravikumar 2018, "Representer Point Selection for Explaining Deep Neural Networks", NeurIPS (arXiv
1811.09720). A head is fitted once more to n training photos, with L2. Where its gradient is zero, a logit of any photo
is a sum over the training photos. Here the head is fitted to what the shipped head says of them: with z_n the logits of
training photo n and u_n = C^(-1/2) z_n the same in coordinates in which C = Σ z_n z_nᵀ / n is the identity,

    minimize  Σ ‖z_n − V u_n‖² + λ n ‖V‖²    ⇒    V = Σ α_n u_nᵀ,    α_n = (z_n − V u_n) / (λ n) = z_n / ((1 + λ) n)

so V u = z / (1 + λ) for every photo: whatever λ is, the refitted head gives the shipped head's answers, on a scale of
1 / (1 + λ). On the shipped scale

    z_k  =  Σ_n (1/n) z_nk ⟨u_n, u⟩

A training photo speaks for class k if the head sees k in it and if it counts for the photo in question. The sum has no
rest. Logits are taken relative to their mean over the classes: a number added to all of them changes no answer.

In the coordinates of the embedding the same theorem holds, and its shares say little: directions in which all photos
are alike make all of them count, and a head that gives the same answers needs so small a λ that the photos' shares
cancel one another. `representer_evaluation` measures how well shares foretell what a head answers that is fitted
without some of the photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import ContrastTarget, FloatArray, NeighbourTarget, Target, check_label

#: Of C, relative to its largest eigenvalue; smaller ones are taken for 0. Logits sum to 0, so one always is.
_RANK_TOLERANCE = 1e-9
_ONLY_CLASSES = "Training photos speak for a class, or for a class against another, not for a neighbour."


@dataclass(frozen=True, eq=False)
class Representers:
    """The training photos of a head, and what each says for any other photo.

    Attributes:
        ids: (n,) int64, the photos.
        labels: (n,) int64, their classes, 1-based.
        logits: (n, classes) float64, what the head says of each photo, relative to the mean over the classes; column j
            is label j + 1. On any scale: only proportions between photos count.

    Raises:
        ValueError: if the arrays do not belong together.
    """

    ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.logits.ndim != 2 or not 0 < len(self.ids) == len(self.labels) == len(self.logits):
            raise ValueError(
                f"Logits {self.logits.shape} and {len(self.labels)} labels do not fit {len(self.ids)} training photos."
            )

    def __len__(self) -> int:
        return len(self.ids)

    def coordinates(self, logits: FloatArray) -> npt.NDArray[np.float64]:
        """Logits in the coordinates in which those of the training photos are uncorrelated and of unit size: u.

        Args:
            logits: (m, classes).

        Returns:
            (m, rank) float64; the rank is at most classes − 1.
        """
        return _centred(logits) @ self._whitening

    def likeness(self, logits: FloatArray) -> npt.NDArray[np.float64]:
        """How much each training photo counts for others: ⟨u_n, u⟩ / n.

        Args:
            logits: (m, classes), of other photos.

        Returns:
            (m, n) float64; negative where a photo counts against what it shows.
        """
        return self.coordinates(logits) @ self._own.T / len(self)

    def contributions(self, logits: FloatArray, target: Target) -> npt.NDArray[np.float64]:
        """What each training photo adds to a logit of one photo, or to the gap between two.

        Args:
            logits: (classes,), of the photo in question.
            target: a class, or a class against another: the gap (logit of label) − (logit of rival).

        Returns:
            (n,) float64; their sum is the logit relative to the mean over the classes, or the gap, if the training
            photos' logits span all classes.

        Raises:
            ValueError: if there is no such label, or the target is a neighbour.
        """
        return self.said(target) * self.likeness(logits[None])[0]

    def said(self, target: Target) -> npt.NDArray[np.float64]:
        """What the head says of each training photo about a class, or a class against another.

        Args:
            target: what is explained.

        Returns:
            (n,) float64, in logits.

        Raises:
            ValueError: if there is no such label, or the target is a neighbour.
        """
        if isinstance(target, NeighbourTarget):
            raise ValueError(_ONLY_CLASSES)
        classes = self.logits.shape[1]
        check_label(target.label, classes)
        said = self.logits[:, target.label - 1]
        if not isinstance(target, ContrastTarget):
            return said
        check_label(target.rival, classes)
        return said - self.logits[:, target.rival - 1]

    def taught(
        self, logits: FloatArray, called: npt.NDArray[np.int64], true: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """How much of each mistake each training photo taught.

        Args:
            logits: (m, classes), of m mistaken photos.
            called: (m,), what they were called, 1-based.
            true: (m,), what they show, 1-based.

        Returns:
            (m, n) float64, not negative: the photo's part of all that speaks for the wrong class rather than the right
            one. Rows sum to 1.
        """
        said = self.logits[:, called - 1] - self.logits[:, true - 1]
        speaks = np.maximum(said.T * self.likeness(logits), 0)
        return speaks / speaks.sum(axis=1, keepdims=True)

    @cached_property
    def _whitening(self) -> npt.NDArray[np.float64]:
        values, vectors = np.linalg.eigh(self.logits.T @ self.logits / len(self))
        kept = values > _RANK_TOLERANCE * values[-1]
        return vectors[:, kept] / np.sqrt(values[kept])

    @cached_property
    def _own(self) -> npt.NDArray[np.float64]:
        return self.coordinates(self.logits)


def representers_of(
    ids: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], embeddings: FloatArray, head: FloatArray
) -> Representers:
    """The representers of a head, from the embeddings of its training photos.

    The bias is left out: what a head says of every photo alike is not learnt from any of them.

    Args:
        ids: (n,), the training photos.
        labels: (n,), 1-based.
        embeddings: (n, c), of any common scale, such as `Gallery.vectors`.
        head: (c, classes), the linear layer's weights.
    """
    return Representers(ids, labels, _centred(embeddings.astype(np.float64) @ head))


def strongest(contributions: npt.NDArray[np.float64], most: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The photos that speak most for the target, and those that speak most against it.

    Args:
        contributions: (n,), as of `Representers.contributions`.
        most: photos of each kind at most.

    Returns:
        Two arrays of positions, the strongest first; equals in the order of the photos.
    """
    order, against = np.argsort(-contributions, kind="stable"), np.argsort(contributions, kind="stable")
    return order[: min(most, int((contributions > 0).sum()))], against[: min(most, int((contributions < 0).sum()))]


def _centred(logits: FloatArray) -> npt.NDArray[np.float64]:
    exact = np.asarray(logits, np.float64)
    return exact - exact.mean(axis=-1, keepdims=True)
