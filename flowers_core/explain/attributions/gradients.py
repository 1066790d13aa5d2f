"""Gradients of the Keras classifier: one compiled function a layer, which all gradient methods call.

tf-keras-vis clones and traces the network at every call. `Gradients` traces it once, and a call runs the finished
graph. The class is an argument of the graph, not part of it: the score, a logit or the gap between two, is the product
of the logits and a direction.

TensorFlow is imported when a `Gradients` is built, not before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.cam import ONLY_CLASSES
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Target, check_label
from flowers_core.explain.subject import Pixels, Subject

if TYPE_CHECKING:
    import keras

#: The last feature map, as flowers_core.networks.classifier names it.
LAST_LAYER = "features"


@dataclass(frozen=True, eq=False)
class LayerGradients:
    """A layer's activations on one photo, and the score's gradients there.

    Attributes:
        activations: (h, w, c) float32.
        gradients: (h, w, c) float32, of the score with respect to the activations.
        score: the logit, or the gap between two.
    """

    activations: npt.NDArray[np.float32]
    gradients: npt.NDArray[np.float32]
    score: float


class Gradients:
    """A classifier with its gradients at one layer and at the photo. Safe to call from many threads."""

    def __init__(self, classifier: keras.Model, layer: str = LAST_LAYER) -> None:
        """Build the graphs.

        Args:
            classifier: photos (n, s, s, 3) in 0…255 → logits (n, classes).
            layer: name of a layer with an output (n, h, w, c), one of `feature_layers`.

        Raises:
            ValueError: if there is no such layer, or its output is not a feature map.
        """
        import keras
        import tensorflow as tf

        if layer not in feature_layers(classifier):
            offered = ", ".join(last_of_each_size(classifier))
            raise ValueError(f"“{layer}” is not a feature map of this model; there are {offered}.")
        self.layer = layer
        self.input_size = int(classifier.input_shape[1])
        self.classes = int(classifier.output_shape[-1])
        both = keras.Model(classifier.input, [classifier.get_layer(layer).output, classifier.output])
        photos = tf.TensorSpec((None, *classifier.input_shape[1:]), tf.float32)
        direction = tf.TensorSpec((self.classes,), tf.float32)

        # In a graph, tf.gradients goes back from the score to the layer and no further.
        @tf.function(input_signature=[photos, direction])
        def at_layer(photos: Any, direction: Any) -> Any:
            activations, logits = both(photos, training=False)
            score = tf.linalg.matvec(logits, direction)
            return activations, tf.gradients(score, activations)[0], score

        @tf.function(input_signature=[photos, direction])
        def at_photo(photos: Any, direction: Any) -> Any:
            return tf.gradients(tf.linalg.matvec(classifier(photos, training=False), direction), photos)[0]

        self._at_layer: Callable[..., Any] = at_layer
        self._at_photo: Callable[..., Any] = at_photo

    def at_layer(self, pixels: Pixels, target: Target) -> LayerGradients:
        """Activations and gradients for one photo.

        Args:
            pixels: (s, s, 3) uint8, s the model's input size.
            target: a class, or a class against another.

        Returns:
            Both at the layer, and the score.

        Raises:
            ValueError: if the photo has another size, a label does not exist, or the target is a neighbour.
        """
        self._check(pixels[None])
        activations, gradients, score = self._at_layer(pixels[None].astype(np.float32), self._direction(target))
        return LayerGradients(activations.numpy()[0], gradients.numpy()[0], float(score.numpy()[0]))

    def at_photo(self, photos: npt.NDArray[np.floating], target: Target) -> npt.NDArray[np.float32]:
        """The score's gradient with respect to photos.

        Args:
            photos: (n, s, s, 3) in 0…255, s the model's input size.
            target: a class, or a class against another.

        Returns:
            (n, s, s, 3) float32, in logits per grey level.

        Raises:
            ValueError: as `at_layer`.
        """
        self._check(photos)
        return self._at_photo(photos.astype(np.float32), self._direction(target)).numpy()

    def _check(self, photos: npt.NDArray) -> None:
        if photos.shape[1:] != (self.input_size, self.input_size, 3):
            raise ValueError(f"The model takes {self.input_size}×{self.input_size} RGB photos, not {photos.shape[1:]}.")

    def _direction(self, target: Target) -> npt.NDArray[np.float32]:
        """What the logits are multiplied with, (classes,)."""
        if isinstance(target, ClassTarget):
            signs = {target.label: 1.0}
        elif isinstance(target, ContrastTarget):
            signs = {target.label: 1.0, target.rival: -1.0}
        else:
            raise ValueError(ONLY_CLASSES)
        direction = np.zeros(self.classes, np.float32)
        for label, sign in signs.items():
            check_label(label, self.classes)
            direction[label - 1] = sign
        return direction


def gradients_of(subject: Subject) -> Gradients:
    """The gradients of the subject's model, built at the first call.

    Raises:
        ValueError: if the model has none.
    """
    if subject.gradients is None:
        raise ValueError("Gradients need the Keras model, and this model comes without.")
    return subject.gradients()


def feature_layers(classifier: keras.Model) -> dict[str, tuple[int, int, int]]:
    """The layers whose output is a feature map, first to last: name → (height, width, channels)."""
    shapes = {layer.name: tuple(getattr(layer.output, "shape", ())) for layer in classifier.layers[1:]}
    return {
        name: (int(height), int(width), int(channels))
        for name, (_, height, width, channels) in ((name, shape) for name, shape in shapes.items() if len(shape) == 4)
    }


def last_of_each_size(classifier: keras.Model) -> dict[str, tuple[int, int, int]]:
    """The last of `feature_layers` of each height and width, coarsest map last: the choice worth offering."""
    by_size = {shape[:2]: (name, shape) for name, shape in feature_layers(classifier).items()}
    return dict(by_size.values())
