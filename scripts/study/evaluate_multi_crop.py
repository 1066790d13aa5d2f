"""Measure what answering crops of a photo gives where the whole leaves doubt.

    flowers study evaluate_multi_crop efficientnet_lite0

The INT8 model answers photos of a split as they are and spoilt in fourteen ways. Where it is not sure, parts of the
photo are looked at as on *Identify*, and the name that they agree on, if they do, is held against the truth and against
the first answer. The figures go into the bundle, for `results.md`.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import stratified_sample
from flowers_core.data.corruptions import CORRUPTIONS, corrupted
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import BundleError, BundleWriter, load_bundle
from flowers_core.inference.manifest import Calibration, MultiCropCounts, MultiCropMetrics
from flowers_core.inference.multi_crop import suggest_crop
from flowers_core.inference.prediction import predict
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser

_PRECISION = "int8"
AS_THEY_ARE = "as they are"


@dataclass(frozen=True)
class _Case:
    """One photo: whether the model was sure of it, whether its answer was right, whether the suggestion is, if any."""

    sure: bool
    right: bool
    suggested: bool | None


def main() -> None:
    """Parse the command line, look at the photos, print the table and keep it in the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if options.split in bundle.fitted_splits:
        raise BundleError(
            f"'{bundle.name}' has learnt from the {options.split} photos: they cannot tell what it gains."
        )
    if bundle.calibration is None:
        raise BundleError(f"'{bundle.name}' is not calibrated yet; `python -m scripts.evaluate {bundle.name}` does it.")
    flowers = OxfordFlowers(options.data)
    runtime, means = Runtime(bundle.path(f"{_PRECISION}.tflite")), prototypes_of(bundle)
    cases: dict[str, list[_Case]] = {kind: [] for kind in (AS_THEY_ARE, *CORRUPTIONS)}
    for photo_id in progress(
        stratified_sample(flowers, options.split, options.photos, options.seed).tolist(), "photos"
    ):
        pixels = open_photo(flowers.path(photo_id)).pixels
        for kind, found in cases.items():
            spoilt = pixels if kind == AS_THEY_ARE else corrupted(pixels, kind, photo_id)
            label = flowers.label_of(photo_id)
            found.append(_case(runtime, bundle.crop_rule, bundle.calibration, means, spoilt, label))
    figures = {kind: _figures(found) for kind, found in cases.items()}
    _print(figures)
    if not options.dry_run:
        record = MultiCropMetrics(_PRECISION, len(cases[AS_THEY_ARE]), options.seed, figures)
        writer = BundleWriter.open(bundle.folder)
        writer.update(multi_crop={**writer.manifest.multi_crop, options.split: record})


def _case(
    runtime: Runtime,
    rule: CropRule,
    calibration: Calibration,
    means: Prototypes | None,
    pixels: NDArray[np.uint8],
    label: int,
) -> _Case:
    logits = runtime.logits(model_input(pixels, rule).pixels[None])[0]
    prediction = predict(logits, calibration, load_taxonomy())
    right = prediction.candidates[0].label == label
    if prediction.sure:
        return _Case(True, right, None)
    closer = suggest_crop(pixels, runtime, rule, calibration.temperature, means)
    return _Case(False, right, closer.label == label if closer else None)


def _figures(cases: list[_Case]) -> MultiCropCounts:
    suggested = [case for case in cases if case.suggested is not None]
    taken = [case.right if case.suggested is None else case.suggested for case in cases]
    return MultiCropCounts(
        top1=float(np.mean([case.right for case in cases])),
        abstained=sum(not case.sure for case in cases),
        suggested=len(suggested),
        suggested_correct=sum(bool(case.suggested) for case in suggested),
        answered_correct=sum(case.right for case in suggested),
        top1_applied=float(np.mean(taken)),
    )


def _print(figures: dict[str, MultiCropCounts]) -> None:
    print(
        f"{'photos':22} {'top-1':>7} {'not sure':>8} {'suggested':>9} {'right':>6} {'answer right':>12} {'if taken':>8}"
    )
    for kind, row in figures.items():
        print(
            f"{kind:22} {100 * row.top1:7.2f} {row.abstained:8} {row.suggested:9} {row.suggested_correct:6} "
            f"{row.answered_correct:12} {100 * row.top1_applied:8.2f}"
        )


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--split", choices=("validation", "test"), default="test", help="default: test")
    parser.add_argument("--photos", type=int, default=204, help="photos, spread over the classes (default: 204)")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
