"""What a model makes of a photo that is shown small, kept for all sessions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.resources import models
from flowers_core.inference.bundle import Bundle, model_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.explain.explanation import Box


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
        str(path), changed, models.digest(bundle, model_file(numeric_format)), side, bundle, numeric_format
    )


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
