"""Photos of a data set as model inputs, batch by batch, and stratified samples of its splits."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import CropRule, model_input

_DECODERS = 2


def input_batches(
    dataset: Dataset, photo_ids: Sequence[int] | NDArray[np.integer], rule: CropRule, *, batch_size: int = 32
) -> Iterator[NDArray[np.uint8]]:
    """The photos' central crops, batch by batch. The next batch is decoded while the caller works on this one.

    Args:
        dataset: the photos.
        photo_ids: ids in the order of the result; an id may occur twice.
        rule: size and crop of the model's input.
        batch_size: photos in each batch; the last may have fewer.

    Yields:
        (≤ batch_size, size, size, 3) uint8 RGB.

    Raises:
        PhotoError: a photo cannot be read; the message names the file.
    """

    def read(photo_id: int) -> NDArray[np.uint8]:
        return model_input(dataset.open(photo_id).pixels, rule).pixels

    ids = [int(photo_id) for photo_id in photo_ids]
    chunks = [ids[start : start + batch_size] for start in range(0, len(ids), batch_size)]
    if not chunks:
        return
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode") as pool:
        ahead = [pool.submit(read, photo_id) for photo_id in chunks[0]]
        for following in [*chunks[1:], []]:
            current, ahead = ahead, [pool.submit(read, photo_id) for photo_id in following]
            yield np.stack([future.result() for future in current])


def inputs(dataset: Dataset, photo_ids: Sequence[int] | NDArray[np.integer], rule: CropRule) -> NDArray[np.uint8]:
    """All the photos' central crops at once: 0.15 MB a photo at 224 pixels.

    Args:
        dataset: the photos.
        photo_ids: n ids in the order of the result.
        rule: size and crop of the model's input.

    Returns:
        (n, size, size, 3) uint8 RGB.

    Raises:
        PhotoError: a photo cannot be read; the message names the file.
    """
    batches = list(input_batches(dataset, photo_ids, rule))
    return np.concatenate(batches) if batches else np.empty((0, rule.size, rule.size, 3), np.uint8)


def stratified_sample(dataset: Dataset, split: str, count: int, seed: int) -> NDArray[np.int64]:
    """Draw photos of a split, as evenly over the classes as `count` allows.

    Args:
        dataset: the photos.
        split: the split to draw from.
        count: photos to draw; all of them if the split has fewer.
        seed: the same seed draws the same photos.

    Returns:
        (≤ count,) int64 ids, ascending.
    """
    generator = np.random.default_rng(seed)
    drawn = generator.permutation(dataset.split_ids(split))
    labels = dataset.labels_of(drawn)
    return np.sort(drawn[by_turns(labels)[:count]])


def by_turns(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """The order in which the n-th photo of every class comes before the n + 1-th of any.

    Args:
        labels: (n,) of the photos.

    Returns:
        (n,) int64 rows.
    """
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        turn[labels == label] = np.arange(np.count_nonzero(labels == label))
    return np.argsort(turn, kind="stable")
