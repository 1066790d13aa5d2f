"""A test set of one's own: what `python -m scripts.evaluate BUNDLE --photos DIR` does.

The folder OUT then holds what a bundle holds of the official test: predictions.npz with every precision's answers,
photos.csv that says which photo has which number, mistakes.csv, and report.json. Where OUT is left to the script, the
dashboard finds it and shows it on *Confusions*.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.photo_folder import FolderPhoto, PhotoFolderError, ReadPhoto, photos_in, read_photos
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.custom import PHOTOS_FILE, PREDICTIONS_FILE, REPORT_FILE
from flowers_core.evaluation.report import (
    Predictions,
    confusion_matrix,
    load_predictions,
    mistakes,
    report,
    save_predictions,
    worst_pairs,
)
from flowers_core.evaluation.risk_coverage import coverage_curve
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Runtime
from scripts.options.command import progress, write_json, write_table

_BATCH = 32
_SURE = 0.9
_PAIRS = 20


def evaluate_photos(bundle: Bundle, folder: Path, out: Path) -> None:
    """Let every precision answer the photos of a folder, one folder a class; write and print the figures.

    Raises PhotoFolderError when the folder does not say what its photos show. A photo that cannot be read is named and
    left out.
    """
    taxonomy = load_taxonomy()
    found = photos_in(folder, taxonomy)
    unnamed = [photo for photo in found if photo.label is None]
    if unnamed:
        raise PhotoFolderError(
            f"{len(unnamed)} photos lie in {folder} itself, so nothing says what they show, {unnamed[0].path.name} "
            "for one. Put each into a folder with the name of its class."
        )
    photos, logits = _answers(bundle, found)
    ids = np.arange(1, len(photos) + 1)
    labels = np.array([photo.label for photo in photos])
    save_predictions(out / PREDICTIONS_FILE, ids, labels, logits)
    write_table(
        out / PHOTOS_FILE,
        ["id", "path", "label", "class"],
        (
            [number, photo.path.relative_to(folder).as_posix(), photo.label, taxonomy[photo.label or 0].name]
            for number, photo in enumerate(photos, 1)
        ),
    )
    temperature = bundle.calibration.temperature if bundle.calibration else 1.0
    figures: dict[str, Any] = {
        "bundle": bundle.name,
        "models": {name: bundle.manifest["files"][f"{name}.tflite"]["sha256"] for name in bundle.precisions},
        "folder": str(folder.resolve()),
        "photos": len(photos),
        "precisions": {},
    }
    print(f"{'precision':10} {'photos':>6} {'top-1':>7} {'per class':>9} {'top-5':>7} {'ECE':>6}")
    for precision in bundle.precisions:
        answers = load_predictions(out / PREDICTIONS_FILE, precision)
        figures["precisions"][precision] = row = _figures(answers, temperature)
        print(
            f"{precision:10} {row['images']:6} {row['top1']:7.4f} {row['per_class']:9.4f} {row['top5']:7.4f} "
            f"{row['ece']:6.4f}"
        )
    write_json(out / REPORT_FILE, figures)
    last = load_predictions(out / PREDICTIONS_FILE, bundle.precisions[-1])
    write_table(
        out / "mistakes.csv",
        ["id", "path", "class", "called", "confidence", "probability_of_class"],
        (
            [
                mistake.photo_id,
                photos[mistake.photo_id - 1].path.relative_to(folder).as_posix(),
                taxonomy[mistake.true_label].name,
                taxonomy[mistake.predicted_label].name,
                round(mistake.confidence, 4),
                round(mistake.true_probability, 4),
            ]
            for mistake in mistakes(last, temperature)
        ),
    )
    print(f"Wrote {out}.")


def _answers(bundle: Bundle, found: Sequence[FolderPhoto]) -> tuple[list[FolderPhoto], dict[str, NDArray[np.float32]]]:
    runtimes = {precision: Runtime(bundle.path(f"{precision}.tflite")) for precision in bundle.precisions}
    parts: dict[str, list[NDArray[np.float32]]] = {precision: [] for precision in runtimes}
    photos: list[FolderPhoto] = []
    waiting: list[ReadPhoto] = []

    def answer() -> None:
        if waiting:
            batch = np.stack([read.pixels for read in waiting])
            for precision, runtime in runtimes.items():
                parts[precision].append(runtime.logits(batch))
            photos.extend(read.photo for read in waiting)
            waiting.clear()

    for read in progress(read_photos(found, bundle.crop_rule), "photos", len(found)):
        if isinstance(read, tuple):
            print(f"Left out: {read[1]}")
            continue
        waiting.append(read)
        if len(waiting) == _BATCH:
            answer()
    answer()
    if not photos:
        raise PhotoFolderError("None of the photos could be read.")
    return photos, {precision: np.concatenate(rows) for precision, rows in parts.items()}


def _figures(answers: Predictions, temperature: float) -> dict[str, Any]:
    rate = coverage_curve(softmax(answers.logits, temperature), answers.labels).at(_SURE)
    pairs = worst_pairs(confusion_matrix(answers), _PAIRS)
    figures = report(answers, temperature).to_json()
    rows = [row for row in figures.pop("rows") if row["support"]]
    return {**figures, "when_sure": asdict(rate), "worst_pairs": [asdict(pair) for pair in pairs], "rows": rows}
