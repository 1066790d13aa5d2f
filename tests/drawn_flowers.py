"""A small dataset in Oxford's layout whose flowers are drawn, for tests that must not need the real one."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image, ImageDraw

# label → petals, petal colour, colour of the middle. Colours and shapes far apart, so that little training tells them.
_LOOKS = (
    (5, (225, 30, 40), (250, 220, 60)),
    (8, (250, 210, 20), (90, 50, 20)),
    (6, (70, 70, 220), (240, 240, 240)),
    (12, (245, 245, 245), (245, 190, 20)),
    (4, (200, 60, 190), (40, 120, 40)),
    (3, (250, 130, 20), (60, 20, 60)),
)
LABELS = (2, 17, 33, 54, 76, 102)
_MAT_HEADER = b"MATLAB 5.0 MAT-file, drawn by the tests".ljust(116)


def draw_dataset(
    root: Path, *, classes: Sequence[int] = LABELS, per_class: tuple[int, int, int] = (4, 3, 5), seed: int = 0
) -> Path:
    """Draw a dataset into `root` and return `root`: jpg/, imagelabels.mat and setid.mat.

    classes: the labels (1…102), at most six. per_class: photos of each class for training, validation and test.
    The same arguments give the same bytes.
    """
    if len(classes) > len(_LOOKS):
        raise ValueError(f"At most {len(_LOOKS)} classes can be drawn.")
    rng = np.random.default_rng(seed)
    (root / "jpg").mkdir(parents=True)
    labels: list[int] = []
    ids: dict[str, list[int]] = {"trnid": [], "valid": [], "tstid": []}
    for look, label in enumerate(classes):
        splits = [key for key, count in zip(ids, per_class, strict=True) for _ in range(count)]
        for key in rng.permutation(splits):
            labels.append(label)
            photo_id = len(labels)
            ids[str(key)].append(photo_id)
            draw_flower(look, rng).save(root / "jpg" / f"image_{photo_id:05d}.jpg", quality=90)
    _save_mat(root / "imagelabels.mat", {"labels": np.array([labels], np.uint8)})
    _save_mat(
        root / "setid.mat", {key: np.array([rng.permutation(of_split)], np.uint16) for key, of_split in ids.items()}
    )
    return root


def draw_every_class(root: Path, *, per_class: tuple[int, int, int] = (2, 1, 1), seed: int = 0) -> Path:
    """Like `draw_dataset`, with photos of all 102 labels, as training asks for: noisy squares of 40 pixels, each label
    in a colour of its own."""
    rng = np.random.default_rng(seed)
    (root / "jpg").mkdir(parents=True)
    labels = np.repeat(np.arange(1, 103), sum(per_class))
    of_split = np.tile(np.repeat(np.arange(3), per_class), 102)
    for photo_id, label in enumerate(labels, start=1):
        colour = np.array([label * 37 % 256, label * 91 % 256, label * 151 % 256])
        pixels = np.clip(rng.normal(colour, 6, (40, 40, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / "jpg" / f"image_{photo_id:05d}.jpg", quality=90)
    _save_mat(root / "imagelabels.mat", {"labels": labels[None].astype(np.uint8)})
    ids = {key: np.flatnonzero(of_split == i) + 1 for i, key in enumerate(("trnid", "valid", "tstid"))}
    _save_mat(root / "setid.mat", {key: of[None].astype(np.uint16) for key, of in ids.items()})
    return root


def draw_segmentations(
    root: Path, *, empty: Collection[int] = (), background: tuple[int, int, int] = (0, 0, 254)
) -> None:
    """Draw segmentations beside the dataset in `root`: each photo with all that is green painted `background`.

    empty: the ids of photos of which nothing is left, as of some of Oxford's.
    """
    (root / "segmim").mkdir()
    for path in sorted((root / "jpg").iterdir()):
        pixels = np.array(Image.open(path), np.int16)
        flower = (pixels[..., 0] > 100) | (pixels[..., 2] > 100)
        photo_id = int(path.stem.split("_")[1])
        pixels[~flower if photo_id not in empty else np.ones_like(flower)] = background
        Image.fromarray(pixels.astype(np.uint8)).save(root / "segmim" / f"segmim_{photo_id:05d}.jpg", quality=90)


def draw_flower(look: int, rng: np.random.Generator) -> Image.Image:
    """One flower of look 0…5 on a green ground, 96…200 pixels a side, somewhere, somehow turned."""
    petals, colour, middle = _LOOKS[look]
    width, height = (int(side) for side in rng.integers(96, 201, 2))
    ground = np.array([40, 95, 35]) + rng.integers(-20, 21, 3)
    noise = rng.normal(0, 12, (height, width, 1)) + ground
    image = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).resize((2 * width, 2 * height))
    draw = ImageDraw.Draw(image)
    radius = min(width, height) * rng.uniform(0.6, 0.85)
    x = width + rng.uniform(-0.15, 0.15) * width
    y = height + rng.uniform(-0.15, 0.15) * height
    turn = rng.uniform(0, 2 * math.pi)
    shade = rng.uniform(0.85, 1.0)
    for petal in range(petals):
        angle = turn + 2 * math.pi * petal / petals
        half = math.pi / petals * 0.8
        tip = [
            (x + radius * reach * math.cos(angle + aside), y + radius * reach * math.sin(angle + aside))
            for reach, aside in ((0.15, -half), (0.75, -half), (1.0, 0.0), (0.75, half), (0.15, half))
        ]
        draw.polygon([(x, y), *tip], fill=tuple(int(value * shade) for value in colour))
    disc = radius * 0.28
    draw.ellipse([x - disc, y - disc, x + disc, y + disc], fill=middle)
    return image.resize((width, height), Image.Resampling.BOX)


def _save_mat(path: Path, arrays: dict[str, np.ndarray]) -> None:
    scipy.io.savemat(path, arrays)
    with path.open("rb+") as handle:
        handle.write(_MAT_HEADER)  # SciPy writes the date here; the same arguments should give the same bytes
