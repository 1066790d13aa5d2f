"""Every photo decoded once: a memory map of pixels, so that an epoch costs no JPEG decoding.

Photos keep their own shape; only one whose short side is longer than the bound is scaled down. The file's name holds a
digest of the data set's fingerprint and of the settings. So another data set, or other settings, never read these
pixels.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flowers_core.data.dataset import Dataset
from flowers_core.data.photos import open_photo
from flowers_core.storage.files import write_atomically, write_npz

SHORT_SIDE = 320  # enough for random crops at every input size in the registry
_DECODERS = 2
_LAYOUT = 1  # raised when the file layout changes: old caches are then built anew, not misread


class DecodedPhotos:
    """Decoded photos by their id: `store[photo_id]` is a read-only (h, w, 3) uint8 RGB array."""

    def __init__(
        self, pixels: NDArray[np.uint8], ids: NDArray[np.int64], shapes: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> None:
        """Use `open_decoded_cache`.

        Args:
            pixels: of all photos, one after another; may be mapped from disk.
            ids: (n,).
            shapes: (n, 2), height and width of each photo.
            ends: (n,), where each photo ends in `pixels`.
        """
        self._pixels = pixels
        self._positions = {
            int(photo_id): (int(end), int(height), int(width))
            for photo_id, end, (height, width) in zip(ids, ends, shapes, strict=True)
        }

    def __getitem__(self, photo_id: int) -> NDArray[np.uint8]:
        end, height, width = self._positions[int(photo_id)]
        photo = self._pixels[end - height * width * 3 : end].reshape(height, width, 3)
        photo.setflags(write=False)
        return photo

    def __contains__(self, photo_id: int) -> bool:
        return int(photo_id) in self._positions

    def __len__(self) -> int:
        return len(self._positions)


def open_decoded_cache(
    dataset: Dataset,
    ids: Sequence[int] | NDArray[np.integer],
    folder: Path,
    *,
    short_side: int = SHORT_SIDE,
    progress: Callable[[int, int], None] | None = None,
) -> DecodedPhotos:
    """The decoded photos with these ids, from the cache in `folder` where it has them, else decoded and stored now.

    Args:
        dataset: the photos' files, and a fingerprint that changes when they do.
        ids: the photos wanted.
        folder: of the caches; safe to delete.
        short_side: in pixels; photos with a longer one are scaled down to it (Lanczos, antialiased).
        progress: called with (photos done, photos in all).

    Raises:
        PhotoError: for a photo that cannot be read; the sentence names its file. Nothing half-written is left.
    """
    wanted = np.unique(np.asarray(ids, np.int64))
    key = hashlib.sha256(json.dumps([_LAYOUT, dataset.fingerprint(), short_side, wanted.tolist()]).encode())
    stem = folder / f"photos-{key.hexdigest()[:16]}"
    pixels_path, index_path = stem.with_suffix(".npy"), stem.with_suffix(".npz")
    if not index_path.is_file() or not pixels_path.is_file():
        _build(dataset, wanted, short_side, pixels_path, index_path, progress)
    with np.load(index_path, allow_pickle=False) as index:
        return DecodedPhotos(
            np.load(pixels_path, mmap_mode="r", allow_pickle=False), index["ids"], index["shapes"], index["ends"]
        )


def _build(
    dataset: Dataset,
    ids: NDArray[np.int64],
    short_side: int,
    pixels_path: Path,
    index_path: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    def decoded(photo_id: int) -> NDArray[np.uint8]:
        return _bounded(open_photo(dataset.path(int(photo_id))).pixels, short_side)

    photos = []
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode") as pool:
        for photo in pool.map(decoded, ids):
            photos.append(photo)
            if progress is not None:
                progress(len(photos), len(ids))
    shapes = np.array([photo.shape[:2] for photo in photos], np.int64).reshape(-1, 2)
    ends = np.cumsum(shapes[:, 0] * shapes[:, 1] * 3)
    flat = np.concatenate([photo.reshape(-1) for photo in photos]) if photos else np.empty(0, np.uint8)
    # The index goes last: where it is, the pixels are whole.
    write_atomically(pixels_path, lambda path: np.save(path, flat, allow_pickle=False))
    write_npz(index_path, ids=ids, shapes=shapes, ends=ends)


def _bounded(pixels: NDArray[np.uint8], short_side: int) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    if min(height, width) <= short_side:
        return pixels
    scale = short_side / min(height, width)
    size = (max(short_side, round(width * scale)), max(short_side, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
