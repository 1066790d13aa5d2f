"""The input of every method: a photo as one model sees it, and the model itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Box, FloatArray
from flowers_core.explain.lime.superpixels import Segmentation

if TYPE_CHECKING:
    from flowers_core.explain.attributions.gradients import Gradients
    from flowers_core.inference.runtime import Forward

Pixels = npt.NDArray[np.uint8]
#: (n, s, s, 3) uint8 → (n, classes) logits, such as Runtime.logits.
Logits = Callable[[Pixels], npt.NDArray[np.floating]]
#: (n, s, s, 3) uint8 → (n, h, w, c), such as Runtime.features.
FeatureMaps = Callable[[Pixels], npt.NDArray[np.floating]]


class Frame(TypedDict):
    """Where a map lies on its photo, as in `Explanation`.

    Attributes:
        box: left, top, right, bottom of what the model saw, in pixels of the photo.
        photo_size: (width, height) of the photo, in pixels.
    """

    box: Box
    photo_size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Subject:
    """A photo as one model sees it.

    Attributes:
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        box: ModelInput.box, in pixels of the photo.
        photo_size: (width, height) of the photo, in pixels.
        features: (h, w, c), the last feature map of the forward pass that named the flower.
        head: (c, classes), the linear layer's weights; column j is label j + 1.
        logits: the model as a function from photos to logits.
        feature_maps: the same model as a function from photos to last feature maps.
        forward: both in one pass, such as Runtime.forward. With it LIME fits one model per position. None if the logits
            are not linear in the mean of the feature map.
        temperature: of the softmax, > 0.
        gradients: builds the gradients of the Keras model, once; None if there is no Keras model.
        segmentation: how LIME divides the photo into superpixels.
    """

    pixels: Pixels
    box: Box
    photo_size: tuple[int, int]
    features: FloatArray
    head: FloatArray
    logits: Logits
    feature_maps: FeatureMaps
    forward: Callable[[Pixels], Forward] | None = None
    temperature: float = 1.0
    gradients: Callable[[], Gradients] | None = None
    segmentation: Segmentation = field(default_factory=Segmentation)

    @property
    def size(self) -> int:
        """Side of the model's input, in pixels."""
        return len(self.pixels)

    @property
    def frame(self) -> Frame:
        """Where this subject's maps lie on the photo, as keyword arguments of `Explanation`."""
        return {"box": self.box, "photo_size": self.photo_size}

    def with_pixels(self, pixels: Pixels, features: FloatArray) -> Subject:
        """The same model and frame with another photo.

        Args:
            pixels: (s, s, 3) uint8.
            features: (h, w, c), their last feature map.
        """
        return replace(self, pixels=pixels, features=features)
