"""What a model makes of a photo that is shown small, kept for all sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.resources import bundle_files, models
from flowers_core.inference.bundle import Bundle, model_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.data.model_input import CropRule
    from flowers_core.explain.explanation import Box

# Side of a crop around one position, in pixels.
CROP_SIDE = 128


@dataclass(frozen=True, eq=False)
class ThumbnailInference:
    """What a model makes of a photo that is shown small.

    Attributes:
        pixels: (h, w, 3) uint8, the small photo.
        features: (rows, columns, c) float32.
        box: what the model saw, in pixels of the photo.
        photo_size: the photo's own width and height.
    """

    pixels: NDArray[np.uint8]
    features: NDArray[np.float32]
    box: Box
    photo_size: tuple[int, int]


def thumbnail_inference(path: Path, bundle: Bundle, numeric_format: str, side: int) -> ThumbnailInference:
    """What a model makes of a photo on disk, with the photo made small.

    Args:
        path: the file.
        bundle: the model.
        numeric_format: of the model, such as `int8`.
        side: of the small photo's longer side, in pixels.

    Raises:
        PhotoError: where the file holds no photo.
    """
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _thumbnail_inference(
        str(path), changed, bundle_files.digest(bundle, model_file(numeric_format)), side, bundle, numeric_format
    )


def place_crop(path: Path, rule: CropRule, place: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.uint8]:
    """A position of the feature map in a photo on disk, with the positions around it: what it looks like there.

    Args:
        path: the file.
        rule: how the photo becomes the model's input.
        place: (row, column).
        grid: (rows, columns) of the feature map.

    Returns:
        (CROP_SIDE, CROP_SIDE, 3) uint8 RGB.

    Raises:
        PhotoError: where the file holds no photo.
    """
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _place_crop(str(path), changed, rule, place, grid)


@st.cache_resource(show_spinner=False, max_entries=1024)
def _place_crop(
    path: str,
    changed: int,  # noqa: ARG001
    rule: CropRule,
    place: tuple[int, int],
    grid: tuple[int, int],
) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    from flowers_core.data.model_input import model_input
    from flowers_core.data.photos import open_photo

    seen = Image.fromarray(model_input(open_photo(Path(path)).pixels, replace(rule, size=2 * rule.size)).pixels)
    (row, column), (rows, columns) = place, grid
    down, across = seen.height / rows, seen.width / columns
    # The position and one on each side, moved inwards at the edge.
    top = min(max(row - 1, 0), max(rows - 3, 0)) * down
    left = min(max(column - 1, 0), max(columns - 3, 0)) * across
    box = (left, top, min(left + 3 * across, seen.width), min(top + 3 * down, seen.height))
    return np.asarray(seen.resize((CROP_SIDE, CROP_SIDE), Image.Resampling.LANCZOS, box))


@st.cache_resource(show_spinner=False, max_entries=96)
def _thumbnail_inference(
    path: str,
    changed: int,  # noqa: ARG001
    digest: str,  # noqa: ARG001
    side: int,
    _bundle: Bundle,
    _numeric_format: str,
) -> ThumbnailInference:
    import numpy as np
    from PIL import Image

    from flowers_core.data.model_input import model_input
    from flowers_core.data.photos import open_photo

    photo = open_photo(Path(path))
    seen = model_input(photo.pixels, _bundle.crop_rule)
    small = Image.fromarray(photo.pixels)
    small.thumbnail((side, side))
    features = models.runtime(_bundle, _numeric_format).forward(seen.pixels[None]).features[0]
    return ThumbnailInference(np.asarray(small), features, seen.box, (photo.width, photo.height))
