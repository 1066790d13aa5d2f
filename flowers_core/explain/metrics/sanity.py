"""The sanity check by model randomization: a map that hardly changes does not depend on what the model learnt.

Adebayo et al. 2018, "Sanity Checks for Saliency Maps", arXiv 1810.03292, in its cascading form: the weights of the
network are shuffled from the head down, and each method's map is compared with that of the trained network. TensorFlow
is imported when called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from flowers_core.explain.attributions.gradients import LAST_LAYER, Gradients
from flowers_core.explain.explanation import Explanation, Target
from flowers_core.explain.methods import Method
from flowers_core.explain.metrics.agreement import Agreement, agreement
from flowers_core.explain.metrics.complexity_rise import complexity_rise
from flowers_core.explain.metrics.faithfulness import in_model_frame
from flowers_core.explain.subject import Frame, Pixels, Subject
from flowers_core.inference.runtime import Forward

if TYPE_CHECKING:
    import keras

#: Fractions of the layers with weights that are shuffled, counted from the head; 0 is the head alone.
FRACTIONS = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Randomized:
    """A method's maps of the trained model beside those of the model with shuffled layers; means over photos.

    Attributes:
        agreement: of the two maps.
        complexity_rise: from the trained model's map to the other (`complexity_rise`); the efficient randomization test
            where all layers are shuffled. None if every map of the trained model is constant.
    """

    agreement: Agreement
    complexity_rise: float | None


class KerasModel:
    """Builds subjects of a Keras classifier. They use its current weights."""

    def __init__(self, classifier: keras.Model) -> None:
        import keras

        from flowers_core.networks.compiled import compiled

        self._classifier = classifier
        self._logits: Callable[..., Any] = compiled(classifier)
        self._features = compiled(keras.Model(classifier.input, classifier.get_layer(LAST_LAYER).output))
        self._gradients = cache(lambda: Gradients(classifier))

    def subject(self, pixels: Pixels, frame: Frame, temperature: float = 1.0) -> Subject:
        """A photo as this model sees it now.

        Args:
            pixels: (s, s, 3) uint8.
            frame: where the model's input lies on the photo.
            temperature: of the softmax, > 0.
        """
        return Subject(
            pixels=pixels,
            **frame,
            features=self._features(pixels[None])[0],
            head=self._classifier.get_layer("logits").get_weights()[0],
            logits=self._logits,
            feature_maps=self._features,
            forward=self._forward,
            temperature=temperature,
            gradients=self._gradients,
        )

    def _forward(self, photos: Pixels) -> Forward:
        weights, bias = self._classifier.get_layer("logits").get_weights()
        features = self._features(photos)
        embedding = features.mean(axis=(1, 2))
        return Forward(embedding @ weights + bias, features, embedding)


def sanity_check(
    classifier: keras.Model,
    methods: Sequence[Method],
    photos: Sequence[tuple[Pixels, Target]],
    *,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> dict[str, dict[float, Randomized]]:
    """Each method's maps before and after the model's weights are shuffled.

    Args:
        classifier: whose weights are shuffled, and restored afterwards.
        methods: the methods to check.
        photos: model inputs (s, s, 3) uint8, each with its target.
        fractions: how much of the network is shuffled, counted from its head.
        seed: of the shuffling; methods that draw keep their own seed, so that only the model differs.
        progress: called with a description of each step before it begins.

    Returns:
        method → fraction → what changed. The rank correlation of a good method is near 0 from the first fraction on. It
        stays near 1 for a method that outlines edges and ignores the model.
    """
    model = KerasModel(classifier)
    size = photos[0][0].shape[0]
    frame: Frame = {"box": (0.0, 0.0, float(size), float(size)), "photo_size": (size, size)}

    def maps(title: str) -> dict[str, list[Explanation]]:
        found: dict[str, list[Explanation]] = {method.name: [] for method in methods}
        for number, (pixels, target) in enumerate(photos):
            subject = model.subject(pixels, frame)
            for method in methods:
                if progress is not None:
                    progress(f"{title}, photo {number + 1} of {len(photos)}, {method.title}")
                found[method.name].append(method.explain(subject, target))
        return found

    before = maps("trained")
    results: dict[str, dict[float, Randomized]] = {method.name: {} for method in methods}
    for fraction in fractions:
        with shuffled(classifier, fraction, seed):
            after = maps(f"{fraction:.0%} shuffled")
        for name, found in results.items():
            found[fraction] = _compared(list(zip(before[name], after[name], strict=True)), size)
    return results


def _compared(pairs: list[tuple[Explanation, Explanation]], size: int) -> Randomized:
    agreements = [agreement(trained, other, size) for trained, other in pairs]
    rises = [complexity_rise(in_model_frame(trained, size), in_model_frame(other, size)) for trained, other in pairs]
    known = [rise for rise in rises if rise is not None]
    return Randomized(
        Agreement(
            float(np.mean([found.rank_correlation for found in agreements])),
            float(np.mean([found.overlap for found in agreements])),
        ),
        float(np.mean(known)) if known else None,
    )


@contextmanager
def shuffled(classifier: keras.Model, fraction: float, seed: int) -> Iterator[None]:
    """Shuffle the weights of the classifier's last layers, and restore them afterwards.

    Shuffled weights keep their distribution, so activations neither vanish nor explode.

    Args:
        classifier: changed in place.
        fraction: of the layers that have weights, counted from the head, 0…1; the head is always among them.
        seed: of the order.

    Raises:
        ValueError: if the fraction is out of range.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"The fraction of shuffled layers must be between 0 and 1, not {fraction}.")
    layers = [layer for layer in classifier.layers if layer.get_weights()]
    chosen = layers[-max(1, round(fraction * len(layers))) :]
    kept = [layer.get_weights() for layer in chosen]
    random = np.random.default_rng(seed)
    try:
        for layer, weights in zip(chosen, kept, strict=True):
            layer.set_weights([random.permutation(weight.ravel()).reshape(weight.shape) for weight in weights])
        yield
    finally:
        for layer, weights in zip(chosen, kept, strict=True):
            layer.set_weights(weights)
