"""The feature cache: the frozen layers' output for k augmented views of every photo, computed once and kept on disk.

Frozen layers give the same features for the same view every time. So an epoch reads one view of each photo from a
memory map. Views are written one after the other, and an interrupted cache resumes after its last complete view. What
one run computed of a photo serves every other run with the same frozen layers and views.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.networks.compiled import compiled
from flowers_core.storage.files import write_text
from flowers_core.training.augmentation import Augmentation, random_view, view_generator
from flowers_core.training.decoded_cache import DecodedPhotos

_BATCH = 34
_AT_ONCE = 2
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class AugmentedViews:
    """The augmented views of some photos: view 0 is what the model is served (the central crop), views 1… are random.

    Equal seeds, numbers and photos give equal views at every size.

    Attributes:
        photos: decoded.
        photo_ids: (n,), which of them, in the order of every array.
        augmentation: how views 1… are drawn.
        seed: of the draws.
    """

    photos: DecodedPhotos
    photo_ids: NDArray[np.integer]
    augmentation: Augmentation
    seed: int

    def pixels(self, number: int, rule: CropRule, photo_ids: NDArray[np.integer]) -> NDArray[np.uint8]:
        """One view of some of the photos.

        Args:
            number: of the view, from 0.
            rule: how a photo becomes the network's input.
            photo_ids: (m,), of these photos.

        Returns:
            (m, size, size, 3) uint8.
        """
        return np.stack([self._draw(number, rule, int(photo)) for photo in photo_ids])

    def _draw(self, number: int, rule: CropRule, photo_id: int) -> NDArray[np.uint8]:
        if number == 0:
            return model_input(self.photos[photo_id], rule).pixels
        rng = view_generator(self.seed, number, photo_id)
        return random_view(self.photos[photo_id], rule.size, self.augmentation, rng)


def cached_features(
    network: keras.Model | None,
    rule: CropRule,
    views: AugmentedViews,
    count: int,
    folder: Path,
    name: str,
    *,
    progress: Progress | None = None,
) -> NDArray[np.generic]:
    """The features of views 0…count−1, from the cache where it has them.

    Views that another run kept under the same name are copied: a run that learns from more photos than the one before
    computes those of the photos that are new.

    Args:
        network: the frozen layers, or a teacher; None keeps the views themselves as uint8.
        rule: how a photo becomes the network's input.
        views: of which photos.
        count: of views.
        folder: of the cache; safe to delete.
        name: everything that the features of one view of one photo depend on (see `cache_name`).
        progress: called with ("views", done, count).

    Returns:
        (count, n, …) as a read-only memory map: float16, or float32 for logits and embeddings.

    Raises:
        FloatingPointError: the network gives values that are not finite.
    """
    run = compiled(network) if network is not None else None
    shape = (rule.size, rule.size, 3) if network is None else tuple(network.output.shape[1:])
    dtype = np.uint8 if network is None else (np.float32 if len(shape) == 1 else np.float16)
    whole = (count, len(views.photo_ids), *shape)
    path = folder / f"{name}-{cache_name(views.photo_ids.tolist(), count)}.npy"
    kept = {one.path: one for one in _kept(folder, name)}
    mine = kept.pop(path, None)
    done = mine.count if mine else 0
    folder.mkdir(parents=True, exist_ok=True)
    stored = np.lib.format.open_memmap(path, "r+" if mine else "w+", dtype, None if mine else whole)

    def compute(number: int, positions: NDArray[np.intp]) -> None:
        pixels = views.pixels(number, rule, views.photo_ids[positions])
        features = (pixels if run is None else run(pixels)).astype(dtype)
        if not np.isfinite(features).all():
            raise FloatingPointError(f"The frozen network gives values that are not finite (view {number}).")
        stored[number, positions] = features

    for number in range(done, count):
        absent = _copied(stored[number], number, views.photo_ids, kept.values())
        batches = [absent[start : start + _BATCH] for start in range(0, len(absent), _BATCH)]
        # Two batches at a time: while the layers of one wait for each other, the other is drawn or computed.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="views") as pool:
            for _ in pool.map(partial(compute, number), batches):
                pass
        stored.flush()
        _Kept(path, number + 1, views.photo_ids).note()
        if progress is not None:
            progress("views", number + 1, count)
    return np.load(path, mmap_mode="r", allow_pickle=False)


@dataclass(frozen=True, eq=False)
class _Kept:
    """One `.npy` file of the cache; a `.done` file beside it says what of it is complete."""

    path: Path
    count: int
    photo_ids: NDArray[np.integer]

    def note(self) -> None:
        done = {"views": self.count, "photos": self.photo_ids.tolist()}
        write_text(self.path.with_suffix(".done"), json.dumps(done))


def _kept(folder: Path, name: str) -> list[_Kept]:
    found = []
    for note in sorted(folder.glob(f"{name}-*.done")):
        done, path = json.loads(note.read_text(encoding="utf-8")), note.with_suffix(".npy")
        if path.is_file():
            found.append(_Kept(path, done["views"], np.asarray(done["photos"], np.int64)))
    return found


def _copied(
    view: NDArray[np.generic], number: int, photo_ids: NDArray[np.integer], others: Iterable[_Kept]
) -> NDArray[np.intp]:
    """Copy the features that other files have of this view into it; the positions of the photos that none has."""
    absent = np.arange(len(photo_ids))
    for other in others:
        if number < other.count and len(absent):
            at = {int(photo): position for position, photo in enumerate(other.photo_ids)}
            has = np.array([int(photo) in at for photo in photo_ids[absent]])
            source = np.load(other.path, mmap_mode="r", allow_pickle=False)[number]
            view[absent[has]] = source[[at[int(photo)] for photo in photo_ids[absent[has]]]]
            absent = absent[~has]
    return absent


def cache_name(*parts: object) -> str:
    """A short file name from everything that a cached array depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def network_digest(network: keras.Model | None) -> str:
    """A digest of a network's weights and of what it computes."""
    if network is None:
        return "photo"
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    digest.update(f"{len(network.layers)} {network.input_shape} {network.output_shape}".encode())
    return digest.hexdigest()
