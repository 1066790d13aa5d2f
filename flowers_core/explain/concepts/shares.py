"""What a logit is made of, in concepts: an exact sum.

With features A ≈ U V (`ConceptDictionary`) and a head of global average pooling and one linear layer, the logit is

    mean(A) · W_k + b_k  =  Σ_j mean(U_j) (V_j · W_k)  +  mean(A − U V) · W_k  +  b_k

The terms are one share for each concept, the residual that the concepts do not explain, and the bias. Because the head
is linear, a share is also the amount by which the logit falls if the concept is removed from all positions. (CRAFT,
arXiv 2211.10154, estimates importance by Sobol indices for any head; here the closed form is available.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.cam import ONLY_CLASSES, class_weights
from flowers_core.explain.concepts.dictionary import ConceptDictionary
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, FloatArray, NeighbourTarget, Target

#: Shares are exact whatever the presence is, since the residual takes what it leaves; this is close, and quick.
_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class ConceptShares:
    """A logit, or the gap between two, as a sum over concepts.

    Attributes:
        target: what is explained.
        presence: (h, w, k), how much of each concept there is at each position.
        shares: (k,) float64, in logits.
        residual: in logits, what the concepts do not explain.
        bias: in logits.
    """

    target: ClassTarget | ContrastTarget
    presence: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]
    residual: float
    bias: float

    @property
    def value(self) -> float:
        """The logit, or the gap between two: the sum of all terms."""
        return float(self.shares.sum()) + self.residual + self.bias

    def strongest(self, most: int = 8) -> list[int]:
        """At most `most` concepts with the largest shares of either sign; concepts without a share are left out."""
        order = np.argsort(-np.abs(self.shares), kind="stable")[:most]
        return [int(concept) for concept in order if self.shares[concept] != 0]

    def contributions(self, concept: int) -> npt.NDArray[np.float64]:
        """The concept's share by position, (h, w), in logits; they sum to the share."""
        where = self.presence[..., concept]
        total = where.sum()
        return where * (self.shares[concept] / total) if total > 0 else np.zeros_like(where)


def concept_shares(
    features: FloatArray, dictionary: ConceptDictionary, head: FloatArray, bias: FloatArray, target: Target
) -> ConceptShares:
    """Split a logit, or the gap between two, over the concepts.

    Args:
        features: (h, w, c), of one photo.
        dictionary: of the model, with c channels.
        head: (c, classes), the linear layer's weights; column j is label j + 1.
        bias: (classes,), the linear layer's.
        target: a class, or a class against another: the gap (logit of label) − (logit of rival).

    Raises:
        ValueError: if the shapes do not fit, there is no such label, or the target is a neighbour.
    """
    if isinstance(target, NeighbourTarget):
        raise ValueError(ONLY_CLASSES)
    direction, constant = class_weights(head, target.label), float(bias[target.label - 1])
    if isinstance(target, ContrastTarget):
        direction = direction - class_weights(head, target.rival)
        constant -= float(bias[target.rival - 1])
    presence = dictionary.presence(features, tolerance=_TOLERANCE)
    shares = presence.mean(axis=(0, 1)) * (dictionary.concepts @ direction)
    without_bias = float(features.mean(axis=(0, 1), dtype=np.float64) @ direction)
    return ConceptShares(target, presence, shares, without_bias - float(shares.sum()), constant)
