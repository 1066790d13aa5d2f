"""Pictures that show no flower: drawn ones, and crops of the pictures that scikit-image and Matplotlib come with.

A confidence model that never saw a picture without a flower is confident about such pictures too. These pictures are
for fitting it, beside some of the external photos (`flowers_core.data.download.external`). It is measured on others of
these, to which nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]
SEED = 0
_SIDE = 320
# scikit-image's pictures, without its masks, outlines and scans that show nothing.
_SAMPLES = (
    *("astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "colorwheel", "grass", "gravel"),
    *("horse", "hubble_deep_field", "immunohistochemistry", "microaneurysms", "moon", "page", "retina", "rocket"),
    "text",
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture without a flower.

    Attributes:
        source: a kind of `DRAWN`, or the name of a sample picture.
        pixels: (h, w, 3) uint8 RGB, read-only.
    """

    source: str
    pixels: Pixels


def pictures_without_flower(drawn: int, crops: int, *, seed: int = SEED) -> Iterator[Picture]:
    """Drawn pictures, then crops of sample pictures.

    Args:
        drawn: pictures of each kind of `DRAWN`.
        crops: square crops of each sample picture, with sides of 30 to 100 % of its short side.
        seed: the same seed gives the same pictures.
    """
    for kind, draw in DRAWN.items():
        generator = np.random.default_rng((seed, *kind.encode()))
        for _ in range(drawn):
            yield _picture(kind, draw(generator))
    for name, whole in sample_pictures().items():
        generator = np.random.default_rng((seed, *name.encode()))
        for _ in range(crops):
            yield _picture(name, _crop(whole, generator))


def sample_pictures() -> dict[str, Pixels]:
    """The whole sample pictures by name, (h, w, 3) uint8 RGB. Reads files of scikit-image and Matplotlib only."""
    from matplotlib import get_data_path
    from skimage import data

    found = {name: _rgb(getattr(data, name)()) for name in _SAMPLES}
    with Image.open(Path(get_data_path()) / "sample_data" / "grace_hopper.jpg") as portrait:
        found["portrait"] = np.asarray(portrait.convert("RGB"))
    return found


def _picture(source: str, pixels: Pixels) -> Picture:
    pixels = np.ascontiguousarray(pixels)
    pixels.setflags(write=False)
    return Picture(source, pixels)


def _rgb(pixels: NDArray[Any]) -> Pixels:
    scaled: Pixels = pixels
    if pixels.dtype != np.uint8:
        scaled = (pixels.astype(np.float64) * 255).clip(0, 255).astype(np.uint8)
    return np.stack([scaled] * 3, axis=2) if scaled.ndim == 2 else scaled[:, :, :3]


def _crop(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    side = round(min(pixels.shape[:2]) * generator.uniform(0.3, 1.0))
    top, left = (int(generator.integers(0, length - side + 1)) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _colour(generator: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in generator.integers(0, 256, 3))
    return red, green, blue


def _flat(generator: np.random.Generator) -> Pixels:
    """One colour that turns into another from side to side."""
    first, second = (np.array(_colour(generator)) for _ in range(2))
    share = np.linspace(0, 1, _SIDE)[:, None, None] * np.ones((1, _SIDE, 1))
    picture = (first * share + second * (1 - share)).astype(np.uint8)
    return picture if generator.random() < 0.5 else picture.transpose(1, 0, 2)


def _white_noise(generator: np.random.Generator) -> Pixels:
    """Independent noise in every channel of every cell, cells of 1 to 16 pixels."""
    cells = _SIDE // int(generator.integers(1, 17))
    noise = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
    return np.asarray(noise.resize((_SIDE, _SIDE), Image.Resampling.NEAREST))


def _clouds(generator: np.random.Generator) -> Pixels:
    """Noise with a spectrum as of natural pictures, 1 / frequency to a power of 0.7 to 1.8, in two colours."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(generator.normal(size=(_SIDE, _SIDE))) / frequency ** generator.uniform(0.7, 1.8)
    field = np.fft.irfft2(spectrum, s=(_SIDE, _SIDE))
    share = ((field - field.min()) / np.ptp(field))[:, :, None]
    return (np.array(_colour(generator)) * share + np.array(_colour(generator)) * (1 - share)).astype(np.uint8)


def _stripes(generator: np.random.Generator) -> Pixels:
    """Stripes in two colours at any angle, sharp or soft."""
    angle, width = generator.uniform(0, np.pi), generator.uniform(6, 60)
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    wave = np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / width)
    share = (np.sign(wave) if generator.random() < 0.5 else wave)[:, :, None] / 2 + 0.5
    return (np.array(_colour(generator)) * share + np.array(_colour(generator)) * (1 - share)).astype(np.uint8)


def _tiles(generator: np.random.Generator) -> Pixels:
    """Tiles or bricks with joints, each in a slightly different colour."""
    picture = Image.new("RGB", (_SIDE, _SIDE), _colour(generator))
    draw, base = ImageDraw.Draw(picture), np.array(_colour(generator))
    width, height = (int(value) for value in generator.integers(16, 90, 2))
    for row, top in enumerate(range(0, _SIDE, height)):
        for left in range(-width // 2 * (row % 2), _SIDE, width):
            red, green, blue = (int(value) for value in (base + generator.normal(0, 12, 3)).clip(0, 255))
            draw.rectangle((left + 2, top + 2, left + width - 2, top + height - 2), (red, green, blue))
    return np.asarray(picture)


def _shapes(generator: np.random.Generator) -> Pixels:
    """A drawing of boxes, lines and ovals on one colour."""
    picture = Image.new("RGB", (_SIDE, _SIDE), _colour(generator))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(generator.integers(2, 14))):
        first, second = np.sort(generator.integers(-40, _SIDE + 40, (2, 2)), axis=0).tolist()
        box = (*first, second[0] + 2, second[1] + 2)
        shape = generator.integers(0, 3)
        if shape == 0:
            draw.rectangle(box, _colour(generator))
        elif shape == 1:
            draw.ellipse(box, _colour(generator))
        else:
            draw.line(box, _colour(generator), int(generator.integers(2, 16)))
    return np.asarray(picture)


def _writing(generator: np.random.Generator) -> Pixels:
    """A page of letters without sense."""
    dark = bool(generator.random() < 0.3)
    picture = Image.new("RGB", (_SIDE // 2, _SIDE // 2), (20, 20, 30) if dark else (250, 248, 240))
    draw = ImageDraw.Draw(picture)
    for top in range(6, _SIDE // 2, int(generator.integers(12, 24))):
        letters = "".join(chr(value) for value in generator.integers(97, 123, 40))
        draw.text((6, top), letters, (230, 230, 230) if dark else (30, 30, 30))
    return np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))


def _leaves(generator: np.random.Generator) -> Pixels:
    """Foliage: hundreds of green and brown blades, one over the other."""
    picture = Image.new("RGB", (_SIDE, _SIDE), (40, 60, 25))
    draw = ImageDraw.Draw(picture)
    bases = np.array([[60, 110, 40], [90, 130, 60], [50, 80, 30], [110, 100, 60]])
    length = generator.uniform(20, 110)
    for _ in range(int(generator.integers(150, 500))):
        x, y = generator.uniform(-20, _SIDE + 20, 2)
        angle, long = generator.uniform(0, 2 * np.pi), length * generator.uniform(0.5, 1.2)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        tip, middle = np.array([x, y]) + along * long, np.array([x, y]) + along * long / 2
        side = across * long * generator.uniform(0.06, 0.25)
        red, green, blue = (int(v) for v in (bases[generator.integers(0, 4)] + generator.normal(0, 14, 3)).clip(0, 255))
        points = [(x, y), tuple((middle + side).tolist()), tuple(tip.tolist()), tuple((middle - side).tolist())]
        draw.polygon(points, (red, green, blue))
    return np.asarray(picture)


DRAWN: dict[str, Callable[[np.random.Generator], Pixels]] = {
    "flat": _flat,
    "white noise": _white_noise,
    "clouds": _clouds,
    "stripes": _stripes,
    "tiles": _tiles,
    "shapes": _shapes,
    "writing": _writing,
    "leaves": _leaves,
}
