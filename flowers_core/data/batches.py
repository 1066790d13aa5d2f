"""Photos of the dataset as model inputs, batch by batch: what training, evaluation and the gallery read."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo

_DECODERS = 2


def input_batches(
    flowers: OxfordFlowers, photo_ids: Sequence[int] | NDArray[np.integer], rule: CropRule, *, batch_size: int = 32
) -> Iterator[NDArray[np.uint8]]:
    """Yield (≤ batch_size, size, size, 3) uint8 arrays of the photos' central crops, in the order of `photo_ids`.

    The next batch is decoded while the caller works on the current one. Raises PhotoError, which names the file, for a
    photo that cannot be read.
    """

    def read(photo_id: int) -> NDArray[np.uint8]:
        return model_input(open_photo(flowers.path(photo_id)).pixels, rule).pixels

    ids = [int(photo_id) for photo_id in photo_ids]
    chunks = [ids[start : start + batch_size] for start in range(0, len(ids), batch_size)]
    if not chunks:
        return
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode") as pool:
        ahead = [pool.submit(read, photo_id) for photo_id in chunks[0]]
        for following in [*chunks[1:], []]:
            current, ahead = ahead, [pool.submit(read, photo_id) for photo_id in following]
            yield np.stack([future.result() for future in current])


def inputs(flowers: OxfordFlowers, photo_ids: Sequence[int] | NDArray[np.integer], rule: CropRule) -> NDArray[np.uint8]:
    """All the photos' central crops in one (n, size, size, 3) uint8 array; 0.15 MB a photo at 224 pixels."""
    batches = list(input_batches(flowers, photo_ids, rule))
    return np.concatenate(batches) if batches else np.empty((0, rule.size, rule.size, 3), np.uint8)


def stratified_sample(flowers: OxfordFlowers, split: str, count: int, seed: int) -> NDArray[np.int64]:
    """Photos of a split, as evenly over the classes as `count` allows: (≤ count,) ids, ascending; drawn by `seed`."""
    generator = np.random.default_rng(seed)
    drawn = generator.permutation(flowers.split_ids(split))
    labels = flowers.labels[drawn - 1]
    # The n-th photo of every class comes before the n + 1-th of any.
    turn = np.empty(len(drawn), np.int64)
    for label in np.unique(labels):
        turn[labels == label] = np.arange(np.count_nonzero(labels == label))
    return np.sort(drawn[np.argsort(turn, kind="stable")[:count]])
