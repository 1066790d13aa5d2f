"""An explanation: its target (what is explained), its map, and the projection of the map onto the photo.

Every method of this package returns an `Explanation`, so pages and metrics need not know the methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Box = tuple[float, float, float, float]

#: Positive contributions below this fraction of the strongest contribution (of either sign) count as none. On a colour
#: scale of their own they would draw noise at full colour.
NEGLIGIBLE_FRACTION = 0.01


@dataclass(frozen=True)
class ClassTarget:
    """Why this class? `label` is the class's, from 1."""

    label: int


@dataclass(frozen=True)
class ContrastTarget:
    """Why `label` and not `rival`?

    Attributes:
        label: from 1.
        rival: from 1, another.
    """

    label: int
    rival: int


@dataclass(frozen=True)
class NeighbourTarget:
    """Why is the photo near photo `photo_id` of the gallery?"""

    photo_id: int


Target = ClassTarget | ContrastTarget | NeighbourTarget


@dataclass(frozen=True, eq=False)
class Explanation:
    """One map, and everything needed to read it.

    Attributes:
        method: the method's short name, such as "cam" or "lime".
        target: what is explained.
        contributions: (h, w) float32, finite, read-only; the map in the frame of the model's input, h × w positions
            over `box`.
        value: the sum of the contributions (see `terms`), in `unit`.
        unit: of the contributions and of the value: "logit", "cosine", "probability", "logit per grey level", or
            "relative" if the method's numbers are on no scale.
        box: left, top, right, bottom of what the model saw, in pixels of the photo (ModelInput.box); may be fractions.
        photo_size: (width, height) of the photo, in pixels.
        seconds: how long the explanation took, without the forward pass that it was given.
        settings: what was chosen or measured; read-only; str, bool, int or float values.
        seed: of a method that draws at random, else None.
        superpixels: (H, W) int32 label map 0…n−1 in the model's frame, of the shape of `contributions`, if the method
            explains superpixels and not positions; else None.
        margins: (h, w) float32, half the width of the 95 % interval of each contribution over other draws, if the
            method knows it; else None.
        epsilon: in `unit`; a positive contribution up to this counts as none.

    Raises:
        ValueError: if shapes, box or numbers are impossible.
    """

    method: str
    target: Target
    contributions: npt.NDArray[np.float32]
    value: float
    unit: str
    box: Box
    photo_size: tuple[int, int]
    seconds: float
    settings: Mapping[str, str | bool | int | float] = field(default_factory=dict)
    seed: int | None = None
    superpixels: npt.NDArray[np.int32] | None = None
    epsilon: float = 0.0
    margins: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        contributions = np.array(self.contributions, dtype=np.float32)
        if contributions.ndim != 2 or contributions.size == 0:
            raise ValueError(f"Contributions must be (h, w) and not empty, not {contributions.shape}.")
        if not np.isfinite(contributions).all():
            raise ValueError("The explanation contains numbers that are not finite.")
        contributions.setflags(write=False)
        object.__setattr__(self, "contributions", contributions)
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        left, top, right, bottom = self.box
        width, height = self.photo_size
        # Boxes come out of divisions, so they may be off by a thousandth of a pixel.
        if not (-1e-3 <= left < right <= width + 1e-3 and -1e-3 <= top < bottom <= height + 1e-3):
            raise ValueError(f"The box {self.box} does not lie in a photo of {width}×{height} pixels.")
        for name, dtype in (("superpixels", np.int32), ("margins", np.float32)):
            if getattr(self, name) is not None:
                array = np.array(getattr(self, name), dtype=dtype)
                if array.shape != contributions.shape:
                    raise ValueError(
                        f"{name.capitalize()} {array.shape} and contributions {contributions.shape} differ in shape."
                    )
                array.setflags(write=False)
                object.__setattr__(self, name, array)

    @property
    def terms(self) -> npt.NDArray[np.float32]:
        """The contributions whose sum is `value`, (n,) float32: one for each position, or for each superpixel."""
        if self.superpixels is None:
            return self.contributions.ravel()
        _, first = np.unique(self.superpixels, return_index=True)
        return self.contributions.ravel()[first]

    @property
    def has_positive_evidence(self) -> bool:
        """Whether anything speaks for the target: above `epsilon`, and not negligible beside what speaks against it."""
        strongest = float(self.contributions.max())
        return strongest > max(self.epsilon, NEGLIGIBLE_FRACTION * float(np.abs(self.contributions).max()))

    def heatmap(self) -> npt.NDArray[np.float32]:
        """The contributions over the photo, (photo height, photo width) float32, 0 outside the box.

        Positions are interpolated (`to_photo`); superpixels keep their edges.
        """
        if self.superpixels is None:
            return to_photo(self.contributions, self.box, self.photo_size)
        return nearest_in_photo(self.contributions, self.box, self.photo_size, outside=0)

    def photo_superpixels(self) -> npt.NDArray[np.int32] | None:
        """The superpixels over the photo, (photo height, photo width) int32, −1 outside the box; or None."""
        if self.superpixels is None:
            return None
        return nearest_in_photo(self.superpixels, self.box, self.photo_size, outside=-1)


def check_label(label: int, classes: int) -> None:
    """Refuse a label that the model does not know.

    Args:
        label: 1-based.
        classes: how many the model knows.

    Raises:
        ValueError: unless `label` is 1…classes.
    """
    if not 1 <= label <= classes:
        raise ValueError(f"There is no label {label}: this model knows 1…{classes}.")


def to_photo(cells: FloatArray, box: Box, photo_size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Lay a map of cells over the photo by bilinear interpolation.

    Pixels and cells are squares with their value at the centre (the half-pixel convention of Pillow and OpenCV): the
    centre of cell (i, j) lies at left + (j + ½)·(right − left)/w, top + (i + ½)·(bottom − top)/h. Beyond the outermost
    centres the map is constant up to the edge of the box. (The default of scipy.ndimage.zoom, which tf-keras-vis uses,
    puts the outermost centres on the edge of the picture. That shifts a 7×7 map by up to half a cell.)

    Args:
        cells: (h, w), the map over the box.
        box: left, top, right, bottom in the photo's pixels.
        photo_size: (width, height) of the photo.

    Returns:
        (height, width) float32; 0 in pixels whose centre lies outside the box.
    """
    width, height = photo_size
    left, top, right, bottom = box
    rows, y = _cell_coordinates(height, top, bottom, cells.shape[0])
    columns, x = _cell_coordinates(width, left, right, cells.shape[1])
    photo = np.zeros((height, width), np.float32)
    photo[rows, columns] = _blend(_blend(cells.astype(np.float32), y).T, x).T
    return photo


def nearest_in_photo(
    cells: npt.NDArray[np.generic], box: Box, photo_size: tuple[int, int], outside: float
) -> npt.NDArray:
    """Lay a map of cells over the photo; each pixel takes the cell that holds its centre.

    Args:
        cells: (h, w) of any dtype.
        box: left, top, right, bottom in the photo's pixels.
        photo_size: (width, height) of the photo.
        outside: value for pixels whose centre lies outside the box.

    Returns:
        (height, width) of the dtype of `cells`.
    """
    width, height = photo_size
    left, top, right, bottom = box
    rows, y = _cell_coordinates(height, top, bottom, cells.shape[0])
    columns, x = _cell_coordinates(width, left, right, cells.shape[1])
    nearest_row = np.clip(np.floor(y + 0.5).astype(int), 0, cells.shape[0] - 1)
    nearest_column = np.clip(np.floor(x + 0.5).astype(int), 0, cells.shape[1] - 1)
    photo = np.full((height, width), outside, cells.dtype)
    photo[rows, columns] = cells[nearest_row][:, nearest_column]
    return photo


def pixels_inside(length: int, low: float, high: float) -> slice:
    """The pixels of one axis whose centre lies in an interval.

    Args:
        length: of the axis, in pixels.
        low: inclusive, in pixels.
        high: exclusive, in pixels.

    Returns:
        The range of pixels; an empty one if there are none.
    """
    inside = np.flatnonzero((np.arange(length) + 0.5 >= low) & (np.arange(length) + 0.5 < high))
    return slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0)


def _cell_coordinates(length: int, low: float, high: float, cells: int) -> tuple[slice, npt.NDArray[np.float64]]:
    """The pixels of one axis inside [low, high), and their centres in cells (0 is the centre of the first cell)."""
    inside = pixels_inside(length, low, high)
    centres = np.arange(inside.start, inside.stop) + 0.5
    return inside, (centres - low) / (high - low) * cells - 0.5


def _blend(values: npt.NDArray[np.float32], at: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Linear interpolation of `values` (n, m) along its first axis at the coordinates `at` (k,) → (k, m)."""
    at = np.clip(at, 0, len(values) - 1)
    lower = np.floor(at).astype(int)
    upper = np.minimum(lower + 1, len(values) - 1)
    weight = (at - lower).astype(np.float32)[:, None]
    return values[lower] * (1 - weight) + values[upper] * weight
