"""Does a model name its own pictures? Random crops of them are shown to the model that answers on the pages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.progress import Track, untracked
from flowers_core.explain.feature_visualization.pictures import ModelPictures, on_grey
from flowers_core.explain.metrics.interval import bootstrap
from flowers_core.explain.records.class_pictures import ClassPictureRecord
from flowers_core.inference.runtime import Runtime

#: Crops of each picture, and the least side of one in the picture's.
CROPS, LEAST_SIDE = 16, 0.5


def measured(
    runtime: Runtime, pictures: ModelPictures, *, seed: int = 0, track: Track = untracked
) -> ClassPictureRecord:
    """Show a model crops of its class pictures, as they are in the bundle, before a grey ground.

    Args:
        runtime: the model.
        pictures: of its classes.
        seed: draws the crops.
        track: shows progress over the pictures.
    """
    generator = np.random.default_rng(seed)
    shares, most = [], []
    for index in track(sorted(pictures.pictures), "pictures", len(pictures.pictures)):
        answers = answers_to_crops(runtime, pictures.pictures[index], generator)
        shares.append(np.mean(answers == index))
        most.append(np.bincount(answers).argmax() == index)
    return ClassPictureRecord(
        pictures=len(pictures.pictures),
        crops=CROPS,
        least_side=LEAST_SIDE,
        seed=seed,
        named=bootstrap(most),
        crops_named=bootstrap(shares),
        largest_bytes=max(map(len, pictures.pictures.values())),
        seconds=float(np.median(list(pictures.seconds.values()))),
    )


def answers_to_crops(runtime: Runtime, file: bytes, generator: np.random.Generator) -> npt.NDArray[np.intp]:
    """What a model says of random crops of a picture: (`CROPS`,), columns of its logits.

    Args:
        runtime: the model.
        file: of the picture.
        generator: draws the crops.
    """
    return runtime.logits(random_crops(on_grey(file), runtime.input_size, CROPS, generator)).argmax(axis=1)


def random_crops(
    pixels: npt.NDArray[np.uint8], size: int, count: int, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Square crops of a picture, with sides of `LEAST_SIDE` of it to all of it, (count, size, size, 3) uint8.

    Args:
        pixels: (s, s, 3) uint8 RGB.
        size: of the crops once they are resized, in pixels.
        count: of crops.
        generator: draws them.
    """
    whole, crops = len(pixels), []
    for share in generator.uniform(LEAST_SIDE, 1, count):
        side = max(round(share * whole), 1)
        top, left = generator.integers(0, whole - side + 1, 2)
        crops.append(model_input(pixels[top : top + side, left : left + side], CropRule(size)).pixels)
    return np.stack(crops)
