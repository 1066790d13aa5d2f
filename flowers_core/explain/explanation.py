"""What an explanation is: what was explained (the target), by which method, the map, and its way back to the photo.

Every method of this package answers an `Explanation`, so that pages and measures of faithfulness need to know none of
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Box = tuple[float, float, float, float]

#: Positive parts weaker than this share of the strongest part (of either sign) count as none: drawn at full colour
#: they would be noise made loud.
NEGLIGIBLE_SHARE = 0.01


@dataclass(frozen=True)
class ClassTarget:
    """Why this class: `label` is the data set's, 1…102."""

    label: int


@dataclass(frozen=True)
class ContrastTarget:
    """Why `label` and not `rival`, both 1…102."""

    label: int
    rival: int


@dataclass(frozen=True)
class NeighbourTarget:
    """Why the photo is near the gallery's photo `photo_id`, 1…8189."""

    photo_id: int


Target = ClassTarget | ContrastTarget | NeighbourTarget


@dataclass(frozen=True, eq=False)
class Explanation:
    """One map, and everything needed to read it.

    Attributes:
        method: the method's short name, such as "cam" or "lime".
        target: what is explained.
        contributions: (h, w) float32, finite, read-only; the map in the frame of the model's input, h × w cells over
            `box`.
        value: what the parts add up to (see `parts`), in `unit`.
        unit: unit of the contributions and of the value: "logit", "cosine", "probability", "logit per grey level", or
            "relative" where the method's numbers are on no scale.
        box: left, top, right, bottom of what the model saw, in pixels of the photo (ModelInput.box; need not be whole).
        photo_size: (width, height) of the photo's pixels.
        seconds: time the explanation took, the forward pass that it was given not counted.
        settings: everything that was chosen or measured on the way; read-only; str, bool, int or float values.
        seed: of a method that draws at random, else None.
        regions: (H, W) int32 map of superpixels 0…n−1 in the model's frame, same shape as `contributions`, where the
            method explains regions and not cells; else None.
        margins: (h, w) float32, half the width of the 95 % interval of each contribution over other draws, where the
            method knows it; else None.
        floor: in `unit`; a positive part up to here counts as none.

    Raises:
        ValueError: where the shapes, the box or the numbers cannot be.
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
    regions: npt.NDArray[np.int32] | None = None
    floor: float = 0.0
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
        # A thousandth of a pixel is forgiven: boxes come out of divisions.
        if not (-1e-3 <= left < right <= width + 1e-3 and -1e-3 <= top < bottom <= height + 1e-3):
            raise ValueError(f"The box {self.box} does not lie in a photo of {width}×{height} pixels.")
        if self.regions is not None:
            regions = np.array(self.regions, dtype=np.int32)
            if regions.shape != contributions.shape:
                raise ValueError(f"Regions {regions.shape} and contributions {contributions.shape} differ in shape.")
            regions.setflags(write=False)
            object.__setattr__(self, "regions", regions)
        if self.margins is not None:
            margins = np.array(self.margins, dtype=np.float32)
            if margins.shape != contributions.shape:
                raise ValueError(f"Margins {margins.shape} and contributions {contributions.shape} differ in shape.")
            margins.setflags(write=False)
            object.__setattr__(self, "margins", margins)

    @property
    def parts(self) -> npt.NDArray[np.float32]:
        """The parts whose sum is `value`, (n,) float32: every cell, or one number for each region where there are
        regions."""
        if self.regions is None:
            return self.contributions.ravel()
        _, first = np.unique(self.regions, return_index=True)
        return self.contributions.ravel()[first]

    @property
    def has_positive_evidence(self) -> bool:
        """Whether any part speaks for the target: more than `floor`, and no mere speck beside the parts that speak
        against."""
        strongest = float(self.contributions.max())
        return strongest > max(self.floor, NEGLIGIBLE_SHARE * float(np.abs(self.contributions).max()))

    def heatmap(self) -> npt.NDArray[np.float32]:
        """The contributions over the photo, (photo height, photo width) float32, 0 where the model did not look.

        Cells are interpolated (`to_photo`); regions keep their edges, for between two superpixels there is nothing to
        blend.
        """
        if self.regions is None:
            return to_photo(self.contributions, self.box, self.photo_size)
        return nearest_in_photo(self.contributions, self.box, self.photo_size, outside=0)

    def photo_regions(self) -> npt.NDArray[np.int32] | None:
        """The superpixels over the photo, (photo height, photo width) int32, −1 where the model did not look; or
        None."""
        if self.regions is None:
            return None
        return nearest_in_photo(self.regions, self.box, self.photo_size, outside=-1)


def to_photo(cells: FloatArray, box: Box, photo_size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Lay a map of cells over the photo by bilinear interpolation.

    Pixels and cells are squares whose values sit at their centres (the half-pixel convention of Pillow and OpenCV): the
    centre of cell (i, j) lies at left + (j + ½)·(right − left)/w, top + (i + ½)·(bottom − top)/h. Beyond the outermost
    centres the map continues flat to the edge of the box. (scipy.ndimage.zoom's default, which tf-keras-vis uses, puts
    the outermost centres on the picture's edge instead, and so shifts a 7×7 map by up to half a cell.)

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
    """Lay a map of cells over the photo, each pixel taking the cell that holds its centre.

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
    """The pixels of one axis, of `length`, whose centre lies in [low, high)."""
    inside = np.flatnonzero((np.arange(length) + 0.5 >= low) & (np.arange(length) + 0.5 < high))
    return slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0)


def _cell_coordinates(length: int, low: float, high: float, cells: int) -> tuple[slice, npt.NDArray[np.float64]]:
    """The pixels of one axis inside [low, high), and where their centres lie in cells (0 is the first cell's
    centre)."""
    inside = pixels_inside(length, low, high)
    centres = np.arange(inside.start, inside.stop) + 0.5
    return inside, (centres - low) / (high - low) * cells - 0.5


def _blend(values: npt.NDArray[np.float32], at: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Linear interpolation of `values` (n, m) along its first axis at the coordinates `at` (k,) → (k, m)."""
    at = np.clip(at, 0, len(values) - 1)
    lower = np.floor(at).astype(int)
    upper = np.minimum(lower + 1, len(values) - 1)
    share = (at - lower).astype(np.float32)[:, None]
    return values[lower] * (1 - share) + values[upper] * share
