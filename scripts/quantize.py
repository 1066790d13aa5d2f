"""Make a bundle's TFLite models from its Keras classifier: `python -m scripts.quantize efficientnet_lite0`.

Each model must answer the validation photos as well as float32 does. One that loses more than is allowed is not put
into the bundle; the script says which layers INT8 hurts most and exits with 1, unless told to go on.
"""

import argparse
import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.batches import inputs
from flowers_core.bundle import PRECISIONS, BundleWriter, load_bundle
from flowers_core.dataset import OxfordFlowers
from flowers_core.evaluation import Predictions
from flowers_core.precision_gate import ALLOWED_POINTS, PrecisionLoss, precision_loss
from flowers_core.runtime import Runtime
from flowers_core.sampling import stratified
from scripts.command import add_bundle_argument, add_data_option, run

_DEFAULT = ("float32", "float16", "int8")
_LAYERS_SHOWN = 10
_PHOTOS_FOR_NOISE = 32


def main() -> None:
    """Parse the command line, convert, compare with float32, write the models into the bundle."""
    options = _parse()
    if options.remove:
        _remove(options.bundle, options.remove)
        return
    bundle = load_bundle(options.bundle)
    classifier_path = bundle.path("classifier.keras")
    flowers = OxfordFlowers(options.data)
    ids = stratified(flowers, "train", options.calibration_photos, options.seed)
    calibration = inputs(flowers, ids, bundle.crop_rule)
    validation_ids = flowers.split_ids("validation")
    validation = inputs(flowers, validation_ids, bundle.crop_rule)

    # TensorFlow takes seconds to import: only once everything else is known to be good.
    from flowers_core.quantization import convert
    from flowers_core.training.classifier import load_classifier

    classifier = load_classifier(classifier_path)
    convert_to = partial(_convert, convert, classifier, calibration, options.float_layers)

    def answers_of(model: bytes) -> Predictions:
        logits = _run(model, validation)
        return Predictions(validation_ids, flowers.labels[validation_ids - 1], logits)

    exact_model = convert_to("float32")
    exact = answers_of(exact_model)
    models, losses = {}, {}
    for precision in options.precisions:
        models[precision] = exact_model if precision == "float32" else convert_to(precision)
        losses[precision] = precision_loss(exact, answers_of(models[precision]))
        _print_row(precision, len(models[precision]), losses[precision])
    failed = [precision for precision, loss in losses.items() if not loss.passes]
    if failed:
        if "int8" in failed:
            _print_noise(classifier, calibration, validation[:_PHOTOS_FOR_NOISE])
        if not options.go_on:
            sys.exit(
                f"{' and '.join(failed)} would lose more than {ALLOWED_POINTS} points: the bundle is left as it was. "
                "Leave the noisiest layers in float (--float-layers), take more calibration photos "
                "(--calibration-photos), or accept the loss (--go-on)."
            )
    _write_models(options, models, losses, ids)


def _convert(
    convert: Any, classifier: Any, calibration: NDArray[np.uint8], float_layers: list[str], precision: str
) -> bytes:
    if precision == "int8":
        return convert(classifier, precision, calibration, float_layers=float_layers)
    return convert(classifier, precision)


def _run(model: bytes, photos: NDArray[np.uint8]) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory(prefix="flowers-quantize-") as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(model)
        return Runtime(path).logits(photos)


def _print_row(precision: str, size: int, loss: PrecisionLoss) -> None:
    print(
        f"{precision:8} {size / 1e6:6.2f} MB   on validation against float32: top-1 {-loss.top1:+.2f} points, "
        f"per class {-loss.per_class:+.2f}, the same answer to {loss.agreement:.2%}"
    )


def _print_noise(classifier: Any, calibration: NDArray[np.uint8], photos: NDArray[np.uint8]) -> None:
    from flowers_core.quantization import layer_noise

    print("Signal to quantization noise of the noisiest layers:")
    for layer in layer_noise(classifier, calibration, photos)[:_LAYERS_SHOWN]:
        print(f"  {layer.decibels:6.1f} dB  {layer.operation:18} {layer.layer}")


def _write_models(
    options: argparse.Namespace,
    models: dict[str, bytes],
    losses: dict[str, PrecisionLoss],
    calibration_ids: NDArray[np.int64],
) -> None:
    writer = BundleWriter.open(options.bundle)
    writer.manifest["quantization"] = {
        "calibration_photos": calibration_ids.tolist(),
        "split": "train",
        "seed": options.seed,
        "bias_correction": True,
        "float_layers": options.float_layers,
        "loss_on_validation": {precision: asdict(loss) for precision, loss in losses.items()},
    }
    for precision, model in models.items():
        writer.manifest["model_bytes"] = {**writer.manifest.get("model_bytes", {}), precision: len(model)}
        writer.add_file(f"{precision}.tflite", partial(_write, content=model))


def _remove(folder: Path, precisions: list[str]) -> None:
    writer = BundleWriter.open(folder)
    for precision in precisions:
        writer.remove_file(f"{precision}.tflite")
        print(f"Removed {precision}.tflite; its figures stay in the record.")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.quantize", description="Make a bundle's TFLite models.")
    add_bundle_argument(parser)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(_DEFAULT))
    parser.add_argument("--calibration-photos", type=int, default=204, metavar="N", help="how many (default: 204)")
    parser.add_argument("--seed", type=int, default=0, help="draws the calibration photos (default: 0)")
    parser.add_argument(
        "--float-layers", nargs="+", default=[], metavar="LAYER", help="layers that int8 leaves in float, as listed"
    )
    parser.add_argument("--go-on", action="store_true", help="write the models though one loses more than is allowed")
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
