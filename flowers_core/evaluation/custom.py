"""A test set of one's own as `scripts.evaluate BUNDLE --photos DIR` left it: answers, figures and where the photos lie.

Its photos get numbers of their own range, so that none is ever taken for a photo of the data set or of a gallery.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flowers_core.errors import FlowersError
from flowers_core.evaluation.report import Predictions, load_predictions, stored_precisions

REPORT_FILE, PREDICTIONS_FILE, PHOTOS_FILE = "report.json", "predictions.npz", "photos.csv"
# Photo 1 of a test set; the data set's numbers end at 8189, and a gallery's own begin at 1 000 001.
FIRST_TEST_ID = 2_000_001


class OwnEvaluationError(FlowersError):
    """An evaluation that cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True, eq=False)
class OwnEvaluation:
    """One model's answers to the photos of one folder.

    folder: the evaluation's own. bundle: the model's name. models: SHA-256 of the file of each precision that answered.
    photos: the folder that the photos lay in, None where it was not noted. paths: by number, FIRST_TEST_ID and up, as
    seen from `photos`.
    """

    folder: Path
    bundle: str
    models: Mapping[str, str]
    photos: Path | None
    paths: Mapping[int, str]

    @property
    def name(self) -> str:
        """What the evaluation is called: its folder's name."""
        return self.folder.name

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions that answered. Raises PredictionsError where the answers cannot be read."""
        return stored_precisions(self.folder / PREDICTIONS_FILE)

    def path_of(self, photo_id: int) -> Path | None:
        """Where a photo lay when it was evaluated; None for a number that is none of these."""
        path = self.paths.get(photo_id)
        return None if path is None or self.photos is None else self.photos / path

    def predictions(self, precision: str) -> Predictions:
        """The answers, with the photos' numbers as in `paths`. Raises PredictionsError."""
        kept = load_predictions(self.folder / PREDICTIONS_FILE, precision)
        return replace(kept, ids=kept.ids + FIRST_TEST_ID - 1)


def load_evaluation(folder: Path) -> OwnEvaluation:
    """Read an evaluation's folder. Raises OwnEvaluationError when it is not one."""
    try:
        report: dict[str, Any] = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
        with (folder / PHOTOS_FILE).open(newline="", encoding="utf-8") as handle:
            paths = {int(row["id"]) + FIRST_TEST_ID - 1: row["path"] for row in csv.DictReader(handle)}
        return OwnEvaluation(
            folder=folder,
            bundle=str(report["bundle"]),
            models=dict(report.get("models", {})),
            photos=Path(report["folder"]) if "folder" in report else None,
            paths=paths,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OwnEvaluationError(
            f"{folder} holds no evaluation that can be read; `python -m scripts.evaluate BUNDLE --photos DIR` makes it."
        ) from error
