"""Corruptions: what the camera, the framing and the light do to a flower in photos as people take them.

Each corruption is a function of the photo and a random generator. The generator is seeded by (seed, photo id, name), so
the suite is the same for every model, whatever was evaluated before. The severities were set by eye on training photos,
so that a person can still name the flower. Noise, blur, light and compression follow Hendrycks and Dietterich 2019
(arXiv 1903.12261, as the package imagecorruptions implements them). Their suite has no corruptions of the framing.
Published figures depend on the exact pixels.
"""

import io
import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.signal import fftconvolve

Pixels = NDArray[np.uint8]
SEED = 0


def corrupted(pixels: Pixels, name: str, photo_id: int, *, seed: int = SEED) -> Pixels:
    """Apply one corruption to one photo.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        name: one of `CORRUPTIONS`.
        photo_id: the photo's id, which seeds the random generator with the name and the seed.
        seed: the suite's seed.

    Returns:
        (h', w', 3) uint8 RGB; corruptions of the framing change the size.

    Raises:
        KeyError: there is no such corruption.
    """
    generator = np.random.default_rng((seed, photo_id, zlib.crc32(name.encode())))
    return np.ascontiguousarray(CORRUPTIONS[name](pixels, generator))


def _small(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """The photo at 35 to 50 % of the frame's side, somewhere in a frame of foliage colours."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    frame = _foliage(side, generator)
    scale = generator.uniform(0.35, 0.5)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    photo = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    top, left = (int(generator.integers(0, side - length + 1)) for length in photo.shape[:2])
    frame[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
    return frame


def _several(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """A grid of 2 × 2 or 3 × 3 copies of the photo, each mirrored or not."""
    count = int(generator.integers(2, 4))
    half = pixels[:: count // 2 + 1, :: count // 2 + 1]
    rows = [[half[:, :: -1 if generator.random() < 0.5 else 1] for _ in range(count)] for _ in range(count)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _cut_off(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """A corner of the photo, 60 % of each side: the flower runs out of the frame."""
    height, width = (round(length * 0.6) for length in pixels.shape[:2])
    top = int(generator.integers(0, 2)) * (pixels.shape[0] - height)
    left = int(generator.integers(0, 2)) * (pixels.shape[1] - width)
    return pixels[top : top + height, left : left + width]


def _back_light(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """The flower in its own shadow under a bright haze from one side."""
    dark = (pixels / 255.0) ** 1.8 * 0.75
    side = np.linspace(0, 1, pixels.shape[1])[None, :, None]
    haze = side if generator.random() < 0.5 else 1 - side
    return _bytes(dark + 0.55 * haze**2)


def _over_exposed(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """1.5 to 2 times the light, burnt out at white."""
    return _bytes(pixels / 255.0 * generator.uniform(1.5, 2.0))


def _colour_cast(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Each channel multiplied by its own factor, 0.7 to 1.3."""
    return _bytes(pixels / 255.0 * generator.uniform(0.7, 1.3, 3))


def _white_balance(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Lamp light taken for daylight, or the reverse."""
    warm = np.array([1.3, 1.0, 0.6])
    return _bytes(pixels / 255.0 * (warm if generator.random() < 0.5 else 1 / warm))


def _grey(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Black and white, by the luma of ITU-R BT.601."""
    del generator
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def _motion_blur(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """A hand that moved by 5 % of the short side, in any direction."""
    length = max(3, round(min(pixels.shape[:2]) * 0.05))
    angle = generator.uniform(0, np.pi)
    reach = length // 2 + 1
    path = np.linspace(-length / 2, length / 2, 8 * length)
    trace = np.histogram2d(
        path * np.sin(angle), path * np.cos(angle), 2 * reach + 1, [[-reach - 0.5, reach + 0.5]] * 2
    )[0]
    padded = np.pad(pixels / 255.0, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    return _bytes(fftconvolve(padded, (trace / trace.sum())[:, :, None], mode="valid", axes=(0, 1)))


def _focus_blur(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Out of focus: a Gaussian of 1.2 % of the short side."""
    del generator
    radius = min(pixels.shape[:2]) * 0.012
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _phone_noise(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Few photons and a noisy sensor: Poisson noise of 60 photons at white, and Gaussian noise of 3 %."""
    photons = generator.poisson(pixels / 255.0 * 60) / 60
    return _bytes(photons + generator.normal(0, 0.03, pixels.shape))


def _jpeg_30(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Sent through a messenger: JPEG at quality 30."""
    del generator
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=30)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _portrait(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """A 9:16 frame: a random strip of the photo's width, with foliage above and below."""
    return _strip(pixels, generator)


def _panorama(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """A 16:9 frame: a random strip of the photo's height, with foliage on both sides."""
    return _strip(pixels.transpose(1, 0, 2), generator).transpose(1, 0, 2)


def _strip(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    narrow = max(1, round(width * 0.75))
    left = int(generator.integers(0, width - narrow + 1))
    tall = max(height, round(narrow * 16 / 9))
    frame = _foliage(max(tall, narrow), generator)[:tall, :narrow].copy()
    top = int(generator.integers(0, tall - height + 1))
    frame[top : top + height] = pixels[:, left : left + narrow]
    return frame


def _foliage(side: int, generator: np.random.Generator) -> Pixels:
    """A square of smooth patches in the colours of leaves, earth and sky seen out of focus."""
    base = np.array([[50, 80, 35], [90, 110, 60], [95, 80, 60], [150, 165, 160]])[generator.integers(0, 4)]
    patches = np.zeros((side, side, 1))
    for cells in (4, 9, 24):
        noise = Image.fromarray(generator.normal(0, 1, (cells, cells)).astype(np.float32))
        patches += np.asarray(noise.resize((side, side), Image.Resampling.BICUBIC))[:, :, None]
    return _bytes((base + 14 * patches * np.array([0.8, 1.0, 0.6])) / 255.0)


def _bytes(values: NDArray[np.floating]) -> Pixels:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


CORRUPTIONS: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "small and off-centre": _small,
    "several flowers": _several,
    "cut off at the edge": _cut_off,
    "back light": _back_light,
    "over-exposed": _over_exposed,
    "colour cast": _colour_cast,
    "wrong white balance": _white_balance,
    "greyscale": _grey,
    "motion blur": _motion_blur,
    "focus blur": _focus_blur,
    "phone noise": _phone_noise,
    "JPEG 30": _jpeg_30,
    "portrait frame": _portrait,
    "panorama frame": _panorama,
}
