"""A photo → a model's input, by the one resize and crop that training, export and serving share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class CropRule:
    """How a photo becomes a model's input.

    The short side is resized to size / crop_fraction (bicubic, antialiased, Pillow) and the central size × size
    pixels are kept. With crop_fraction 1 the model sees the whole short side.

    Attributes:
        size: side of the square input in pixels, at least 1.
        crop_fraction: fraction of the short side that is kept, in (0, 1].
    """

    size: int
    crop_fraction: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise ValueError(f"A crop rule's size is a whole number of pixels of at least 1, not {self.size!r}.")
        if not 0 < self.crop_fraction <= 1:
            raise ValueError(f"A crop rule's crop_fraction lies above 0 and at most at 1, not {self.crop_fraction!r}.")

    def to_json(self) -> dict[str, Any]:
        """As plain values, for `bundle.json`."""
        return {"size": self.size, "crop_fraction": self.crop_fraction}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CropRule:
        """The rule from the values of `to_json`. Raises ValueError with a sentence for other values."""
        try:
            return cls(size=values["size"], crop_fraction=float(values["crop_fraction"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"A crop rule has a size and a crop_fraction, unlike {values!r}.") from error


@dataclass(frozen=True, eq=False)
class ModelInput:
    """The part of a photo that a model sees.

    Attributes:
        pixels: (size, size, 3) uint8 RGB, read-only.
        box: left, top, right, bottom in the photo's pixel coordinates (edges, not centres).
    """

    pixels: NDArray[np.uint8]
    box: tuple[float, float, float, float]


def model_input(pixels: NDArray[np.uint8], rule: CropRule) -> ModelInput:
    """Resize and crop a photo to a model's input.

    The crop is resampled straight from the photo (`Image.resize` with a box), so there is one interpolation and no
    rounding of the crop to whole pixels. Pure and deterministic.

    Args:
        pixels: (height, width, 3) uint8 RGB.
        rule: the input's size and the fraction of the short side that is kept.

    Raises:
        ValueError: the array has another shape or dtype.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise ValueError(f"A photo is a (height, width, 3) uint8 array, not {pixels.shape} {pixels.dtype}.")
    height, width, _ = pixels.shape
    side = min(width, height) * rule.crop_fraction
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, min(left + side, width), min(top + side, height))
    resized = Image.fromarray(pixels).resize((rule.size, rule.size), Image.Resampling.BICUBIC, box=box)
    cut = np.array(resized)
    cut.setflags(write=False)
    return ModelInput(pixels=cut, box=box)
