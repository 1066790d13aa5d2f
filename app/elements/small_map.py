"""A photo on a card with the closed form's map over it: what speaks for a class, or for it rather than another."""

import numpy as np
from numpy.typing import NDArray

from app import resources
from app.elements.heatmap import close_up
from flowers_core.data.photos import PhotoError
from flowers_core.explain.attributions.cam import class_contrast, class_evidence
from flowers_core.explain.overlay import draw
from flowers_core.inference.bundle import Bundle, BundleError

SIDE = 300
OPACITY = 0.7


def runnable(bundle: Bundle, precision: str) -> str | None:
    """The precision on disk whose maps are this one's: itself, or float16 for float32, whose weights it only rounds."""
    wanted = (precision, "float16") if precision == "float32" else (precision,)
    return next((name for name in wanted if name in bundle.precisions), None)


def small_map(
    photo_id: int, bundle: Bundle, precision: str, label: int, rival: int | None = None
) -> NDArray[np.uint8] | None:
    """A photo with its map, (h, w, 3) uint8: orange speaks for `label` and blue for `rival`, where there is one.

    None where the photo or the model is not on this machine, or cannot be read.
    """
    path, kept = resources.photo_file(photo_id), runnable(bundle, precision)
    if path is None or kept is None:
        return None
    try:
        found, weights = resources.glance(path, bundle, kept, SIDE), resources.head(bundle)
    except (PhotoError, BundleError):
        return None
    explanation = (
        class_evidence(found.features, weights, label, box=found.box, photo_size=found.photo_size)
        if rival is None
        else class_contrast(found.features, weights, label, rival, box=found.box, photo_size=found.photo_size)
    )
    part, placed = close_up(found.pixels, explanation)
    return draw(part, placed, OPACITY)
