"""Make a bundle's TFLite models from its Keras classifier.

    flowers quantize efficientnet_lite0

Each model must answer the validation photos as well as float32 does. One that loses more is not put into the bundle:
the verb lists the layers that INT8 hurts most and exits with 1, unless `--allow-loss` accepts it.

`--qat-steps STEPS` first trains the INT8 model's weights to stand rounding (quantization-aware training) on augmented
views of the training photos. The bundle's classifier, its head and the other formats stay as they are.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import inputs, stratified_sample
from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.predictions import Predictions
from flowers_core.inference.bundle import PRECISIONS, BundleWriter, load_bundle, model_file
from flowers_core.inference.manifest import FormatLoss, Quantization
from flowers_core.inference.runtime import Runtime
from flowers_core.quantization.acceptance import ALLOWED_POINTS, format_loss, is_acceptable
from scripts.options.command import add_bundle_argument, add_data_option, run, verb_parser

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
    ids = stratified_sample(flowers, "train", options.calibration_photos, options.seed)
    calibration = inputs(flowers, ids, bundle.crop_rule)
    validation_ids = flowers.split_ids("validation")
    validation = inputs(flowers, validation_ids, bundle.crop_rule)

    # TensorFlow takes seconds to import: only once everything else is known to be good.
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.classifier import load_classifier
    from flowers_core.quantization.convert import convert
    from flowers_core.quantization.equalization import ALPHA, cross_layer_equalized

    classifier = load_classifier(classifier_path)
    alpha = ALPHA if options.equalize is None else options.equalize
    even, record = classifier, None
    if "int8" in options.precisions:
        even = cross_layer_equalized(classifier, calibration, alpha=alpha)
        if options.qat_steps:
            even, record = _aware(even, calibration, flowers, bundle.crop_rule, options)

    def convert_to(precision: str) -> bytes:
        if precision == "int8":
            return convert(even, precision, calibration, float_layers=options.float_layers, alpha=0.0)
        return convert(classifier, precision)

    def answers_of(model: bytes) -> Predictions:
        logits = Runtime(model).logits(validation)
        return Predictions(validation_ids, flowers.labels[validation_ids - 1], logits)

    exact_model = convert_to("float32")
    exact = answers_of(exact_model)
    models, losses = {}, {}
    for precision in options.precisions:
        models[precision] = exact_model if precision == "float32" else convert_to(precision)
        losses[precision] = format_loss(exact, answers_of(models[precision]))
        _print_row(precision, len(models[precision]), losses[precision])
    failed = [precision for precision, loss in losses.items() if not is_acceptable(loss)]
    if failed:
        if "int8" in failed:
            _print_noise(even, calibration, validation[:_PHOTOS_FOR_NOISE])
        if not options.allow_loss:
            sys.exit(
                f"{' and '.join(failed)} would lose more than {ALLOWED_POINTS} points: the bundle is left as it was. "
                "Train the weights to stand rounding (--qat-steps), leave the noisiest layers in float "
                "(--float-layers), take more calibration photos (--calibration-photos), or accept the loss "
                "(--allow-loss)."
            )
    made = Quantization(
        representative_photos=tuple(ids.tolist()),
        split="train",
        seed=options.seed,
        equalization=alpha,
        bias_correction=True,
        float_head=True,
        qat=record,
        float_layers=tuple(options.float_layers),
        loss_on_validation=losses,
    )
    writer = BundleWriter.open(options.bundle)
    writer.update(quantization=made)
    for precision, model in models.items():
        writer.update(model_bytes={**writer.manifest.model_bytes, precision: len(model)})
        writer.add_bytes(model_file(precision), model)


def _aware(
    classifier: Any, calibration: NDArray[np.uint8], flowers: OxfordFlowers, rule: CropRule, options: argparse.Namespace
) -> tuple[Any, dict[str, Any]]:
    """The classifier fitted to being rounded, and the record of that."""
    from flowers_core.quantization.qat import QatRecipe, quantization_aware_training
    from flowers_core.training.augmentation import CROPS
    from flowers_core.training.decoded_cache import open_decoded_cache
    from flowers_core.training.feature_cache import AugmentedViews

    ids = flowers.split_ids("train")
    tell = _tell_left()
    fitted, record = quantization_aware_training(
        classifier,
        calibration,
        AugmentedViews(open_decoded_cache(flowers, ids, options.cache), ids, CROPS, options.seed),
        rule,
        QatRecipe(
            options.qat_steps,
            options.qat_layers,
            views=options.qat_views,
            learning_rate=options.qat_rate,
            seed=options.seed,
        ),
        options.cache,
        data=flowers.fingerprint(),
        progress=tell,
        report=lambda step, loss: tell("steps", step, options.qat_steps, f", loss {loss:.5f}"),
    )
    before, after = record["mismatch_before"]["logits"], record["mismatch_after"]["logits"]
    print(
        f"Fitted to being rounded: on a view kept for judging, logits are off by {after:.4f}, before by {before:.4f}"
        + ("." if record["kept"] else ", so the weights are left as they were.")
    )
    return fitted, {**record, "photos": len(ids), "split": "train"}


def _tell_left() -> Callable[..., None]:
    """Says how far something is and how long the rest takes, some twenty times."""
    begun: dict[str, tuple[int, float]] = {}

    def tell(what: str, done: int, total: int, more: str = "") -> None:
        now = time.perf_counter()
        first, started = begun.get(what, (done, now))
        if done <= first:  # also where the same is done again for something else
            begun[what] = (done, now)
        elif done % max(total // 20, 1) == 0 or done == total:
            left = (total - done) * (now - started) / (done - first)
            print(f"{what}: {done} of {total}{more}, about {left / 60:.0f} min left", flush=True)

    return tell


def _print_row(precision: str, size: int, loss: FormatLoss) -> None:
    print(
        f"{precision:8} {size / 1e6:6.2f} MB   on validation against float32: top-1 {-loss.top1:+.2f} points, "
        f"per class {-loss.balanced_accuracy:+.2f}, the same answer to {loss.agreement:.2%}, "
        f"logits off by {loss.logit_error:.4f}"
    )


def _print_noise(even: Any, calibration: NDArray[np.uint8], photos: NDArray[np.uint8]) -> None:
    from flowers_core.quantization.convert import layer_noise

    print("Signal to quantization noise of the noisiest layers:")
    for layer in layer_noise(even, calibration, photos, alpha=0.0)[:_LAYERS_SHOWN]:
        print(f"  {layer.decibels:6.1f} dB  {layer.operation:18} {layer.layer}")


def _remove(folder: Path, precisions: list[str]) -> None:
    writer = BundleWriter.open(folder)
    for precision in precisions:
        writer.remove_file(model_file(precision))
        print(f"Removed {precision}.tflite; its figures stay in the record.")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(_DEFAULT))
    parser.add_argument("--calibration-photos", type=int, default=204, metavar="N", help="how many (default: 204)")
    parser.add_argument("--seed", type=int, default=0, help="draws the calibration photos (default: 0)")
    parser.add_argument(
        "--float-layers", nargs="+", default=[], metavar="LAYER", help="layers that int8 leaves in float, as listed"
    )
    parser.add_argument(
        "--equalize", type=float, metavar="SHARE", help="how far to even out channels for int8, 0 to 1 (default: 0.5)"
    )
    parser.add_argument(
        "--qat-steps",
        type=int,
        default=0,
        metavar="STEPS",
        help="fit the weights of int8 to being rounded, in so many steps of 16 photos",
    )
    parser.add_argument(
        "--qat-layers",
        type=int,
        metavar="N",
        help="fit the backbone's last N layers only, counted as Keras lists them",
    )
    parser.add_argument(
        "--qat-views", type=int, default=3, metavar="K", help="views of each photo, of which one judges (default: 3)"
    )
    parser.add_argument("--qat-rate", type=float, default=2e-5, metavar="RATE", help="learning rate (default: 2e-5)")
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), metavar="DIR", help="where --qat-steps keeps photos and features"
    )
    parser.add_argument("--allow-loss", action="store_true", help="write the models even where one loses too much")
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
    if options.qat_steps < 0 or options.qat_views < 2 or options.qat_rate <= 0:
        parser.error("--qat-steps takes a number of steps, --qat-views at least 2 and --qat-rate a rate above 0")
    if options.equalize is not None and not 0 <= options.equalize <= 1:
        parser.error("--equalize lies from 0 to 1")
    if options.qat_steps and "int8" not in options.precisions:
        parser.error("--qat-steps is for int8, which --precisions leaves out")
    if options.qat_steps and options.float_layers:
        parser.error("--qat-steps rounds every layer: leave out --float-layers")
    return options


if __name__ == "__main__":
    run(main)
