"""Oxford's automatic segmentations of its photos: which pixels are flower.

`102segmentations.tgz` of the data set holds a JPEG for each photo with the background painted blue (0, 0, 254). They
were made by a program, not by people (Nilsback and Zisserman 2007, "Delving into the whorl of flower segmentation"):
some are wrong, and some are empty.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from flowers_core.data.oxford import SEGMENTATIONS
from flowers_core.data.photos import Photo

BACKGROUND = (0, 0, 254)
#: JPEG blurs colours along edges; a pixel that differs more than this from the background, in any channel, is flower.
TOLERANCE = 60
#: A mask counts as empty if the flower covers less than this fraction of the photo.
EMPTY_BELOW = 0.01


def segmentation_path(root: Path, photo_id: int) -> Path:
    """The file of a photo's segmentation.

    Args:
        root: the data set's folder.
        photo_id: the photo.
    """
    return root / SEGMENTATIONS.folder / SEGMENTATIONS.name_of(photo_id)


def has_segmentations(root: Path) -> bool:
    """Whether the data set in `root` has its segmentations."""
    return (root / SEGMENTATIONS.folder).is_dir()


def read_segmentation(path: Path) -> npt.NDArray[np.bool_] | None:
    """The mask (height, width), True on the flower; None if the file is missing, unreadable or shows no flower."""
    if not path.is_file():
        return None
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            pixels = np.asarray(image.convert("RGB"), np.int16)
    except OSError:
        return None
    mask = np.abs(pixels - BACKGROUND).max(axis=-1) > TOLERANCE
    return mask if mask.mean() >= EMPTY_BELOW else None


def flower_mask(root: Path, photo_id: int, photo: Photo) -> npt.NDArray[np.bool_] | None:
    """The flower on a photo of the data set, or on a crop of it.

    Args:
        root: the data set's folder.
        photo_id: the photo's id.
        photo: the photo, or a crop of it.

    Returns:
        (height, width) of `photo`, True on the flower; None if the segmentation is missing, of another size than the
        photo, or empty there.
    """
    mask = read_segmentation(segmentation_path(root, photo_id))
    if mask is not None and photo.crop is not None:
        left, top, right, bottom = photo.crop.box
        mask = mask[top:bottom, left:right]
    if mask is None or mask.shape != (photo.height, photo.width) or mask.mean() < EMPTY_BELOW:
        return None
    return mask
