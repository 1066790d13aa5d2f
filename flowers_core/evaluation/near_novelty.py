"""Near novelty: flowers that a network has not learnt against those that it has.

So many of the classes are left out of training, several times over; then each score is asked to tell test photos of the
classes that were learnt from test photos of those that were not. These are harder to tell than pictures without a
flower: the photos are alike in everything but the species.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from flowers_core.evaluation.confidence_fit import fit_novelty
from flowers_core.evaluation.confidence_report import familiarity_scores
from flowers_core.evaluation.evidence import Observed
from flowers_core.evaluation.novelty_metrics import auroc, detection, fpr_at_tpr
from flowers_core.inference.confidence import Evidence
from flowers_core.inference.discriminant import fit_discriminant_space
from flowers_core.inference.records.near_novelty import NearDraw

#: How many classes are left out at a time.
LEFT_OUT = 20
#: The cosine with which of the nearest training photos is a score.
NEIGHBOUR = 5


Head = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Embedded:
    """Photos of one split as a network sees them.

    Attributes:
        embeddings: (n, c) float32.
        labels: (n,) int64, of all classes, 1-based.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]

    def of(self, classes: NDArray[np.int64]) -> Embedded:
        """The photos of these classes, which become the labels 1, 2, … in their order."""
        kept = np.isin(self.labels, classes)
        return Embedded(self.embeddings[kept], np.searchsorted(classes, self.labels[kept]).astype(np.int64) + 1)


def side_by_side(branches: Sequence[Embedded]) -> Embedded:
    """The same photos with the embeddings of several networks in one row each.

    Args:
        branches: the photos as each network sees them, in one order.
    """
    return Embedded(np.concatenate([branch.embeddings for branch in branches], axis=1), branches[0].labels)


def mean_head(heads: Sequence[Head]) -> Head:
    """The head of embeddings that are side by side; its logits are the mean of those of the branches' own heads.

    Args:
        heads: weights (c, k) and bias (k,) of each branch.
    """
    weights, biases = zip(*heads, strict=True)
    return (np.concatenate(weights) / len(heads)).astype(np.float32), np.mean(biases, axis=0, dtype=np.float32)


def left_out_classes(seed: int, classes: int, count: int = LEFT_OUT) -> tuple[int, ...]:
    """The labels that a draw leaves out, 1-based and ascending.

    Args:
        seed: draws them.
        classes: how many there are.
        count: how many are left out, fewer than all.
    """
    drawn = np.random.default_rng(seed).choice(classes, count, replace=False)
    return tuple(sorted((drawn + 1).tolist()))


def kept_classes(left_out: tuple[int, ...], classes: int) -> NDArray[np.int64]:
    """The labels that are learnt, ascending.

    Args:
        left_out: the labels that are not, 1-based.
        classes: how many there are.
    """
    return np.setdiff1d(np.arange(1, classes + 1), left_out)


def near_draw(
    splits: Mapping[str, Embedded],
    head: Head,
    seed: int,
    left_out: tuple[int, ...],
    classes: int,
    *,
    resamples: int = 1000,
) -> NearDraw:
    """The figures of one draw.

    Args:
        splits: "train", "validation" and "test". Of the classes that were left out, validation photos choose between
            scores, and test photos are for the figures.
        head: weights (c, kept classes) and bias (kept classes,) of the network that did not learn them.
        seed, left_out: of the draw.
        classes: of the whole data set.
        resamples: of the bootstrap intervals.
    """
    kept = kept_classes(left_out, classes)
    training, validation, known = (_observed(splits[name].of(kept), head) for name in ("train", "validation", "test"))
    strange, others = (_observed(splits[name].of(np.array(left_out)), head) for name in ("validation", "test"))
    space = fit_discriminant_space(training.evidence.embeddings, training.labels, len(kept))
    novelty = fit_novelty(space, validation)

    def scores(part: Observed) -> dict[str, NDArray[np.float64]]:
        seen = part.evidence
        found = familiarity_scores(space, novelty, seen, head[0])
        found["cosine"] = space.cosines(seen.embeddings)[np.arange(len(seen)), seen.logits.argmax(axis=1)]
        found["fdbd_cosine"] = found["fdbd"] * np.maximum(found["cosine"], 0)
        found["cosine_probability"] = np.maximum(found["cosine"], 0) * np.sqrt(expit(found["max_probability"]))
        found["knn"] = neighbour_cosines(seen.embeddings, training.evidence.embeddings)
        return found

    held_out, of_strange, of_known, of_others = (scores(part) for part in (validation, strange, known, others))
    return NearDraw(
        seed=seed,
        left_out=left_out,
        top1=float(known.right.mean()),
        known=len(known),
        others=len(others),
        scores={name: detection(of_known[name], of_others[name], resamples=resamples) for name in of_known},
        validation={
            name: (auroc(held_out[name], of_strange[name]), fpr_at_tpr(held_out[name], of_strange[name]))
            for name in held_out
        },
    )


def neighbour_cosines(
    embeddings: NDArray[np.floating], training: NDArray[np.floating], k: int = NEIGHBOUR
) -> NDArray[np.float64]:
    """The cosine of each embedding with its k-th nearest training photo (Sun et al. 2022, arXiv 2204.06507).

    Args:
        embeddings: (n, c), none of them zero.
        training: (m, c) of the training photos, likewise; m ≥ k.
        k: from 1.

    Returns:
        (n,) float64 in [−1, 1].
    """
    ends = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (embeddings, training)]
    return np.partition(ends[0] @ ends[1].T, -k, axis=1)[:, -k].astype(np.float64)


def _observed(photos: Embedded, head: Head) -> Observed:
    # The scores do without the surest position, which takes whole feature maps.
    logits = photos.embeddings @ head[0] + head[1]
    evidence = Evidence(logits, photos.embeddings, np.zeros(len(logits), np.float32))
    return Observed(evidence, photos.labels, np.arange(len(logits)))
