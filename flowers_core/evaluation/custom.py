"""Custom test sets: a user's own labelled photos, evaluated by `flowers evaluate BUNDLE --photos DIR` and read back."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.photo_folder import FolderPhoto, PhotoFolderError, ReadPhoto, read_photos, scan_folder
from flowers_core.data.progress import Track, untracked
from flowers_core.errors import FlowersError
from flowers_core.evaluation.confusion_matrix import confusion_matrix, worst_pairs
from flowers_core.evaluation.predictions import Predictions, load_predictions, save_predictions, stored_precisions
from flowers_core.evaluation.report import Report, mistakes, report
from flowers_core.evaluation.risk_coverage import coverage_curve
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import open_runtime
from flowers_core.storage.files import write_json, write_table
from flowers_core.storage.paths import default_evaluations_dir

REPORT_FILE, PREDICTIONS_FILE, PHOTOS_FILE = "report.json", "predictions.npz", "photos.csv"
MISTAKES_FILE = "mistakes.csv"

_BATCH = 32
_CONFIDENT = 0.9
_PAIRS = 20


class CustomTestSetError(FlowersError):
    """A custom test set that cannot be used."""


@dataclass(frozen=True, eq=False)
class CustomTestSet:
    """One model's predictions for the photos of one folder.

    Attributes:
        folder: of the evaluation.
        bundle: the model's name.
        models: numeric format → `Bundle.answers_digest` of what predicted.
        photos: the folder that the photos lay in; None if it was not recorded.
        paths: id, 1…n → path relative to `photos`.
    """

    folder: Path
    bundle: str
    models: Mapping[str, str]
    photos: Path | None
    paths: Mapping[int, str]

    @property
    def name(self) -> str:
        """The test set's name, which is that of its folder."""
        return self.folder.name

    @property
    def precisions(self) -> tuple[str, ...]:
        """The numeric formats that were evaluated. Raises PredictionsError if the predictions cannot be read."""
        return stored_precisions(self.folder / PREDICTIONS_FILE)

    def path_of(self, photo_id: int) -> Path | None:
        """Where a photo lay when it was evaluated; None for an unknown id, or a path outside the folder."""
        path = self.paths.get(photo_id)
        if path is None or self.photos is None or Path(path).is_absolute() or ".." in Path(path).parts:
            return None
        return self.photos / path

    def predictions(self, precision: str) -> Predictions:
        """The predictions of one numeric format, with the ids of `paths`. Raises PredictionsError if there are none."""
        kept = load_predictions(self.folder / PREDICTIONS_FILE, precision)
        return replace(kept, source="custom", collection=self.name)


def load_custom_test_set(folder: Path) -> CustomTestSet:
    """Read an evaluation's folder. Raises CustomTestSetError if it holds no evaluation."""
    try:
        report: dict[str, Any] = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
        with (folder / PHOTOS_FILE).open(newline="", encoding="utf-8-sig") as handle:
            paths = {int(row["id"]): row["path"] for row in csv.DictReader(handle)}
        return CustomTestSet(
            folder=folder,
            bundle=str(report["bundle"]),
            models=dict(report.get("models", {})),
            photos=Path(report["folder"]) if "folder" in report else None,
            paths=paths,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CustomTestSetError(
            f"{folder} holds no evaluation that can be read; `flowers evaluate BUNDLE --photos DIR` makes it."
        ) from error


def evaluation_folder(photos: Path, bundle_name: str) -> Path:
    """The folder for the evaluation of a folder of photos.

    It is the same one if these photos were evaluated before, else a free one: two test sets whose folders have the same
    name are both kept.

    Args:
        photos: the folder of photos.
        bundle_name: the model's.
    """
    name = f"{photos.resolve().name}-{bundle_name}"
    for number in itertools.count(1):
        folder = default_evaluations_dir() / (name if number == 1 else f"{name}-{number}")
        if not (folder / REPORT_FILE).exists():
            return folder
        try:
            if load_custom_test_set(folder).photos == photos.resolve():
                return folder
        except CustomTestSetError:  # not ours to replace
            continue
    raise AssertionError


def evaluate_folder(
    bundle: Bundle,
    folder: Path,
    out: Path,
    *,
    left_out: Callable[[FlowersError], None],
    track: Track = untracked,
) -> dict[str, Report]:
    """Evaluate every numeric format on labelled photos and write the evaluation.

    The folder `out` then holds what `load_custom_test_set` reads, and a table of the mistakes of the smallest format.

    Args:
        bundle: whose models predict.
        folder: the photos, in one folder for each class.
        out: the folder of the evaluation, which is made if it does not exist.
        left_out: called with the error of each photo that cannot be read.
        track: shows progress over the photos.

    Returns:
        Numeric format → its figures.

    Raises:
        PhotoFolderError: if the folder does not say what its photos show, or no photo can be read.
    """
    taxonomy = bundle.taxonomy
    scanned = scan_folder(folder, taxonomy)
    found = scanned.photos
    unlabelled = [photo for photo in found if photo.label is None]
    if unlabelled:
        raise PhotoFolderError(
            f"{len(unlabelled)} photos lie in {folder} itself, so nothing says what they show, "
            f"{unlabelled[0].path.name} for one. Put each into a folder with the name of its class."
        )
    photos, logits = _answers(bundle, found, left_out, track)
    if others := scanned.describe_left_out():
        left_out(PhotoFolderError(others))
    paths = [photo.path.relative_to(folder).as_posix() for photo in photos]
    labels = [photo.label or 0 for photo in photos]
    save_predictions(out / PREDICTIONS_FILE, np.arange(1, len(photos) + 1), labels, logits)
    rows = zip(range(1, len(photos) + 1), paths, labels, strict=True)
    write_table(
        out / PHOTOS_FILE,
        ["id", "path", "label", "class"],
        ([number, path, label, taxonomy[label].name] for number, path, label in rows),
    )
    temperature = bundle.calibration.temperature if bundle.calibration else 1.0
    kept = {name: load_predictions(out / PREDICTIONS_FILE, name) for name in bundle.precisions}
    reports = {name: report(predictions, temperature) for name, predictions in kept.items()}
    write_json(
        out / REPORT_FILE,
        {
            "bundle": bundle.name,
            "models": {name: bundle.answers_digest(name) for name in bundle.precisions},
            "folder": str(folder.resolve()),
            "photos": len(photos),
            "precisions": {name: _figures(kept[name], found, temperature) for name, found in reports.items()},
        },
    )
    write_table(
        out / MISTAKES_FILE,
        ["id", "path", "class", "called", "confidence", "probability_of_class"],
        (
            [
                mistake.photo_id,
                paths[mistake.photo_id - 1],
                taxonomy[mistake.true_label].name,
                taxonomy[mistake.predicted_label].name,
                round(mistake.confidence, 4),
                round(mistake.true_probability, 4),
            ]
            for mistake in mistakes(kept[bundle.precisions[-1]], temperature)
        ),
    )
    return reports


def _answers(
    bundle: Bundle, found: Sequence[FolderPhoto], left_out: Callable[[FlowersError], None], track: Track
) -> tuple[list[FolderPhoto], dict[str, NDArray[np.float32]]]:
    """The photos that can be read, and the logits of every numeric format for them, (n, classes)."""
    runtimes = {name: open_runtime(bundle, name) for name in bundle.precisions}
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in runtimes}
    photos: list[FolderPhoto] = []
    waiting: list[ReadPhoto] = []

    def answer() -> None:
        if waiting:
            batch = np.stack([read.pixels for read in waiting])
            for name, runtime in runtimes.items():
                parts[name].append(runtime.logits(batch))
            photos.extend(read.photo for read in waiting)
            waiting.clear()

    for read in track(read_photos(found, bundle.crop_rule), "photos", len(found)):
        if isinstance(read, tuple):
            left_out(read[1])
            continue
        waiting.append(read)
        if len(waiting) == _BATCH:
            answer()
    answer()
    if not photos:
        raise PhotoFolderError("None of the photos could be read.")
    return photos, {name: np.concatenate(rows) for name, rows in parts.items()}


def _figures(predictions: Predictions, found: Report, temperature: float) -> dict[str, Any]:
    curve = coverage_curve(softmax(predictions.logits, temperature), predictions.labels)
    pairs = worst_pairs(confusion_matrix(predictions), _PAIRS)
    return {
        **found.figures(),
        "when_sure": asdict(curve.at(_CONFIDENT)),
        "worst_pairs": [asdict(pair) for pair in pairs],
        "rows": [asdict(row) for row in found.rows if row.support],
    }
