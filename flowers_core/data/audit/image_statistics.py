"""Statistics of each photo's pixels: size, sharpness, brightness, colour and a perceptual hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray
from PIL import Image

from flowers_core.data.photos import open_photo

# Sharpness depends on the resolution, so all photos are measured at one.
MEASURED_SIDE = 256
_HASH_SIDE = 32
_HASH_FREQUENCIES = slice(1, 9)
_DECODERS = 2
_BLOCK = 64


@dataclass(frozen=True, eq=False)
class ImageStatistics:
    """Measurements of n photos; row i of every array belongs to ids[i].

    Attributes:
        ids: (n,) int64.
        sizes: (n, 2) int64, width and height of the upright photo in pixels.
        sha256: n digests of the files' bytes, in lower-case hexadecimal.
        hashes: (n,) uint64, `perceptual_hash` of each photo.
        mirrored_hashes: (n,) uint64, `perceptual_hash` of its mirror image.
        sharpness: (n,) float64 ≥ 0, `sharpness` of the grey photo.
        highlights: (n,) float64 in [0, 1], the 99th percentile of each pixel's strongest channel. (The grey value would
            mislead: a red flower in full sun is darker in grey than a grey one in the shade.)
        shadows: (n,) float64 in [0, 1], the 1st percentile of each pixel's weakest channel.
        mean_colour: (n, 3) float64 in [0, 1], red, green and blue.
    """

    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    sha256: tuple[str, ...]
    hashes: NDArray[np.uint64]
    mirrored_hashes: NDArray[np.uint64]
    sharpness: NDArray[np.float64]
    highlights: NDArray[np.float64]
    shadows: NDArray[np.float64]
    mean_colour: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


def measure_photos(
    ids: Sequence[int] | NDArray[np.int64],
    path_of: Callable[[int], Path],
    progress: Callable[[int, int], None] | None = None,
) -> ImageStatistics:
    """Read every photo once and measure it.

    Args:
        ids: the photos, n of them.
        path_of: photo id → its file.
        progress: called after each block of photos with the number of photos done and n.

    Raises:
        PhotoError: a photo cannot be read; the message names the file.
    """
    wanted = [int(photo_id) for photo_id in ids]
    rows: list[_Row] = []
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="measure") as pool:
        for start in range(0, len(wanted), _BLOCK):
            rows += pool.map(lambda photo_id: _measure(path_of(photo_id)), wanted[start : start + _BLOCK])
            if progress is not None:
                progress(len(rows), len(wanted))
    return ImageStatistics(
        ids=np.array(wanted, dtype=np.int64),
        sizes=np.array([row.size for row in rows], dtype=np.int64).reshape(-1, 2),
        sha256=tuple(row.sha256 for row in rows),
        hashes=np.array([row.hashes[0] for row in rows], dtype=np.uint64),
        mirrored_hashes=np.array([row.hashes[1] for row in rows], dtype=np.uint64),
        sharpness=np.array([row.sharpness for row in rows], dtype=np.float64),
        highlights=np.array([row.highlights for row in rows], dtype=np.float64),
        shadows=np.array([row.shadows for row in rows], dtype=np.float64),
        mean_colour=np.array([row.mean_colour for row in rows], dtype=np.float64).reshape(-1, 3),
    )


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Luma of a photo, weighted as in ITU-R BT.601: (h, w, 3) uint8 → (h, w) float64 in [0, 1]."""
    return np.asarray(Image.fromarray(pixels).convert("L"), dtype=np.float64) / 255


def perceptual_hash(light: NDArray[np.floating]) -> tuple[int, int]:
    """A 64-bit hash that changes in few bits when a photo is scaled, recompressed or slightly retouched.

    The photo is scaled to 32 × 32. Each bit tells whether one of the 8 × 8 lowest frequencies of its cosine transform,
    the constant ones left out, lies above their median (Zauner 2010, "Implementation and benchmarking of perceptual
    image hash functions", section 3.2.1). Mirroring only changes the sign of the odd horizontal frequencies, so the
    second hash costs no second transform.

    `imagehash.phash` is another variant: it keeps the constant frequencies and scales by Lanczos. Its bits differ from
    these (by 24 to 40 of 64 on photos of the data set), and it has no hash of the mirror image, so the published audits
    could not be reproduced with it.

    Args:
        light: (h, w), of any scale: the bits compare frequencies with one another.

    Returns:
        The hash of the photo and the hash of its mirror image.
    """
    return _hashes(Image.fromarray(light.astype(np.float32, copy=False)))


def photo_hash(pixels: NDArray[np.uint8]) -> int:
    """The `perceptual_hash` of a photo (h, w, 3) uint8 RGB, without its way through arrays of floats."""
    return _hashes(Image.fromarray(pixels).convert("L").convert("F"))[0]


def _hashes(light: Image.Image) -> tuple[int, int]:
    small = light.resize((_HASH_SIDE, _HASH_SIDE), Image.Resampling.BOX)
    waves = scipy.fft.dctn(np.asarray(small, dtype=np.float64), norm="ortho")[_HASH_FREQUENCIES, _HASH_FREQUENCIES]
    signs = np.where(np.arange(1, 9) % 2, -1, 1)
    return _packed(waves), _packed(waves * signs)


def hamming(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Hamming distance of 64-bit hashes.

    Args:
        a, b: uint64 arrays whose shapes broadcast.

    Returns:
        uint8, 0…64, in the broadcast shape.
    """
    return np.bitwise_count(a ^ b)


def sharpness(light: NDArray[np.float64]) -> float:
    """Variance of the Laplacian, a measure of focus (Pech-Pacheco et al. 2000): low where nothing is in focus.

    The photo is first scaled, up or down, to a short side of MEASURED_SIDE pixels.

    Args:
        light: (h, w) float64 in [0, 1].
    """
    height, width = light.shape
    scale = MEASURED_SIDE / min(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    scaled = Image.fromarray(light.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return float(scipy.ndimage.laplace(np.asarray(scaled, dtype=np.float64) * 255, mode="nearest").var())


@dataclass(frozen=True)
class _Row:
    size: tuple[int, int]
    sha256: str
    hashes: tuple[int, int]
    sharpness: float
    highlights: float
    shadows: float
    mean_colour: tuple[float, ...]


def _measure(path: Path) -> _Row:
    photo = open_photo(path)
    light = grey(photo.pixels)
    return _Row(
        size=photo.original_size,
        sha256=photo.sha256,
        hashes=perceptual_hash(light),
        sharpness=sharpness(light),
        highlights=float(np.percentile(photo.pixels.max(axis=2), 99)) / 255,
        shadows=float(np.percentile(photo.pixels.min(axis=2), 1)) / 255,
        mean_colour=tuple((photo.pixels.reshape(-1, 3).mean(axis=0) / 255).tolist()),
    )


def _packed(waves: NDArray[np.float64]) -> int:
    bits = (waves > np.median(waves)).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
