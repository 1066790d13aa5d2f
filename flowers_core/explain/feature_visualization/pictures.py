"""The pictures that a model made of its classes and concepts, as its bundle keeps them: WebP files in one file."""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from flowers_core.errors import FlowersError
from flowers_core.storage.npz import read_npz

if TYPE_CHECKING:
    from flowers_core.explain.feature_visualization.visualize import Visualization

CLASS_PICTURES_FILE, CONCEPT_PICTURES_FILE = "class_pictures.npz", "concept_pictures.npz"
#: The most that a picture may take.
MOST_BYTES = 12_000
#: Qualities of which the best that is small enough is taken, and what stands behind a picture where it is transparent.
_QUALITIES, _BEHIND = range(5, 91, 5), (128, 128, 128)
#: Levels of opacity lie so far apart, of 255: too close to be seen, and a third smaller than all of them.
_OPACITY_STEP = 6
_MADE_WITH, _SECONDS, _PICTURE = "made_with", "seconds", "picture_"


class PicturesError(FlowersError):
    """A file of pictures that cannot be used; the message says why."""


@dataclass
class ModelPictures:
    """Pictures by number, as far as they are made.

    Attributes:
        made_with: names the model and the options that they were made with.
        pictures: WebP files by the index of the class or concept, from 0.
        seconds: of processor time that each took.
    """

    made_with: str
    pictures: dict[int, bytes] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """What is written into a bundle, by name."""
        stored = {f"{_PICTURE}{index}": np.frombuffer(file, np.uint8) for index, file in sorted(self.pictures.items())}
        seconds = [self.seconds[index] for index in sorted(self.pictures)]
        return {_MADE_WITH: np.array(self.made_with), _SECONDS: np.array(seconds, np.float32), **stored}


def load_pictures(path: Path) -> ModelPictures:
    """Read a bundle's pictures.

    Raises:
        PicturesError: the file holds no pictures.
        NpzError: it cannot be read.
    """
    stored = read_npz(path)
    try:
        made_with, seconds = str(stored[_MADE_WITH]), stored[_SECONDS].tolist()
        files = {
            int(name.removeprefix(_PICTURE)): array.astype(np.uint8).tobytes()
            for name, array in stored.items()
            if name.startswith(_PICTURE)
        }
        return ModelPictures(made_with, files, dict(zip(sorted(files), seconds, strict=True)))
    except (KeyError, TypeError, ValueError) as error:
        raise PicturesError(f"{path} holds no pictures: {error}") from error


def as_webp(picture: Visualization) -> bytes:
    """A picture with its transparency as a WebP file of at most `MOST_BYTES`, in the best quality that allows it.

    Raises:
        ValueError: no quality does.
    """
    levels = np.rint(255 / _OPACITY_STEP * picture.opacity) * _OPACITY_STEP
    opacity = np.minimum(levels, 255).astype(np.uint8)
    image = Image.fromarray(np.dstack([picture.pixels, opacity]))

    @cache
    def encoded(quality: int) -> bytes:
        file = io.BytesIO()
        image.save(file, "WEBP", quality=quality, alpha_quality=100)
        return file.getvalue()

    fitting = bisect_right(_QUALITIES, MOST_BYTES, key=lambda quality: len(encoded(quality)))
    if not fitting:
        raise ValueError(f"A picture of {image.width} × {image.height} pixels takes more than {MOST_BYTES} bytes.")
    return encoded(_QUALITIES[fitting - 1])


def on_grey(file: bytes) -> npt.NDArray[np.uint8]:
    """A picture before a grey ground, (s, s, 3) uint8 RGB.

    Args:
        file: as from `as_webp`.
    """
    picture = Image.open(io.BytesIO(file)).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", picture.size, _BEHIND), picture).convert("RGB"))
