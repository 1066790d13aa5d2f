"""A bundle's models on corrupted photos: accuracy by corruption, calibration, and high-confidence errors."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import stratified_sample
from flowers_core.data.corruptions import CORRUPTIONS, SEED, corrupted
from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.evaluation.calibration import ece
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.prediction import softmax
from flowers_core.inference.records.metrics import CorruptionMetrics
from flowers_core.inference.runtime import open_runtime
from flowers_core.storage.files import write_atomically

# The whole validation split. The test split is six times as large; a sample of the same size is used there.
MAX_PHOTOS = 1020
# A wrong answer with at least this calibrated probability is a high-confidence error: a person would believe it.
HIGH_CONFIDENCE = 0.9


def evaluate_robustness(
    bundle: Bundle, flowers: Dataset, split: str, *, cache: Path | None = None, track: Track = untracked
) -> dict[str, CorruptionMetrics]:
    """The figures of every numeric format on the corrupted photos of a split.

    Args:
        bundle: calibrated, and not trained on that split.
        flowers: the data set.
        split: "validation" or "test", of which at most `MAX_PHOTOS` are taken, stratified by class.
        cache: see `corrupted_logits`.
        track: shows progress over the photos.

    Returns:
        Numeric format → `corruption_figures`.

    Raises:
        BundleError: if the bundle has learnt from the split, or is not calibrated.
    """
    bundle.require_unseen(split)
    temperature = bundle.require_calibration().temperature
    ids = stratified_sample(flowers, split, MAX_PHOTOS, SEED)
    logits = corrupted_logits(bundle, flowers, ids, bundle.precisions, cache=cache, track=track)
    return corruption_figures(logits, flowers.labels[ids - 1], temperature)


def corrupted_logits(
    bundle: Bundle,
    flowers: Dataset,
    ids: NDArray[np.int64],
    formats: Sequence[str],
    *,
    cache: Path | None = None,
    track: Track = untracked,
) -> dict[str, NDArray[np.float32]]:
    """The logits of numeric formats for photos under every corruption.

    Args:
        bundle: whose models predict.
        flowers: the data set.
        ids: (photos,), of its photos.
        formats: numeric formats.
        cache: a folder that keeps the corrupted photos for the next model with the same input, 2.8 GB for a thousand
            photos of 256 pixels; safe to delete.
        track: shows progress over the photos.

    Returns:
        Numeric format → (photos, corruptions, classes) float32, the corruptions in the order of CORRUPTIONS.
    """
    runtimes = {name: open_runtime(bundle, name) for name in formats}
    logits: dict[str, list[NDArray[np.float32]]] = {name: [] for name in runtimes}
    inputs = _corrupted_inputs(flowers, ids, bundle.crop_rule, cache, track)
    for batch in track(inputs, "corrupted photos", len(ids)):
        for name, runtime in runtimes.items():
            logits[name].append(runtime.logits(batch))
    return {name: np.stack(answers) for name, answers in logits.items()}


def corruption_figures(
    logits: Mapping[str, NDArray[np.float32]], labels: NDArray[np.integer], temperature: float
) -> dict[str, CorruptionMetrics]:
    """The figures of `corrupted_logits`.

    Args:
        logits: numeric format → (photos, corruptions, classes).
        labels: (photos,), 1-based.
        temperature: of the calibrated probabilities, > 0.

    Returns:
        Numeric format → top-1 by corruption, its mean and the worst corruption, the expected calibration error, and the
        fraction of high-confidence errors, overall and by corruption.
    """
    return {name: _figures(answers, labels, temperature) for name, answers in logits.items()}


def _figures(logits: NDArray[np.float32], labels: NDArray[np.integer], temperature: float) -> CorruptionMetrics:
    right = logits.argmax(axis=2) + 1 == labels[:, None]
    errors = ~right & (softmax(logits, temperature).max(axis=2) >= HIGH_CONFIDENCE)
    top1 = dict(zip(CORRUPTIONS, right.mean(axis=0).tolist(), strict=True))
    return CorruptionMetrics(
        photos=len(labels),
        mean=float(right.mean()),
        worst=min(top1, key=lambda kind: top1[kind]),
        top1=top1,
        ece=ece(softmax(logits.reshape(-1, logits.shape[-1]), temperature), np.repeat(labels, logits.shape[1])),
        high_confidence_errors=float(errors.mean()),
        high_confidence_errors_by_corruption=dict(zip(CORRUPTIONS, errors.mean(axis=0).tolist(), strict=True)),
    )


def _corrupted_inputs(
    flowers: Dataset, ids: NDArray[np.int64], rule: CropRule, cache: Path | None, track: Track
) -> Iterator[NDArray[np.uint8]]:
    """For each photo (corruptions, size, size, 3) uint8, the model's input under every corruption."""

    def draw(photo_id: int) -> NDArray[np.uint8]:
        pixels = open_photo(flowers.path(photo_id)).pixels
        return np.stack([model_input(corrupted(pixels, kind, photo_id), rule).pixels for kind in CORRUPTIONS])

    with ThreadPoolExecutor(1, thread_name_prefix="corrupt") as pool:
        if cache is None:
            yield from _one_ahead(pool, draw, ids)
            return
        key = json.dumps([flowers.fingerprint(), ids.tolist(), rule.to_json(), list(CORRUPTIONS), SEED])
        path = cache / f"corrupted-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
        if not path.is_file():

            def write(beside: Path) -> None:
                shape = (len(ids), len(CORRUPTIONS), rule.size, rule.size, 3)
                kept = np.lib.format.open_memmap(beside, "w+", np.uint8, shape)
                for row, batch in enumerate(track(_one_ahead(pool, draw, ids), "corrupting photos", len(ids))):
                    kept[row] = batch
                kept.flush()

            write_atomically(path, write)
        yield from np.load(path, mmap_mode="r", allow_pickle=False)


def _one_ahead(
    pool: ThreadPoolExecutor, draw: Callable[[int], NDArray[np.uint8]], ids: NDArray[np.int64]
) -> Iterator[NDArray[np.uint8]]:
    """What `draw` makes of each photo; the next is drawn while the caller works on the current one."""
    ahead = None
    for photo_id in ids:
        drawn = pool.submit(draw, int(photo_id))
        if ahead is not None:
            yield ahead.result()
        ahead = drawn
    if ahead is not None:
        yield ahead.result()
