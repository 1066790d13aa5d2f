"""The answer to a photo with one confidence, from all that a forward pass tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.taxonomy import Taxon, Taxonomy
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.confidence import discriminant_space, evidence_of, signals_of, tempered
from flowers_core.inference.confidence_model import SIGNALS
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.prediction import Prediction, Verdict, predict, ranked, taxa_of, verdict_of
from flowers_core.inference.prediction_set import in_set
from flowers_core.inference.records.confidence import ConfidenceRecord
from flowers_core.inference.runtime import Forward, Runtime


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

    def predict(self, forward: Forward, taxonomy: Iterable[Taxon]) -> Prediction:
        """The reading of one photo's forward pass.

        The probability of the answer is its confidence, and those of the other classes follow at the temperature that
        agrees with it. The verdict:

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
        model, rule = self.record.model, self.record.sets
        signals = signals_of(evidence_of(forward, self.weights, self.bias), self.space)
        confidence = model.confidence(signals)
        probabilities = tempered(forward.logits, confidence)
        members = int(in_set(probabilities, rule.mass, rule.least).sum())
        near, odds = signals[:, SIGNALS.index("nearness")], signals[:, SIGNALS.index("log_odds")]
        novel = bool(self.record.novelty.looks_like_none(near, odds)[0])
        verdict: Verdict = "unsure"
        if not novel and confidence[0] >= model.sure_from:
            verdict, members = "sure", 1
        elif not novel and members > 1:
            verdict = verdict_of(members, float(np.sort(probabilities[0])[-members:].sum()), model.sure_from)
        return ranked(probabilities[0], members, verdict, taxa, novel=novel)


def confidence_head(bundle: Bundle) -> ConfidenceHead | None:
    """What a bundle's confidence takes, or None where it was not fitted (`flowers fit_confidence`)."""
    record = bundle.manifest.confidence
    return None if record is None else ConfidenceHead(record, discriminant_space(bundle), *bundle.head())


def answerer(bundle: Bundle, runtime: Runtime, taxonomy: Taxonomy) -> Callable[[NDArray[np.uint8]], Prediction]:
    """How a bundle answers a photo's input (size, size, 3): with one confidence where it has the rules for that.

    Args:
        bundle: the bundle.
        runtime: its model.
        taxonomy: its classes.

    Raises:
        BundleError: the bundle is not calibrated.
    """
    calibration, head = bundle.require_calibration(), confidence_head(bundle)
    if head is not None:
        return lambda seen: head.predict(runtime.forward(seen[None]), taxonomy)
    return lambda seen: predict(runtime.logits(seen[None])[0], calibration, taxonomy)
