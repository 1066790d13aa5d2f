"""An edit by hand: a frame, a turn, more or less light, and places brushed away, before the model looks at a photo."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

from flowers_core.errors import FlowersError

Pixels = npt.NDArray[np.uint8]
#: What stands where something was brushed away.
Fill = Literal["surroundings", "blur", "mean"]
FILLS: tuple[Fill, ...] = get_args(Fill)
#: Cells of the brush along each side of the photo.
GRID = 32
#: The smallest frame, as a fraction of the photo's short side; the least and the most light.
LEAST_SIDE, LIGHT = 0.1, (0.25, 3.0)

# The blurred photo has so many pixels along each side.
_BLUR = 8
# A turned frame is drawn at so many times its size, then shrunk: turning alone would blur it.
_FINER = 2


class EditError(FlowersError):
    """Values that are no edit; the message says which."""


def _nothing_brushed() -> npt.NDArray[np.bool_]:
    return np.zeros((GRID, GRID), np.bool_)


@dataclass(frozen=True, eq=False)
class Edit:
    """What was changed in a photo.

    Attributes:
        x, y: the middle of the frame, as fractions of the photo's width and height, 0…1. The model sees the frame.
        side: of the frame, as a fraction of the photo's short side, `LEAST_SIDE`…1.
        angle: by which the frame is turned clockwise on the photo, in degrees; what is seen turns the other way.
        light: what the pixels are multiplied by, within `LIGHT`.
        brushed: (GRID, GRID) bool, the cells of the whole photo that were brushed away.
        fill: what stands there instead: the nearest that was not brushed, a blurred photo, or its mean colour.

    Raises:
        EditError: a value is out of its range.
    """

    x: float = 0.5
    y: float = 0.5
    side: float = 1.0
    angle: float = 0.0
    light: float = 1.0
    brushed: npt.NDArray[np.bool_] = field(default_factory=_nothing_brushed)
    fill: Fill = "surroundings"

    def __post_init__(self) -> None:
        for name, low, high in (("x", 0, 1), ("y", 0, 1), ("side", LEAST_SIDE, 1), ("light", *LIGHT)):
            if not low <= getattr(self, name) <= high:
                raise EditError(f"An edit's {name} lies in {low}…{high}, unlike {getattr(self, name)!r}.")
        if not math.isfinite(self.angle):
            raise EditError(f"An edit is turned by a number of degrees, not by {self.angle!r}.")
        if self.brushed.shape != (GRID, GRID) or self.brushed.dtype != np.bool_:
            raise EditError(f"A brush has {GRID} × {GRID} cells, yes or no, unlike {self.brushed.shape}.")
        if self.fill not in FILLS:
            raise EditError(f"Brushed places are filled with one of {', '.join(FILLS)}, not with {self.fill!r}.")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Edit:
        """An edit as a page sends it.

        Args:
            values: numbers `x`, `y`, `side`, `angle` and `light`; `brushed`, row by row the cells as bits in
                hexadecimal digits; `fill`.

        Raises:
            EditError: the values are no edit.
        """
        try:
            numbers = {name: float(values[name]) for name in ("x", "y", "side", "angle", "light")}
            bits = np.unpackbits(np.frombuffer(bytes.fromhex(values["brushed"]), np.uint8))
            return cls(**numbers, brushed=bits.reshape(GRID, GRID).astype(np.bool_), fill=values["fill"])
        except (KeyError, TypeError, ValueError) as error:
            raise EditError(f"These values are no edit of a photo: {error}.") from error


def edited(pixels: Pixels, edit: Edit, size: int) -> Pixels:
    """The frame of an edited photo, as a model takes it.

    With a frame that is not turned, no brush and the photo's own light it is `model_input` of that frame.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo.
        edit: what was changed.
        size: of the model's input, in pixels.

    Returns:
        (size, size, 3) uint8 RGB. What a turned frame shows beside the photo has the photo's mean colour.
    """
    photo = Image.fromarray(pixels)
    small = np.asarray(photo.resize((GRID, GRID), Image.Resampling.BOX))
    mean = np.rint(small.mean(axis=(0, 1))).astype(np.uint8)
    seen = _framed(photo, edit, photo.size, size, tuple(mean.tolist()))
    if edit.brushed.any():
        filler = Image.fromarray(_filler(small, mean, edit))
        brushed = Image.fromarray(np.where(edit.brushed, np.uint8(255), np.uint8(0)))
        filled, where = (_framed(image, edit, photo.size, size) for image in (filler, brushed))
        seen = Image.composite(filled, seen, where)
    if edit.light != 1:
        seen = seen.point([min(255, round(value * edit.light)) for value in range(256)] * 3)
    return np.asarray(seen)


def _filler(small: Pixels, mean: Pixels, edit: Edit) -> Pixels:
    """What stands where something was brushed away: the photo anew, a few pixels a side."""
    known = ~edit.brushed
    if edit.fill == "mean" or not known.any():
        return mean[None, None]
    if edit.fill == "blur":
        return np.asarray(Image.fromarray(small).resize((_BLUR, _BLUR), Image.Resampling.BOX))
    # Each cell is the mean of all that stayed, the nearest weighing most (Shepard 1968, "A two-dimensional
    # interpolation function for irregularly-spaced data").
    filled = small.astype(np.float64)
    apart = np.argwhere(edit.brushed)[:, None] - np.argwhere(known)
    weights = 1.0 / np.square(np.square(apart).sum(axis=2))
    filled[edit.brushed] = weights @ filled[known] / weights.sum(axis=1, keepdims=True)
    return np.rint(filled).astype(np.uint8)


def _framed(
    image: Image.Image,
    edit: Edit,
    photo_size: tuple[int, int],
    size: int,
    outside: tuple[int, ...] | int | None = None,
) -> Image.Image:
    """The frame out of the photo, or out of a picture that lies over the photo at another size.

    Args:
        image: the picture.
        edit: where the frame lies.
        photo_size: (width, height) of the photo.
        size: of the result, in pixels.
        outside: the colour beside the picture; black unless given.
    """
    width, height = photo_size
    across, down = image.width / width, image.height / height
    side, x, y = edit.side * min(width, height), edit.x * width, edit.y * height
    if edit.angle % 360 == 0:
        # Upright, a frame lies in the photo.
        x, y = min(max(x, side / 2), width - side / 2), min(max(y, side / 2), height - side / 2)
        box = (x - side / 2, y - side / 2, min(x + side / 2, width), min(y + side / 2, height))
        placed = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        return image.resize((size, size), Image.Resampling.BICUBIC, box=placed)
    finer = _FINER * size
    reduced = max(1, int(side * across / finer))
    image, across, down = image.reduce(reduced), across / reduced, down / reduced
    # From a pixel of the result to one of the picture: a step to the right, a step down, and where it begins.
    cosine, sine = (side / finer * of(math.radians(edit.angle)) for of in (math.cos, math.sin))
    left, top = x - finer / 2 * (cosine - sine), y - finer / 2 * (sine + cosine)
    steps = (cosine * across, -sine * across, left * across, sine * down, cosine * down, top * down)
    turned = image.transform(
        (finer, finer), Image.Transform.AFFINE, steps, Image.Resampling.BILINEAR, fillcolor=outside
    )
    return turned.resize((size, size), Image.Resampling.BICUBIC)
