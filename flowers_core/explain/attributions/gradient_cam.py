"""What Grad-CAM, Grad-CAM++ and LayerCAM share: one layer's activations, weighted by the score's gradients there.

Each of the three is a rule for the weights. This module calls the network and builds the explanation.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from flowers_core.explain.attributions.gradients import LayerGradients, gradients_of
from flowers_core.explain.explanation import Explanation, FloatArray, Target
from flowers_core.explain.subject import Subject

#: A layer's activations and gradients, each (h, w, c), to the map (h, w).
Rule = Callable[[LayerGradients], FloatArray]


def weighted_activations(method: str, unit: str, rule: Rule, subject: Subject, target: Target) -> Explanation:
    """The map of one rule at the layer of `subject.gradients`.

    Args:
        method: name of the method.
        unit: of its contributions.
        rule: activations and gradients to the map.
        subject: the photo, and a model with gradients.
        target: a class, or a class against another.

    Returns:
        Explanation (h, w); negative contributions of the rule are kept. Its settings hold the `layer` and the `score`,
        which is the logit or the gap between two.

    Raises:
        ValueError: as Gradients.at_layer, or if the model has no gradients.
    """
    started = time.perf_counter()
    gradients = gradients_of(subject)
    at_layer = gradients.at_layer(subject.pixels, target)
    contributions = rule(at_layer)
    return Explanation(
        method=method,
        target=target,
        contributions=contributions.astype(np.float32),
        value=float(contributions.sum(dtype=np.float64)),
        unit=unit,
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={"layer": gradients.layer, "score": at_layer.score},
    )
