"""The answer to a photo with one confidence, from all that a forward pass tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.taxonomy import Taxon
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.confidence import discriminant_space, evidence_of, signals_of, tempered
from flowers_core.inference.confidence_model import SIGNALS
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.looks_rule import LooksRule, looks_rule
from flowers_core.inference.prediction import Prediction, taxa_of
from flowers_core.inference.prediction_set import in_set
from flowers_core.inference.reading import Reading, judged
from flowers_core.inference.records.confidence import ConfidenceRecord
from flowers_core.inference.runtime import Forward


@dataclass(frozen=True, eq=False)
class ConfidenceHead:
    """What confidence takes beside the forward pass.

    Attributes:
        record: the fitted rules.
        space: of the network.
        weights, bias: (c, classes) and (classes,) float32, of its linear layer.
    """

    record: ConfidenceRecord
    space: DiscriminantSpace
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def sure_from(self) -> float:
        """As the model of confidence has it."""
        return self.record.model.sure_from

    @property
    def looks(self) -> LooksRule:
        """The fitted rule; in records from before it was fitted, the one for all."""
        return self.record.looks or looks_rule(self.sure_from)

    def read(self, forward: Forward) -> Reading:
        """The reading of n pictures.

        The probability of each answer is its confidence, and those of the other classes follow at the temperature that
        agrees with it.
        """
        signals = signals_of(evidence_of(forward, self.weights, self.bias), self.space)
        near, odds = signals[:, SIGNALS.index("nearness")], signals[:, SIGNALS.index("log_odds")]
        probabilities = tempered(forward.logits, self.record.model.confidence(signals))
        return Reading(probabilities, ~self.record.novelty.looks_like_none(near, odds))

    def set_size(self, probabilities: NDArray[np.float64]) -> int:
        """How many of the most probable classes make the prediction set, at least 1, by the rule for sets."""
        return int(in_set(probabilities[None], self.record.sets.mass, self.record.sets.least).sum())

    def predict(self, forward: Forward, taxonomy: Iterable[Taxon]) -> Prediction:
        """The answer to one photo from one look. The verdict:

        - "unsure" where the photo looks like none of the flowers;
        - "sure" where the confidence reaches `sure_from`; the answer then is the whole set;
        - "between" where two or three classes are in the set, and together reach it;
        - "unsure" otherwise.

        Args:
            forward: the outputs for one photo.
            taxonomy: the classes, one for each logit.

        Raises:
            ValueError: there are several photos, or the taxonomy does not fit.
        """
        if len(forward) != 1:
            raise ValueError(f"One photo is read at a time, not {len(forward)}.")
        taxa = taxa_of(forward.logits[0], taxonomy)
        reading = self.read(forward)
        return judged(reading.probabilities[0], taxa, self, self.sure_from, novel=not reading.familiar[0])


def confidence_head(bundle: Bundle) -> ConfidenceHead | None:
    """What a bundle's confidence takes, or None where it was not fitted (`flowers fit_confidence`)."""
    record = bundle.manifest.confidence
    return None if record is None else ConfidenceHead(record, discriminant_space(bundle), *bundle.head())
