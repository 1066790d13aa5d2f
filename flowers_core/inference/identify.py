"""Name photos on disk with LiteRT alone, on every core, in memory that does not grow with their number."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowers_core.data.in_order import in_order
from flowers_core.data.photo_files import LeftOut, walk_photos
from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.answerer import Looks, open_answerer
from flowers_core.inference.bundle import Bundle, BundleError
from flowers_core.inference.prediction import Prediction
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.runtime import open_runtime

#: How many names a table or a line of JSON gives for a photo.
NAMES_IN_TABLE, NAMES_IN_JSON = 3, 5


@dataclass(frozen=True, eq=False)
class Identified:
    """A photo and the model's prediction for it.

    Attributes:
        path: as it was asked for.
        prediction: None for a photo that cannot be read.
        error: what is wrong with such a photo.
        looks: what crops said, where the whole photo left doubt; else None.
    """

    path: Path
    prediction: Prediction | None
    error: PhotoError | None = None
    looks: Looks | None = None

    @property
    def complaint(self) -> str:
        """What is wrong with a photo that cannot be read, with its whole path; its name alone would not find it."""
        return f"{self.path}: {str(self.error).removeprefix(self.path.name).lstrip(': ')}"


def photos_below(paths: Iterable[Path]) -> Iterator[Path]:
    """Every given file, and every photo in and below every given folder, in the order of their names.

    A file that is given itself always counts. In a folder, hidden files and files that neither have a photo's ending
    nor begin like a photo are left out.

    Raises:
        PhotoFolderError: a path is neither a file nor a folder.
    """
    for path in paths:
        if path.is_dir():
            yield from (found for found in walk_photos(path) if not isinstance(found, LeftOut))
        elif path.is_file():
            yield path
        else:
            raise PhotoFolderError(f"There is no photo and no folder {path}.")


def identify(
    bundle: Bundle,
    paths: Iterable[Path],
    *,
    workers: int | None = None,
    prototypes: Callable[[], Prototypes | None] = lambda: None,
) -> Iterator[Identified]:
    """What a bundle says about each photo, in the order given: from several looks where the first leaves doubt.

    Args:
        bundle: its INT8 model answers, or its smallest where it has no INT8.
        paths: of the photos, drawn from only as far as needed.
        workers: photos that are decoded and answered at once; every core's worth by default.
        prototypes: gives the prototypes of its classes; asked only by a bundle without a confidence.

    Raises:
        BundleError: for a bundle that is not calibrated, or has no model.
    """
    bundle.require_calibration()
    workers = workers or _cores()
    if not bundle.precisions:
        raise BundleError(f"'{bundle.name}' has no TFLite models yet; `flowers quantize` makes them.")
    name = "int8" if "int8" in bundle.precisions else bundle.precisions[-1]
    runtime = open_runtime(bundle, name, workers=workers)
    answerer = open_answerer(bundle, runtime, prototypes)

    def answer(path: Path) -> Identified:
        try:
            photo = open_photo(path)
        except PhotoError as error:
            return Identified(path, None, error)
        found = answerer.answer(photo.pixels)
        return Identified(path, found.prediction, looks=found.looks)

    return in_order(answer, paths, workers)


def as_json(found: Identified, taxonomy: Taxonomy, model: str) -> dict[str, Any]:
    """A photo's prediction as plain values: path, model, verdict, the most probable names, and which crop decided.

    Args:
        found: a photo that could be read.
        taxonomy: names of the classes.
        model: the bundle's name.
    """
    looks = found.looks
    crops = {} if looks is None else {"crops": looks.crops, "decided_by": looks.box and list(looks.box)}
    return {
        "path": str(found.path),
        "model": model,
        "verdict": _read(found).verdict_word,
        "names": [
            {
                "label": candidate.label,
                "name": taxonomy[candidate.label].name,
                "scientific_name": taxonomy[candidate.label].scientific_name,
                "probability": round(candidate.probability, 6),
            }
            for candidate in _read(found).top(NAMES_IN_JSON)
        ],
        **crops,
    }


def table_header() -> list[str]:
    """The columns of `as_row`; the model's name tells whether a table may go on with another run."""
    ranks = ["", *(f"_{rank}" for rank in range(2, NAMES_IN_TABLE + 1))]
    return ["path", "verdict", *(f"{what}{rank}" for rank in ranks for what in ("name", "probability")), "model"]


def as_row(found: Identified, taxonomy: Taxonomy, model: str) -> list[str]:
    """A photo's prediction as a row of a table: path, verdict, the most probable names and their probabilities, model.

    Args:
        found: a photo that could be read.
        taxonomy: names of the classes.
        model: the bundle's name.
    """
    row = [str(found.path), _read(found).verdict_word]
    for candidate in _read(found).top(NAMES_IN_TABLE):
        row += [taxonomy[candidate.label].name, f"{candidate.probability:.4f}"]
    return [*row, model]


def as_sentence(found: Identified, taxonomy: Taxonomy) -> str:
    """A photo's prediction in words: the name, or the names that the verdict leaves open.

    Args:
        found: a photo that could be read.
        taxonomy: names of the classes.
    """
    prediction = _read(found)
    shown = prediction.candidates[: len(prediction.plausible) if prediction.verdict == "between" else 1]
    names = [f"{taxonomy[candidate.label].name} {candidate.probability:.0%}" for candidate in shown]
    doubt = "probably " if prediction.probable else "not sure, perhaps " if prediction.verdict == "unsure" else ""
    return f"{found.path}: {doubt}{' or '.join(names)}"


def identified_before(lines: Iterable[Any], model: str) -> set[str]:
    """The paths of the photos in lines that `as_json` made, or in rows of `as_row`.

    Args:
        lines: JSON values, or rows by the names of their columns.
        model: name of the bundle that must have made them.

    Raises:
        BundleError: another model made a line. A table of two models' predictions would be neither model's.
    """
    done = set()
    for line in lines:
        if not isinstance(line, dict) or "path" not in line:
            continue
        if line.get("model") != model:
            raise BundleError(
                f"These photos were named by '{line.get('model')}', not by '{model}': go on with that model, or name "
                "another file."
            )
        done.add(str(line["path"]))
    return done


def _read(found: Identified) -> Prediction:
    if found.prediction is None:
        raise ValueError(f"{found.path} was not read; there is nothing to say about it.")
    return found.prediction


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
