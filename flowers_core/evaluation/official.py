"""A bundle on the official splits: its predictions, its calibration, and every figure that comes from them.

Calibration is fitted to the INT8 model's answers for the validation photos, clean and corrupted, because that is the
model that people use. The test split is used for the final figures and for nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.audit.exact_duplicates import exact_leaks
from flowers_core.data.audit.near_duplicates import near_leaks
from flowers_core.data.audit.record import AUDIT_FILE, AuditRecord, load_audit
from flowers_core.data.batches import input_batches, stratified_sample
from flowers_core.data.corruptions import SEED
from flowers_core.data.dataset import SPLITS, Dataset
from flowers_core.data.progress import Track, untracked
from flowers_core.evaluation.calibration import fit_calibration
from flowers_core.evaluation.predictions import Predictions, load_predictions, save_predictions, without
from flowers_core.evaluation.report import report
from flowers_core.evaluation.robustness import MAX_PHOTOS, corrupted_logits, corruption_figures
from flowers_core.inference.bundle import Bundle, list_bundles, load_bundle, predictions_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.manifest import Manifest
from flowers_core.inference.records.calibration import Calibration, CalibrationSource
from flowers_core.inference.records.metrics import (
    Accuracy,
    AccuracyByRule,
    CorruptionMetrics,
    Metrics,
    MetricsByFormat,
    NearDuplicateRule,
)
from flowers_core.inference.runtime import open_runtime

HELD_OUT = ("validation", "test")
_BATCH = 32


def record_predictions(
    bundle: Bundle, writer: BundleWriter, flowers: Dataset, split: str, *, track: Track = untracked
) -> None:
    """Run every numeric format on a split and keep the logits in the bundle.

    Args:
        bundle: whose models predict.
        writer: of that bundle.
        flowers: the data set.
        split: one of its splits.
        track: shows progress over the batches.
    """
    ids = flowers.split_ids(split)
    runtimes = {name: open_runtime(bundle, name) for name in bundle.precisions}
    answers: dict[str, list[NDArray[np.float32]]] = {name: [] for name in runtimes}
    batches = input_batches(flowers, ids, bundle.crop_rule, batch_size=_BATCH)
    for batch in track(batches, f"{split} photos", -(-len(ids) // _BATCH)):
        for name, runtime in runtimes.items():
            answers[name].append(runtime.logits(batch))
    logits = {name: np.concatenate(parts) for name, parts in answers.items()}
    labels = flowers.labels[ids - 1]
    writer.add_file(predictions_file(split), lambda path: save_predictions(path, ids, labels, logits))


def calibrate(
    bundle: Bundle,
    writer: BundleWriter,
    flowers: Dataset,
    *,
    most: int = MAX_PHOTOS,
    cache: Path | None = None,
    track: Track = untracked,
) -> dict[str, CorruptionMetrics]:
    """Fit temperature and thresholds to the validation photos, unless the model has learnt from them.

    Args:
        bundle: whose predictions for the validation split are in the bundle already.
        writer: of that bundle.
        flowers: the data set.
        most: photos that are looked at under corruptions too, at most; stratified by class.
        cache: of the corrupted photos; see `corrupted_logits`.
        track: shows progress over the photos.

    Returns:
        The figures on corrupted validation photos, `corruption_figures`; empty if the model has learnt from them.
    """
    if "validation" in bundle.fitted_splits:
        return {}
    name = "int8" if "int8" in bundle.precisions else bundle.precisions[-1]
    clean = load_predictions(writer.folder / predictions_file("validation"), name)
    ids = stratified_sample(flowers, "validation", most, SEED)
    labels = flowers.labels_of(ids)
    logits = corrupted_logits(bundle, flowers, ids, (name,), cache=cache, track=track)
    every = logits[name].reshape(-1, clean.classes)
    corruptions = len(every) // len(ids)
    calibration = fit_calibration(clean.logits, clean.labels, corrupted=(every, np.repeat(labels, corruptions)))
    source = CalibrationSource("validation", name, len(clean), corruptions)
    writer.update(calibration=calibration, calibration_source=source)
    figures = corruption_figures(logits, labels, calibration.temperature)
    record_robustness(writer, "validation", figures)
    return figures


def record_robustness(writer: BundleWriter, split: str, figures: Mapping[str, CorruptionMetrics]) -> None:
    """Put the figures on corrupted photos into the bundle, beside those of other formats and splits.

    Args:
        writer: of the bundle.
        split: of the photos.
        figures: numeric format → figures, as `corruption_figures` returns them.
    """

    def change(manifest: Manifest) -> Mapping[str, Any]:
        stored = manifest.corruptions
        added = {name: {**stored.get(name, {}), split: values} for name, values in figures.items()}
        return {"corruptions": {**stored, **added}}

    writer.change(change)


def official_metrics(
    folder: Path, flowers: Dataset, formats: Sequence[str], splits: Sequence[str], audit: AuditRecord | None
) -> MetricsByFormat:
    """Every figure of the predictions that a bundle keeps.

    Args:
        folder: the bundle's.
        flowers: the data set that was predicted.
        formats: numeric formats, the most exact first: the others are compared with it.
        splits: "validation", "test" or both.
        audit: says which photos are near-duplicates. Without it the figures without near-duplicates are left out.

    Returns:
        Numeric format → split → figures.

    Raises:
        BundleError: if the bundle is not calibrated.
    """
    bundle = load_bundle(folder)
    calibration = bundle.require_calibration()
    duplicates = {split: exact_leaks(flowers, split) for split in splits}
    metrics: dict[str, dict[str, Metrics]] = {name: {} for name in formats}
    for name in formats:
        for split in splits:
            path = bundle.path(predictions_file(split))
            predictions, exact = load_predictions(path, name), load_predictions(path, formats[0])
            figures = figures_of(predictions, exact, calibration, duplicates[split])
            if audit is not None:
                alone = figures_without_near_duplicates(predictions, calibration, audit, flowers, split)
                figures = replace(figures, without_near_duplicates=alone)
            metrics[name][split] = figures
    return metrics


def figures_of(
    predictions: Predictions, exact: Predictions, calibration: Calibration, duplicates: NDArray[np.int64]
) -> Metrics:
    """The figures of one numeric format on one split.

    Args:
        predictions: of that format.
        exact: of the most exact format, for the fraction of equal answers.
        calibration: gives the temperature of the probabilities.
        duplicates: ids of photos whose file is in another split too; figures are given with and without them.

    Returns:
        The figures, without those without near-duplicates.
    """
    alone = without(predictions, duplicates.tolist())
    return Metrics(
        **report(predictions, calibration.temperature).figures(),
        ece_uncalibrated=report(predictions).ece,
        agreement=float((predictions.predicted == exact.predicted).mean()),
        without_duplicates=Accuracy(**report(alone, calibration.temperature).figures()),
    )


def figures_without_near_duplicates(
    predictions: Predictions, calibration: Calibration, audit: AuditRecord, flowers: Dataset, split: str
) -> AccuracyByRule:
    """The figures of the photos that have no duplicate, exact or near, in another split.

    Args:
        predictions: of one numeric format on the split.
        calibration: gives the temperature of the probabilities.
        audit: says which photos are near-duplicates.
        flowers: the data set.
        split: of the predictions.

    Returns:
        The figures, and the rule by which the audit found near-duplicates.
    """
    others = {other for other in SPLITS if other != split}
    duplicates = near_leaks(audit.near_duplicates, flowers.ids, flowers.splits, split, others)
    rule = NearDuplicateRule(audit.max_distance, audit.min_cosine, audit.model)
    alone = report(without(predictions, duplicates.tolist()), calibration.temperature)
    return AccuracyByRule(**alone.figures(), rule=rule)


def audit_of(flowers: Dataset, bundle: Bundle, models_dir: Path) -> AuditRecord | None:
    """Find the audit of a data set, which says which photos are near-duplicates.

    The first in the models folder is taken, so that all models are measured on the same photos; else the bundle's own.

    Args:
        flowers: the data set; an audit of other photos does not count.
        bundle: whose own audit is the last resort.
        models_dir: the folder of bundles.

    Returns:
        The audit, or None if there is none of these photos.
    """
    for found in (*list_bundles(models_dir), bundle):
        if found.has(AUDIT_FILE):
            record = load_audit(found.path(AUDIT_FILE))
            if record.fingerprint == flowers.fingerprint():
                return record
    return None
