"""Share of a map on the flower, by Oxford's automatic segmentations.

`102segmentations.tgz` of the data set holds a JPEG for each photo whose background is painted blue (0, 0, 254). They
were made by a program (Nilsback and Zisserman 2007, "Delving into the whorl of flower segmentation"), not by people:
some are wrong, and some are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from flowers_core.data.oxford import SEGMENTATIONS
from flowers_core.data.photos import Photo
from flowers_core.explain.explanation import Explanation, pixels_inside

BACKGROUND = (0, 0, 254)
#: JPEG blurs colours along edges; farther from the background's than this, in any channel, counts as flower.
TOLERANCE = 60
#: Of less flower than this share of the photo a mask counts as empty.
EMPTY_BELOW = 0.01


@dataclass(frozen=True)
class Share:
    """Where a map's positive part lies.

    Attributes:
        heat: share of it on the flower, 0…1.
        area: share of what the model saw that is flower, 0…1: what a map that knows nothing would have.
    """

    heat: float
    area: float

    @property
    def ratio(self) -> float:
        """heat ÷ area: 1 for a map that knows nothing, above where it prefers the flower."""
        return self.heat / self.area


def mask_path(root: Path, photo_id: int) -> Path:
    """Where the data set keeps the segmentation of a photo."""
    return root / SEGMENTATIONS.folder / SEGMENTATIONS.name_of(photo_id)


def read_mask(path: Path) -> npt.NDArray[np.bool_] | None:
    """The flower, (height, width), True on it; None where the segmentation is missing, unreadable or empty."""
    if not path.is_file():
        return None
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            pixels = np.asarray(image.convert("RGB"), np.int16)
    except OSError:
        return None
    mask = np.abs(pixels - BACKGROUND).max(axis=-1) > TOLERANCE
    return mask if mask.mean() >= EMPTY_BELOW else None


def has_masks(root: Path) -> bool:
    """Whether the data set in `root` has its segmentations."""
    return (root / SEGMENTATIONS.folder).is_dir()


def mask_of(root: Path, photo_id: int, photo: Photo) -> npt.NDArray[np.bool_] | None:
    """The flower on a photo of the data set or on a part of it, (height, width) as the photo, True on the flower.

    None where the segmentation is missing, of another size than the photo, or empty there.
    """
    mask = read_mask(mask_path(root, photo_id))
    if mask is not None and photo.crop is not None:
        left, top, right, bottom = photo.crop.box
        mask = mask[top:bottom, left:right]
    if mask is None or mask.shape != (photo.height, photo.width) or mask.mean() < EMPTY_BELOW:
        return None
    return mask


def share_on_flower(explanation: Explanation, mask: npt.NDArray[np.bool_]) -> Share | None:
    """How much of a map's positive part lies on the flower.

    Args:
        explanation: of the photo.
        mask: (height, width) of the photo, True on the flower.

    Returns:
        Share, within what the model saw; None where nothing is positive, or no flower is in what it saw.

    Raises:
        ValueError: where mask and photo differ in size.
    """
    heat = np.maximum(explanation.heatmap(), 0)
    if heat.shape != mask.shape:
        raise ValueError(f"A mask of {mask.shape} does not fit a photo of {heat.shape}.")
    left, top, right, bottom = explanation.box
    seen = pixels_inside(mask.shape[0], top, bottom), pixels_inside(mask.shape[1], left, right)
    total, area = float(heat[seen].sum(dtype=np.float64)), float(mask[seen].mean())
    if total <= 0 or area == 0:
        return None
    return Share(heat=float(heat[seen][mask[seen]].sum(dtype=np.float64)) / total, area=area)
