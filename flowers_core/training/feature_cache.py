"""The feature cache: the frozen layers' output for k augmented views of every photo, computed once and kept on disk.

Frozen layers give the same features for the same view every time. So an epoch reads one view of each photo from a
memory map. Views are written one after the other, and an interrupted cache resumes after its last complete view.
"""

import hashlib
import json
from collections.abc import Callable
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

    def batch(self, number: int, rule: CropRule, start: int) -> NDArray[np.uint8]:
        """One view of a batch of photos.

        Args:
            number: of the view, from 0.
            rule: how a photo becomes the network's input.
            start: position in `photo_ids` of the first photo.

        Returns:
            (m, size, size, 3) uint8, with m up to 34.
        """
        return np.stack([self._draw(number, rule, int(i)) for i in self.photo_ids[start : start + _BATCH]])

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
    path: Path,
    *,
    progress: Progress | None = None,
) -> NDArray[np.generic]:
    """The features of views 0…count−1, from the cache where it has them.

    Args:
        network: the frozen layers, or a teacher; None keeps the views themselves as uint8.
        rule: how a photo becomes the network's input.
        views: of which photos.
        count: of views.
        path: the `.npy` file of the cache; a `.done` file beside it counts the complete views. The caller puts
            everything that the features depend on into the name (see `cache_name`).
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
    done_path = path.with_suffix(".done")
    done = int(done_path.read_text(encoding="utf-8")) if done_path.is_file() and path.is_file() else 0
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.lib.format.open_memmap(path, "r+" if done else "w+", dtype, None if done else whole)

    def compute(number: int, start: int) -> None:
        batch = views.batch(number, rule, start)
        features = (batch if run is None else run(batch)).astype(dtype)
        if not np.isfinite(features).all():
            raise FloatingPointError(f"The frozen network gives values that are not finite (view {number}).")
        stored[number, start : start + len(batch)] = features

    starts = range(0, len(views.photo_ids), _BATCH)
    for number in range(done, count):
        # Two batches at a time: while the layers of one wait for each other, the other is drawn or computed.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="views") as pool:
            for _ in pool.map(partial(compute, number), starts):
                pass
        stored.flush()
        write_text(done_path, str(number + 1))
        if progress is not None:
            progress("views", number + 1, count)
    return np.load(path, mmap_mode="r", allow_pickle=False)


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
