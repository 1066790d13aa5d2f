"""`scripts.evaluate --robust`: a bundle's models on photos as people take them."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import stratified_sample
from flowers_core.data.corruptions import CORRUPTIONS, SEED, corrupted
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import CropRule, model_input, open_photo
from flowers_core.evaluation.calibration import ece
from flowers_core.inference.bundle import Bundle, BundleError, BundleWriter, Calibration
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.files import write_atomically
from scripts.options.command import progress

# All of the validation split; as many of the test split, which is six times as large and would take six times as long.
_PHOTOS = 1020
# A wrong answer given with at least this probability is what a person is misled by.
_CONFIDENT = 0.9


def evaluate_robustness(bundle: Bundle, flowers: OxfordFlowers, split: str, cache: Path | None = None) -> None:
    """Print and record each precision's top-1 on each kind of spoilt photo of a split, their mean and the worst.

    Also the share of answers that are wrong and given with a calibrated probability of at least 0.9. Raises BundleError
    for a split that the bundle has learnt from, or when it has not been calibrated yet.
    """
    if split in bundle.manifest["training"]["splits"]:
        raise BundleError(f"'{bundle.name}' has learnt from the {split} photos: they cannot tell how robust it is.")
    if bundle.calibration is None:
        raise BundleError(f"'{bundle.name}' is not calibrated yet; `python -m scripts.evaluate {bundle.name}` does it.")
    ids = stratified_sample(flowers, split, _PHOTOS, SEED)
    logits = spoilt_logits(bundle, flowers, ids, bundle.precisions, cache)
    record_robustness(BundleWriter.open(bundle.folder), split, logits, flowers.labels[ids - 1], bundle.calibration)


def spoilt_logits(
    bundle: Bundle,
    flowers: OxfordFlowers,
    ids: NDArray[np.int64],
    precisions: Sequence[str],
    cache: Path | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Each precision's answers to photos spoilt in every way: (photos, kinds, classes).

    cache: a folder where the spoilt photos are kept for the next model with the same input, 2.8 GB for a thousand
    photos of 256 pixels; safe to delete.
    """
    runtimes = {precision: Runtime(bundle.path(f"{precision}.tflite")) for precision in precisions}
    logits: dict[str, list[NDArray[np.float32]]] = {precision: [] for precision in runtimes}
    for views in progress(_spoilt(flowers, ids, bundle.crop_rule, cache), "spoilt photos", len(ids)):
        for precision, runtime in runtimes.items():
            logits[precision].append(runtime.logits(views))
    return {precision: np.stack(answers) for precision, answers in logits.items()}


def _spoilt(
    flowers: OxfordFlowers, ids: NDArray[np.int64], rule: CropRule, cache: Path | None
) -> Iterator[NDArray[np.uint8]]:
    """For each photo (kinds, size, size, 3) uint8: the model's input of each way to spoil it."""

    def draw(photo_id: int) -> NDArray[np.uint8]:
        pixels = open_photo(flowers.path(photo_id)).pixels
        return np.stack([model_input(corrupted(pixels, kind, photo_id), rule).pixels for kind in CORRUPTIONS])

    with ThreadPoolExecutor(1, thread_name_prefix="spoilt") as pool:
        if cache is None:
            yield from _one_ahead(pool, draw, ids)
            return
        key = json.dumps([flowers.fingerprint(), ids.tolist(), rule.to_json(), list(CORRUPTIONS), SEED])
        path = cache / f"spoilt-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
        if not path.is_file():

            def write(beside: Path) -> None:
                shape = (len(ids), len(CORRUPTIONS), rule.size, rule.size, 3)
                kept = np.lib.format.open_memmap(beside, "w+", np.uint8, shape)
                for place, views in enumerate(progress(_one_ahead(pool, draw, ids), "spoiling photos", len(ids))):
                    kept[place] = views
                kept.flush()

            cache.mkdir(parents=True, exist_ok=True)
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


def record_robustness(
    writer: BundleWriter,
    split: str,
    logits: Mapping[str, NDArray[np.float32]],
    labels: NDArray[np.integer],
    calibration: Calibration,
) -> None:
    """Print the figures of `spoilt_logits` and put them into the bundle's record."""
    stored = writer.manifest.get("robustness", {})
    for precision, answers in logits.items():
        figures = _figures(answers, labels, calibration.temperature)
        stored = {**stored, precision: {**stored.get(precision, {}), split: figures}}
        _print(precision, split, figures)
    writer.set("robustness", stored)


def _figures(logits: NDArray[np.float32], labels: NDArray[np.integer], temperature: float) -> dict[str, Any]:
    """logits: (photos, kinds, classes); labels: (photos,), 1-based."""
    right = logits.argmax(axis=2) + 1 == labels[:, None]
    misleading = ~right & (softmax(logits, temperature).max(axis=2) >= _CONFIDENT)
    top1 = dict(zip(CORRUPTIONS, right.mean(axis=0).tolist(), strict=True))
    return {
        "images": len(labels),
        "mean": float(right.mean()),
        "worst": min(top1, key=lambda kind: top1[kind]),
        "top1": top1,
        "ece": ece(softmax(logits.reshape(-1, logits.shape[-1]), temperature), np.repeat(labels, logits.shape[1])),
        "confidently_wrong": float(misleading.mean()),
        "confidently_wrong_by_kind": dict(zip(CORRUPTIONS, misleading.mean(axis=0).tolist(), strict=True)),
    }


def _print(precision: str, split: str, figures: dict[str, Any]) -> None:
    for kind, share in figures["top1"].items():
        print(f"{precision:8} {kind:24} {share:7.4f}   wrong at 90 %: {figures['confidently_wrong_by_kind'][kind]:.4f}")
    print(
        f"{precision:8} {split}: mean {figures['mean']:.4f}, worst {figures['top1'][figures['worst']]:.4f} "
        f"({figures['worst']}), wrong at 90 %: {figures['confidently_wrong']:.4f}"
    )
