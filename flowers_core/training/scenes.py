"""A photo put into a larger scene, as flowers stand in people's photos: small before something else, or several.

No random number depends on the photo's size, see `training.augmentation`.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

#: Of plants, soil and sky.
_COLOURS = ((60, 90, 45), (95, 120, 70), (90, 75, 60), (150, 180, 210), (200, 200, 195), (35, 40, 35))


def small_on_background(pixels: Pixels, side_range: tuple[float, float], rng: np.random.Generator) -> Pixels:
    """The photo's central square, small and off-centre, on soft patches of one colour.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        side_range: lowest and highest share of the scene's side that the square takes, in (0, 1].
        rng: the view's own generator.

    Returns:
        (s, s, 3) uint8 RGB, where s is the photo's short side.
    """
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    flower = Image.fromarray(pixels[top : top + side, left : left + side])
    share = rng.uniform(*side_range)
    patches = rng.integers(3, 8)
    base = _COLOURS[rng.integers(len(_COLOURS))]
    light, hue = rng.normal(0, 30, (patches, patches, 1)), rng.normal(0, 12, (patches, patches, 3))
    coarse = np.clip(np.asarray(base) + light + hue, 0, 255).astype(np.uint8)
    ground = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    small = max(1, round(side * share))
    x, y = rng.uniform(0, 1, 2) * (side - small)
    # The edges are soft, since the network would learn to look for the frame of a hard paste.
    mask = _soft_edges(small, small, 0.08 * small)
    ground.paste(flower.resize((small, small), Image.Resampling.BICUBIC), (int(x), int(y)), mask)
    return np.asarray(ground)


def small_in_scenery(pixels: Pixels, side_range: tuple[float, float], rng: np.random.Generator) -> Pixels:
    """The whole photo, small, once to three times, anywhere in a square with patches of every size.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        side_range: lowest and highest share of the scene's side that the photo's long side takes, in (0, 1].
        rng: the view's own generator.

    Returns:
        (s, s, 3) uint8 RGB, where s is the photo's long side.
    """
    height, width, _ = pixels.shape
    side = max(height, width)
    ground = Image.fromarray(_scenery(side, rng))
    photo = Image.fromarray(pixels)
    for _ in range(rng.choice(3, p=(0.7, 0.15, 0.15)) + 1):
        share = rng.uniform(*side_range)
        w, h = max(1, round(width * share)), max(1, round(height * share))
        x, y = rng.uniform(0, side - w), rng.uniform(0, side - h)
        shown = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else photo
        # Edges range from hard to soft, since the network would learn to look for a single kind.
        soft = rng.uniform(0.0, 0.1) * min(w, h) if rng.random() < 0.6 else 0.0
        ground.paste(shown.resize((w, h), Image.Resampling.BICUBIC), (int(x), int(y)), _soft_edges(w, h, soft))
    return np.asarray(ground)


def tiled(pixels: Pixels, most: int, rng: np.random.Generator) -> Pixels:
    """The photo and its mirror images side by side, two by two or more.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        most: 2, or 3 for two or three a side.
        rng: the view's own generator.

    Returns:
        (n · h, n · w, 3) uint8 RGB, for n a side.
    """
    tiles = 2 if most == 2 else int(rng.integers(2, most + 1))
    row = np.concatenate([pixels, pixels[:, ::-1], pixels][:tiles], axis=1)
    return np.concatenate([row, row[::-1], row][:tiles], axis=0)


def _soft_edges(width: int, height: int, soft: float) -> Image.Image:
    """A mask to paste by, which rises from each edge to full over `soft` pixels."""
    rows, columns = (np.minimum(np.arange(n) + 1, np.arange(n)[::-1] + 1) / max(1.0, soft) for n in (height, width))
    alpha = np.clip(np.minimum(rows[:, None], columns[None, :]), 0, 1)
    return Image.fromarray((alpha * 255).astype(np.uint8))


def _scenery(side: int, rng: np.random.Generator) -> Pixels:
    """A square of patches from coarse to fine in light and hue, around one colour or between two."""
    base = np.asarray(_COLOURS[rng.integers(len(_COLOURS))], float)
    other = np.asarray(_COLOURS[rng.integers(len(_COLOURS))], float)
    slope = np.linspace(0, 1, side)[:, None, None] * (rng.random() < 0.3)
    values = np.tile((1 - slope) * base + slope * other + rng.normal(0, 15, 3), (1, side, 1))
    for _ in range(rng.integers(2, 5)):
        cells = round(math.exp(rng.uniform(math.log(2), math.log(60))))
        light = rng.normal(0, 1, (cells, cells, 1)) * rng.uniform(5, 25)
        hue = rng.normal(0, rng.uniform(0, 10), (cells, cells, 3))
        values = values + _enlarged(light + hue, side)
    return np.clip(values, 0, 255).astype(np.uint8)


def _enlarged(noise: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """Noise (n, n, 3) made smooth at (side, side, 3). Pillow resizes floats one channel at a time."""
    channels = [Image.fromarray(noise[:, :, channel].astype(np.float32)) for channel in range(3)]
    return np.stack([np.asarray(one.resize((side, side), Image.Resampling.BICUBIC)) for one in channels], axis=2)
