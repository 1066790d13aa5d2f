"""Evaluate a bundle's models on the official splits: `python -m scripts.evaluate efficientnet_lite0`.

Every model answers every validation and test photo once; the answers are kept in the bundle, and each figure is
computed from what is kept. Temperature and thresholds come from the validation photos, as they are and spoilt as
people's are, as the INT8 model answers them, since that is the model that people meet. The test split is read for the
table and for nothing else.

Each figure is given with all photos, without those whose file is in another split as well, and without those that have
a near copy there, as an audit of the data found them (`scripts.audit_data --bundle`). `--kept` makes the figures anew
from the answers that are kept, after an audit for one, and asks no model.

`--validation-only` leaves the test photos alone: for runs that are made to choose between them.

With `--photos DIR`, a folder a class, the same figures are made of one's own photos, beside the bundle.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.audit.exact_duplicates import exact_leaks
from flowers_core.data.audit.near_duplicates import near_leaks
from flowers_core.data.audit.record import AUDIT_FILE, AuditRecord, load_audit
from flowers_core.data.batches import input_batches
from flowers_core.data.oxford import SPLITS, OxfordFlowers
from flowers_core.evaluation.calibration import fit_calibration
from flowers_core.evaluation.filters import without
from flowers_core.evaluation.report import (
    Predictions,
    Report,
    load_predictions,
    report,
    save_predictions,
    stored_precisions,
)
from flowers_core.inference.bundle import (
    PRECISIONS,
    Bundle,
    BundleError,
    BundleWriter,
    Calibration,
    list_bundles,
    load_bundle,
)
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_evaluations_dir, default_models_dir
from scripts.evaluate_photos import evaluate_photos
from scripts.evaluate_robustness import evaluate_robustness, record_robustness, spoilt_logits
from scripts.options.command import add_bundle_argument, add_data_option, progress, run

_SPLITS = ("validation", "test")
_BATCH = 32


def main() -> None:
    """Parse the command line, run the models, write records and figures into the bundle."""
    parser = argparse.ArgumentParser(prog="python -m scripts.evaluate", description="Evaluate a bundle's models.")
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="instead, photos of one's own: one folder a class, named like it"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the figures of one's own photos go (default: evaluations/…)"
    )
    parser.add_argument(
        "--robust",
        choices=_SPLITS,
        metavar="SPLIT",
        help="instead, a split's photos spoilt as people's are: validation for choices, test for the final table",
    )
    parser.add_argument(
        "--kept", action="store_true", help="ask no model: make the figures anew from the answers that are kept"
    )
    parser.add_argument(
        "--validation-only", action="store_true", help="leave the test photos alone, as for runs to choose between"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the spoilt photos there for the next model")
    options = parser.parse_args()
    if options.out and not options.photos:
        parser.error("--out goes with --photos: the official figures are kept in the bundle")

    bundle = load_bundle(options.bundle)
    if options.kept:
        writer = BundleWriter.open(options.bundle)
        kept = set(stored_precisions(bundle.path("test_predictions.npz")))
        _figures(writer, OxfordFlowers(options.data), [name for name in PRECISIONS if name in kept])
        return
    if not bundle.precisions:
        raise BundleError(f"'{bundle.name}' has no TFLite models yet; `python -m scripts.quantize` makes them.")
    if options.photos:
        default = default_evaluations_dir() / f"{options.photos.resolve().name}-{bundle.name}"
        evaluate_photos(bundle, options.photos, options.out or default)
        return
    flowers = OxfordFlowers(options.data)
    if options.robust:
        evaluate_robustness(bundle, flowers, options.robust, options.cache)
        return
    writer = BundleWriter.open(options.bundle)
    splits = _SPLITS[:1] if options.validation_only else _SPLITS
    for split in splits:
        _record(bundle, writer, flowers, split)
    _calibrate(bundle, writer, flowers, options.cache)
    _figures(writer, flowers, bundle.precisions, splits)


def _record(bundle: Bundle, writer: BundleWriter, flowers: OxfordFlowers, split: str) -> None:
    """Let every precision answer a split and keep the answers."""
    ids = flowers.split_ids(split)
    logits = {}
    for precision in bundle.precisions:
        runtime = Runtime(bundle.path(f"{precision}.tflite"))
        batches = progress(
            input_batches(flowers, ids, bundle.crop_rule, batch_size=_BATCH),
            f"{split}, {precision}",
            -(-len(ids) // _BATCH),
        )
        logits[precision] = np.concatenate([runtime.logits(batch) for batch in batches])
    labels = flowers.labels[ids - 1]
    writer.add_file(f"{split}_predictions.npz", lambda path: save_predictions(path, ids, labels, logits))


def _figures(
    writer: BundleWriter, flowers: OxfordFlowers, precisions: Sequence[str], splits: Sequence[str] = _SPLITS
) -> None:
    bundle = load_bundle(writer.folder)
    calibration = bundle.calibration
    if calibration is None:
        raise BundleError(f"'{bundle.name}' is not calibrated; `python -m scripts.evaluate {bundle.name}` does that.")
    writer.manifest["metrics"] = {}
    twins = {split: exact_leaks(flowers, split) for split in splits}
    audit = _audit(bundle, flowers)
    if audit is None:
        print(
            "No audit of these photos is at hand, so no figures without near copies: "
            f"`python -m scripts.audit_data OUT --bundle {bundle.name}`, then this script again with --kept."
        )
    print(f"{'precision':10} {'split':10} {'photos':>6} {'top-1':>7} {'per class':>9} {'top-5':>7} {'ECE':>6}")
    for precision in precisions:
        for split in splits:
            path = bundle.path(f"{split}_predictions.npz")
            answers = load_predictions(path, precision)
            reference = load_predictions(path, precisions[0])
            figures = _figures_of(answers, reference, calibration, twins[split])
            if audit is not None:
                figures["without_near_copies"] = _without_near(answers, calibration, audit, flowers, split)
            writer.set_metrics(precision, split, figures)
            print(
                f"{precision:10} {split:10} {figures['images']:6} {figures['top1']:7.4f} {figures['per_class']:9.4f} "
                f"{figures['top5']:7.4f} {figures['ece']:6.4f}"
            )


def _calibrate(bundle: Bundle, writer: BundleWriter, flowers: OxfordFlowers, cache: Path | None) -> None:
    """Fit temperature and thresholds to the validation photos, unless the model has learnt from them."""
    if "validation" in bundle.manifest["training"]["splits"]:
        return
    precision = "int8" if "int8" in bundle.precisions else bundle.precisions[-1]
    answers = load_predictions(writer.folder / "validation_predictions.npz", precision)
    spoilt = spoilt_logits(bundle, flowers, answers.ids, (precision,), cache)
    every = spoilt[precision].reshape(-1, answers.classes)
    kinds = len(every) // len(answers)
    calibration = fit_calibration(answers.logits, answers.labels, spoilt=(every, np.repeat(answers.labels, kinds)))
    writer.set("calibration", calibration)
    source = {"split": "validation", "precision": precision, "photos": len(answers), "spoilt_kinds": kinds}
    writer.set("calibration_source", source)
    record_robustness(writer, "validation", spoilt, answers.labels, calibration)


def _figures_of(
    answers: Predictions, reference: Predictions, calibration: Calibration, twins: NDArray[np.int64]
) -> dict[str, Any]:
    """The figures of one precision on one split; `reference` are the answers of the most exact precision."""
    alone = without(answers, twins.tolist())
    return _numbers(report(answers, calibration.temperature)) | {
        "ece_uncalibrated": report(answers).ece,
        "agreement": float((answers.predicted == reference.predicted).mean()),
        "without_duplicates": _numbers(report(alone, calibration.temperature)),
    }


def _audit(bundle: Bundle, flowers: OxfordFlowers) -> AuditRecord | None:
    """The audit that says what is a near copy: that of the models folder, so that all models are judged by the same
    photos, else the bundle's own."""
    for found in (*list_bundles(default_models_dir()), bundle):
        if found.has(AUDIT_FILE):
            record = load_audit(found.path(AUDIT_FILE))
            if record.fingerprint == flowers.fingerprint():
                return record
    return None


def _without_near(
    answers: Predictions, calibration: Calibration, audit: AuditRecord, flowers: OxfordFlowers, split: str
) -> dict[str, Any]:
    """The figures of the photos that have no copy, exact or near, in another split, and the rule that says so."""
    others = {other for other in SPLITS if other != split}
    copies = near_leaks(audit.near_duplicates, flowers.ids, flowers.splits, split, others)
    rule = {"max_distance_of_64_bits": audit.max_distance, "min_cosine": audit.min_cosine, "model": audit.model}
    return {**_numbers(report(without(answers, copies.tolist()), calibration.temperature)), "rule": rule}


def _numbers(figures: Report) -> dict[str, Any]:
    return {key: value for key, value in figures.to_json().items() if key != "rows"}


if __name__ == "__main__":
    run(main)
