"""A photo on a card with the closed form's map over it: what speaks for a class, or for it rather than another."""

import numpy as np
from numpy.typing import NDArray

from app.elements.heatmap import close_up
from app.resources import bundle_files
from app.resources.data import photo_file
from app.resources.thumbnails import thumbnail_inference
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.data.photos import PhotoError
from flowers_core.explain.attributions.cam import class_contrast, class_evidence
from flowers_core.explain.explanation import Explanation
from flowers_core.explain.overlay import draw
from flowers_core.inference.bundle import Bundle, BundleError

SIDE = 300
OPACITY = 0.7


def runnable(bundle: Bundle, numeric_format: str) -> str | None:
    """The format on disk whose maps are this one's: itself, or float16 for float32, whose weights it only rounds.

    Args:
        bundle: the model.
        numeric_format: the wanted one, such as `int8`.

    Returns:
        The format; None where neither is on disk.
    """
    wanted = (numeric_format, "float16") if numeric_format == "float32" else (numeric_format,)
    return next((name for name in wanted if name in bundle.precisions), None)


def small_map(
    photo: PhotoRef, bundle: Bundle, numeric_format: str, label: int, rival: int | None = None
) -> NDArray[np.uint8] | None:
    """A photo with its map: orange speaks for `label` and blue for `rival`, where there is one.

    Args:
        photo: the photo.
        bundle: the model.
        numeric_format: of the model, such as `int8`.
        label: the class, from 1.
        rival: the class to compare with, from 1; None for none.

    Returns:
        (h, w, 3) uint8 RGB; None where the photo or the model is not on this machine, or cannot be read.
    """
    path, kept = photo_file(photo), runnable(bundle, numeric_format)
    if path is None or kept is None:
        return None
    try:
        found, weights = thumbnail_inference(path, bundle, kept, SIDE), bundle_files.head(bundle)
    except (PhotoError, BundleError):
        return None
    explanation = (
        class_evidence(found.features, weights, label, box=found.box, photo_size=found.photo_size)
        if rival is None
        else class_contrast(found.features, weights, label, rival, box=found.box, photo_size=found.photo_size)
    )
    return painted(found.pixels, explanation)


def painted(pixels: NDArray[np.uint8], explanation: Explanation) -> NDArray[np.uint8]:
    """The part of a small photo that is worth showing, with the map over it.

    Args:
        pixels: (h, w, 3) uint8 RGB, the small photo.
        explanation: the map.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    part, placed = close_up(pixels, explanation)
    return draw(part, placed, OPACITY)
