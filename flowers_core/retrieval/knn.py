"""A second opinion beside the classifier's: what the nearest training photos say, with a probability of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.prediction import Candidate

if TYPE_CHECKING:
    from flowers_core.retrieval.gallery import Neighbour

COUNTS = (1, 3, 5, 10, 20, 40)
FLOORS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
TEMPERATURE_RANGE = (0.005, 1.0)


@dataclass(frozen=True)
class VoteRule:
    """How neighbours vote: each of the k nearest by exp(cosine / temperature), normalised.

    floor: in (0, 1), the probability kept back and given to all classes alike, since the right one may be among none of
    the k. splits: whose photos vote. top1, nll, photos: how the rule fared on the photos it was chosen on.
    """

    k: int
    temperature: float
    floor: float
    splits: tuple[str, ...]
    top1: float
    nll: float
    photos: int

    def to_json(self) -> dict[str, Any]:
        """As a bundle's manifest keeps it, under "vote"."""
        return {**asdict(self), "splits": list(self.splits)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> VoteRule:
        """Back from `to_json`; raises ValueError with a sentence when the values are not a rule."""
        try:
            rule = cls(**{**values, "splits": tuple(values["splits"])})
            if rule.k >= 1 and rule.temperature > 0 and 0 < rule.floor < 1:
                return rule
        except (KeyError, TypeError) as error:
            raise ValueError(f"A vote's rule has k, temperature, floor and splits, unlike {values!r}.") from error
        raise ValueError(f"A vote's rule is out of range: {values!r}.")


@dataclass(frozen=True)
class Vote:
    """What the neighbours say.

    candidates: the classes of the voters, most probable first, equals by label; their probabilities and that of all
    other classes together sum to 1. voters: how many neighbours voted. for_first: how many of them are of the first.
    """

    candidates: tuple[Candidate, ...]
    voters: int
    for_first: int

    @property
    def label(self) -> int:
        """The class that the neighbours favour."""
        return self.candidates[0].label

    @property
    def probability(self) -> float:
        """How probable it is that they are right, in (0, 1)."""
        return self.candidates[0].probability

    def agrees_with(self, label: int) -> bool:
        """Whether this is what the classifier says too."""
        return self.label == label


def vote(neighbours: Sequence[Neighbour], rule: VoteRule, classes: int = 102) -> Vote:
    """Count the votes of the first `rule.k` neighbours, nearest first; the caller leaves out the photo itself.

    Raises ValueError when there are none.
    """
    voters = list(neighbours[: rule.k])
    if not voters:
        raise ValueError("There are no neighbours to vote.")
    labels = np.array([[neighbour.label for neighbour in voters]])
    cosines = np.array([[neighbour.similarity for neighbour in voters]])
    probabilities = vote_probabilities(cosines, labels, rule.temperature, rule.floor, classes)[0]
    named = sorted({neighbour.label for neighbour in voters}, key=lambda label: (-probabilities[label - 1], label))
    return Vote(
        candidates=tuple(Candidate(label, float(probabilities[label - 1])) for label in named),
        voters=len(voters),
        for_first=sum(neighbour.label == named[0] for neighbour in voters),
    )


def vote_probabilities(
    cosines: ArrayLike, labels: ArrayLike, temperature: float, floor: float, classes: int
) -> NDArray[np.float64]:
    """(n, classes) float64, rows sum to 1, from the cosines and labels (n, k) of each photo's voters.

    The share of class c is the sum of exp(cosine / temperature) over its voters, normalised over all of them (Wu et al.
    2018, arXiv 1805.01978, section 3.4), times 1 − floor, plus floor / classes.
    """
    similar, columns = np.asarray(cosines, dtype=np.float64), np.asarray(labels, dtype=np.int64) - 1
    weights = np.exp((similar - similar.max(axis=1, keepdims=True)) / temperature)
    weights /= weights.sum(axis=1, keepdims=True)
    shares = np.zeros((len(similar), classes))
    np.add.at(shares, (np.arange(len(similar))[:, None], columns), weights)
    return (1 - floor) * shares + floor / classes


def fit_vote(
    vectors: ArrayLike,
    labels: ArrayLike,
    gallery_vectors: ArrayLike,
    gallery_labels: ArrayLike,
    *,
    splits: tuple[str, ...],
    classes: int = 102,
) -> VoteRule:
    """Choose k, temperature and floor by the least negative log-likelihood of photos that are not in the gallery.

    vectors (n, c), gallery_vectors (m, c): norm 1; labels (n,), gallery_labels (m,): 1-based. A probability fitted so
    is calibrated for questions to a gallery of the same kind: `splits` names the photos in it, and only they may vote.
    """
    from scipy.optimize import minimize_scalar

    queries, voters = np.asarray(vectors, dtype=np.float32), np.asarray(gallery_vectors, dtype=np.float32)
    columns, voter_labels = np.asarray(labels, dtype=np.int64) - 1, np.asarray(gallery_labels, dtype=np.int64)
    if not len(queries) or not len(voters):
        raise ValueError("A vote's rule needs photos to be chosen on, and photos that vote.")
    cosines = queries @ voters.T
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : max(COUNTS)]
    similar, named = np.take_along_axis(cosines, nearest, axis=1), voter_labels[nearest]
    each = np.arange(len(queries))

    def loss(log_temperature: float, k: int, floor: float) -> float:
        probabilities = vote_probabilities(similar[:, :k], named[:, :k], np.exp(log_temperature), floor, classes)
        return -float(np.log(probabilities[each, columns]).mean())

    trials = []
    for k in sorted({min(k, len(voters)) for k in COUNTS}):
        for floor in FLOORS:
            found = minimize_scalar(
                loss,
                bounds=tuple(np.log(TEMPERATURE_RANGE)),
                args=(k, floor),
                method="bounded",
                options={"xatol": 1e-3},
            )
            trials.append((float(found.fun), k, float(np.exp(found.x)), floor))
    nll, k, temperature, floor = min(trials)
    probabilities = vote_probabilities(similar[:, :k], named[:, :k], temperature, floor, classes)
    right = probabilities.argmax(axis=1) == columns
    return VoteRule(k, temperature, floor, splits, float(right.mean()), nll, len(queries))
