"""What passes the cut of a network, for k random views of every photo, computed once and kept on disk.

A frozen network gives the same features for the same view every time, so an epoch need not compute them again: it reads
one view of each photo from a memory map. Views are written one after the other, and a store that was interrupted goes
on after its last whole one.
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
import tensorflow as tf
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.storage.files import write_atomically
from flowers_core.training.augmentation import Augmentation, random_view, view_generator
from flowers_core.training.decoded_cache import PhotoStore

_BATCH = 34
_AT_ONCE = 2
_EVALUATION_BATCH = 128
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Views:
    """The views of some photos: view 0 is what the model is served (the central crop), views 1… are random.

    photo_ids: (n,). Equal seeds, numbers and photos give equal views at every size.
    """

    store: PhotoStore
    photo_ids: NDArray[np.integer]
    augmentation: Augmentation
    seed: int

    def batch(self, number: int, rule: CropRule, start: int) -> NDArray[np.uint8]:
        """View `number` of the photos from the one at `start` on, (≤ 34, size, size, 3) uint8."""
        return np.stack([self._draw(number, rule, int(i)) for i in self.photo_ids[start : start + _BATCH]])

    def _draw(self, number: int, rule: CropRule, photo_id: int) -> NDArray[np.uint8]:
        if number == 0:
            return model_input(self.store[photo_id], rule).pixels
        rng = view_generator(self.seed, number, photo_id)
        return random_view(self.store[photo_id], rule.size, self.augmentation, rng)


def run_network(network: keras.Model) -> Callable[[NDArray[np.generic]], NDArray[np.float32]]:
    """A network as a compiled function from a batch of any numeric type to float32, in inference mode."""
    traced = tf.function(
        lambda batch: network(tf.cast(batch, tf.float32), training=False), autograph=False, reduce_retracing=True
    )
    return lambda batch: traced(tf.constant(batch)).numpy()


def in_batches(
    run: Callable[[NDArray[np.generic]], NDArray[np.float32]], inputs: NDArray[np.generic]
) -> NDArray[np.float32]:
    """What a compiled network makes of many inputs (n, …), a bounded number at a time."""
    step = _EVALUATION_BATCH
    return np.concatenate([run(np.ascontiguousarray(inputs[i : i + step])) for i in range(0, len(inputs), step)])


def features_of_views(
    network: keras.Model | None,
    rule: CropRule,
    views: Views,
    count: int,
    path: Path,
    *,
    progress: Progress | None = None,
) -> NDArray[np.generic]:
    """The features of views 0…count−1, (count, n, …) as a read-only memory map, float16, or float32 for logits.

    With no network, the views themselves as uint8. `path` names the `.npy` file; beside it `.done` says how many views
    are whole. The caller puts whatever the features depend on into the name (see `name_of`).
    """
    run = run_network(network) if network is not None else None
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
        # Two batches at a time: while the network's layers wait for each other in one, the other is drawn or computed.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="views") as pool:
            for _ in pool.map(partial(compute, number), starts):
                pass
        stored.flush()
        _write_atomically(done_path, str(number + 1))
        if progress is not None:
            progress("views", number + 1, count)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def name_of(*parts: object) -> str:
    """A short file name from everything that a cached array depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def digest_of(network: keras.Model | None) -> str:
    """A digest of a network's weights and of what it computes."""
    if network is None:
        return "photo"
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    digest.update(f"{len(network.layers)} {network.input_shape} {network.output_shape}".encode())
    return digest.hexdigest()


def _write_atomically(path: Path, text: str) -> None:
    def write(beside: Path) -> None:
        beside.write_text(text, encoding="utf-8")

    write_atomically(path, write)
