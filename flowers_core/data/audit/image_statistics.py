"""What can be said of each photo by its pixels alone: size, sharpness, light, colour, and a hash of how it looks."""

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

# Sharpness depends on how many pixels show the same thing, so it is measured at one size for all.
MEASURED_SIDE = 256
_HASH_SIDE = 32
_HASH_FREQUENCIES = slice(1, 9)
_DECODERS = 2
_BLOCK = 64


@dataclass(frozen=True, eq=False)
class PhotoFacts:
    """Measurements of n photos, row i of every array belonging to ids[i].

    ids: (n,) int64. sizes: (n, 2) int64, width and height of the upright photo in pixels.
    sha256: n digests of the files' bytes, lower-case hexadecimal.
    hashes, mirrored_hashes: (n,) uint64, `perceptual_hash` of the photo and of its mirror image.
    sharpness: (n,) float64 ≥ 0, variance of the Laplacian of the grey photo at a short side of MEASURED_SIDE.
    highlights: (n,) float64 in [0, 1], what the strongest colour channel of 1 % of the pixels exceeds. (Not the grey
        value: a red flower in full sun is darker in grey than a grey one in the shade.)
    shadows: (n,) float64 in [0, 1], what the weakest colour channel of 1 % of the pixels falls below.
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
) -> PhotoFacts:
    """Read every photo once and measure it. `progress(done, total)` is told after each block of photos.

    Raises PhotoError, which names the file, for a photo that cannot be read.
    """
    wanted = [int(photo_id) for photo_id in ids]
    rows: list[_Row] = []
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="measure") as pool:
        for start in range(0, len(wanted), _BLOCK):
            rows += pool.map(lambda photo_id: _measure(path_of(photo_id)), wanted[start : start + _BLOCK])
            if progress is not None:
                progress(len(rows), len(wanted))
    return PhotoFacts(
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
    """Luma of an RGB photo (h, w, 3) uint8: (h, w) float64 in [0, 1], weighted as in ITU-R BT.601."""
    return np.asarray(Image.fromarray(pixels).convert("L"), dtype=np.float64) / 255


def perceptual_hash(light: NDArray[np.float64]) -> tuple[int, int]:
    """Two 64-bit numbers that change in few bits when a photo is scaled, recompressed or retouched a little.

    light: (h, w) float64 in [0, 1]. Returns the hash of the photo and that of its mirror image. The photo is scaled to
    32 × 32; a bit tells whether one of the 8 × 8 lowest frequencies of its cosine transform, the constant ones left
    out, lies above the median of them all (Zauner 2010, "Implementation and benchmarking of perceptual image hash
    functions", section 3.2.1). Mirroring changes the sign of the odd horizontal frequencies and nothing else, so the
    second hash costs no second transform.
    """
    small = Image.fromarray(light.astype(np.float32)).resize((_HASH_SIDE, _HASH_SIDE), Image.Resampling.BOX)
    waves = scipy.fft.dctn(np.asarray(small, dtype=np.float64), norm="ortho")[_HASH_FREQUENCIES, _HASH_FREQUENCIES]
    signs = np.where(np.arange(1, 9) % 2, -1, 1)
    return _packed(waves), _packed(waves * signs)


def hamming(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many of 64 bits differ, element by element, with NumPy's rules of broadcasting."""
    return np.bitwise_count(a ^ b)


def sharpness(light: NDArray[np.float64]) -> float:
    """Variance of the Laplacian of a grey photo (h, w): low where nothing in it is in focus (Pech-Pacheco et al. 2000).

    The photo is first scaled to a short side of MEASURED_SIDE, up or down.
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
