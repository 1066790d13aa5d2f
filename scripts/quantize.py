"""Make a bundle's TFLite models from its Keras classifier: `python -m scripts.quantize efficientnet_lite0`."""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.batches import inputs
from flowers_core.bundle import PRECISIONS, Bundle, BundleWriter, load_bundle
from flowers_core.dataset import OxfordFlowers
from scripts.command import add_bundle_argument, add_data_option, run

_DEFAULT = ("float32", "float16", "int8")


def main() -> None:
    """Parse the command line, convert, write the models into the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    writer = BundleWriter.open(options.bundle)
    if options.remove:
        for precision in options.remove:
            writer.remove_file(f"{precision}.tflite")
            print(f"Removed {precision}.tflite; its figures stay in the record.")
        return
    calibration = None
    if "int8" in options.precisions:
        flowers = OxfordFlowers(options.data)
        ids = _stratified(flowers, options.calibration_photos, options.seed)
        calibration = inputs(flowers, ids, bundle.crop_rule)
        writer.set("quantization", {"calibration_photos": ids.tolist(), "split": "train", "seed": options.seed})
    _convert_all(bundle, writer, options.precisions, calibration)


def _convert_all(
    bundle: Bundle, writer: BundleWriter, precisions: list[str], calibration: NDArray[np.uint8] | None
) -> None:
    # TensorFlow takes seconds to import: only once everything else is known to be good.
    from flowers_core.quantization import convert
    from flowers_core.training.classifier import load_classifier

    classifier = load_classifier(bundle.path("classifier.keras"))
    for precision in precisions:
        model = convert(classifier, precision, calibration if precision == "int8" else None)
        writer.add_file(f"{precision}.tflite", partial(_write, content=model))
        writer.set("model_bytes", {**writer.manifest.get("model_bytes", {}), precision: len(model)})
        print(f"{precision:8} {len(model) / 1e6:6.2f} MB")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _stratified(flowers: OxfordFlowers, count: int, seed: int) -> NDArray[np.int64]:
    """Training photos for calibration, as evenly over the classes as `count` allows: (≤ count,) ids, ascending."""
    generator = np.random.default_rng(seed)
    train = generator.permutation(flowers.split_ids("train"))
    labels = np.array([flowers.label_of(photo_id) for photo_id in train])
    # The n-th photo of every class comes before the n + 1-th of any.
    turn = np.array([np.count_nonzero(labels[:position] == label) for position, label in enumerate(labels)])
    return np.sort(train[np.argsort(turn, kind="stable")[:count]])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.quantize", description="Make a bundle's TFLite models.")
    add_bundle_argument(parser)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(_DEFAULT))
    parser.add_argument("--calibration-photos", type=int, default=204, metavar="N", help="how many (default: 204)")
    parser.add_argument("--seed", type=int, default=0, help="draws the calibration photos (default: 0)")
    parser.add_argument(
        "--remove",
        nargs="+",
        choices=PRECISIONS,
        metavar="PRECISION",
        help="take models out of the bundle that are not worth their size, once they are evaluated",
    )
    add_data_option(parser)
    options = parser.parse_args()
    if options.calibration_photos < 1:
        parser.error("--calibration-photos must be at least 1")
    return options


if __name__ == "__main__":
    run(main)
