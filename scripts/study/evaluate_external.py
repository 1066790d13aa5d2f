"""Measure a model on other people's photos, of flowers and of none.

    flowers study evaluate_external BUNDLE

The INT8 model, which is the one that people meet, answers the photos that `scripts.study.download_external` fetched, as
*Identify* does: with its verdict, and with a closer look where it is not sure. Of the photos that show no flower, what
is counted is how often it claims one. They are too few to choose a model by, and none was chosen by them. The figures
go into the bundle, for `results.md`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from flowers_core.data.download.external import FLOWERS, NO_FLOWER
from flowers_core.data.model_input import model_input
from flowers_core.data.photo_files import is_photo
from flowers_core.data.photo_folder import PhotoFolderError, scan_folder
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import Bundle, BundleError, BundleWriter, load_bundle
from flowers_core.inference.manifest import ExternalClass, ExternalFlowers, ExternalMetrics, ExternalWithoutFlower
from flowers_core.inference.multi_crop import suggest_crop
from flowers_core.inference.prediction import predict
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from scripts.options.command import add_bundle_argument, add_external_option, progress, run, verb_parser

_PRECISION = "int8"
_TOP = 5
# The probability from which on an answer that is wrong misleads.
_BOLD = 0.9


@dataclass(frozen=True)
class _Answer:
    """What the model says of a photo. label: what it shows, None for no flower. suggested: by a closer look."""

    label: int | None
    ranking: tuple[int, ...]
    probability: float
    sure: bool
    suggested: int | None

    @property
    def right(self) -> bool:
        return self.ranking[0] == self.label


def main() -> None:
    """Parse the command line, look at the photos, print the figures and keep them in the bundle."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_external_option(parser)
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    options = parser.parse_args()
    bundle = load_bundle(options.bundle)
    if bundle.calibration is None:
        raise BundleError(f"'{bundle.name}' is not calibrated yet; `python -m scripts.evaluate {bundle.name}` does it.")
    answers = _answers(bundle, _photos(options.external))
    flowers = [answer for answer in answers if answer.label is not None]
    others = _of_others([answer for answer in answers if answer.label is None])
    record = ExternalMetrics(_PRECISION, _of_flowers(flowers), _of_classes(flowers), others)
    for what, counts in ((FLOWERS, record.flowers), ("no flower", others)):
        told = (f"{name.replace('_', ' ')} {value:.4g}" for name, value in asdict(counts).items())
        print(f"{what}: {', '.join(told)}")
    if not options.dry_run:
        BundleWriter.open(bundle.folder).update(external=record)


def _photos(folder: Path) -> list[tuple[Path, int | None]]:
    """The listed photos and the label of what each shows."""
    if not (folder / FLOWERS).is_dir() or not (folder / NO_FLOWER).is_dir():
        raise PhotoFolderError(
            f"There are no such photos in {folder}; `python -m scripts.study.download_external` brings them."
        )
    others = sorted(path for path in (folder / NO_FLOWER).iterdir() if is_photo(path))
    named: list[tuple[Path, int | None]] = [
        (photo.path, photo.label) for photo in scan_folder(folder / FLOWERS, load_taxonomy()).photos
    ]
    return [*named, *((path, None) for path in others)]


def _answers(bundle: Bundle, photos: Sequence[tuple[Path, int | None]]) -> list[_Answer]:
    assert bundle.calibration is not None
    runtime, taxonomy = Runtime(bundle.path(f"{_PRECISION}.tflite")), load_taxonomy()
    means = prototypes_of(bundle)
    answers = []
    for path, label in progress(photos, "photos"):
        pixels = open_photo(path).pixels
        logits = runtime.logits(model_input(pixels, bundle.crop_rule).pixels[None])[0]
        prediction = predict(logits, bundle.calibration, taxonomy)
        best = prediction.candidates[0]
        closer = None
        if not prediction.sure:
            closer = suggest_crop(pixels, runtime, bundle.crop_rule, bundle.calibration.temperature, means)
        ranking = tuple(candidate.label for candidate in prediction.candidates[:_TOP])
        answers.append(_Answer(label, ranking, best.probability, prediction.sure, closer.label if closer else None))
    return answers


def _of_flowers(answers: Sequence[_Answer]) -> ExternalFlowers:
    suggested = [answer for answer in answers if answer.suggested is not None]
    return ExternalFlowers(
        photos=len(answers),
        top1=float(np.mean([answer.right for answer in answers])),
        top5=float(np.mean([answer.label in answer.ranking for answer in answers])),
        high_confidence_errors=sum(not answer.right and answer.probability >= _BOLD for answer in answers),
        sure=sum(answer.sure for answer in answers),
        sure_correct=sum(answer.sure and answer.right for answer in answers),
        suggested=len(suggested),
        suggested_correct=sum(answer.suggested == answer.label for answer in suggested),
    )


def _of_classes(answers: Sequence[_Answer]) -> dict[str, ExternalClass]:
    by_name: dict[str, list[_Answer]] = {}
    for answer in answers:
        by_name.setdefault(load_taxonomy()[answer.label or 0].name, []).append(answer)
    return {
        name: ExternalClass(len(of), sum(one.right for one in of), sum(one.label in one.ranking for one in of))
        for name, of in by_name.items()
    }


def _of_others(answers: Sequence[_Answer]) -> ExternalWithoutFlower:
    return ExternalWithoutFlower(
        photos=len(answers),
        high_confidence_errors=sum(answer.probability >= _BOLD for answer in answers),
        sure=sum(answer.sure for answer in answers),
        suggested=sum(answer.suggested is not None for answer in answers),
    )


if __name__ == "__main__":
    run(main)
