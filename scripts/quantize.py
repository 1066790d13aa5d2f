"""Make a bundle's TFLite models from its Keras classifier.

    flowers quantize efficientnet_lite0_joined

Each model must answer the validation photos as well as float32 does. One that loses more is not put into the bundle:
the verb lists the layers that INT8 hurts most and exits with 1, unless `--allow-loss` accepts it.

`--qat-steps STEPS` first trains the INT8 model's weights to stand rounding (quantization-aware training) on augmented
views of the training photos. The bundle's classifier, its head and the other formats stay as they are.
"""

import argparse
import sys
from typing import Any

from flowers_core.data.dataset import Dataset
from flowers_core.inference.bundle import PRECISIONS, Bundle, load_bundle, model_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.quantization import FormatLoss
from scripts.options.command import add_bundle_argument, add_data_option, run, tell_time_left, verb_parser
from scripts.options.quantization import add_quantization_options, parse_quantization, quantization_options_of

_LAYERS_SHOWN = 10


def main() -> None:
    """Parse the command line, convert, compare with float32, write the models into the bundle."""
    options = _parse()
    writer = BundleWriter.open(options.bundle)
    for name in options.remove:
        writer.remove_file(model_file(name))
        print(f"Removed {name}.tflite; its figures stay in the record.")
    if options.remove:
        return
    bundle = load_bundle(options.bundle)
    quantize(bundle, dataset_of(bundle, options.data), options)


def quantize(bundle: Bundle, flowers: Dataset, options: argparse.Namespace) -> None:
    """Convert a bundle's classifier and write the models into the bundle, or leave the process if one loses too much.

    Args:
        bundle: with its classifier.
        flowers: training photos for INT8's ranges, validation photos for the comparison.
        options: of `add_quantization_options`, and `allow_loss`.
    """
    # TensorFlow takes seconds to import: only once everything else is known to be good.
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.quantization.acceptance import ALLOWED_POINTS
    from flowers_core.quantization.candidates import make_candidates

    tell = tell_time_left()
    found = make_candidates(
        bundle,
        flowers,
        quantization_options_of(options),
        options.cache,
        converted=_print_row,
        progress=tell,
        report=lambda step, loss: tell("steps", step, options.qat_steps, f", loss {loss:.5f}"),
    )
    if found.record.qat:
        _print_qat(found.record.qat)
    if "int8" in found.rejected:
        print("Signal to quantization noise of the noisiest layers:")
        for layer in found.int8_noise()[:_LAYERS_SHOWN]:
            print(f"  {layer.decibels:6.1f} dB  {layer.operation:18} {layer.layer}")
    if found.rejected:
        remedies = (
            "train the weights to stand rounding (--qat-steps), leave the noisiest layers in float (--float-layers), "
            "or take more calibration photos (--calibration-photos)"
        )
        which = " and ".join(found.rejected)
        if not options.allow_loss:
            sys.exit(
                f"{which} would lose more than {ALLOWED_POINTS} points: the bundle is left as it was. Accept the loss "
                f"(--allow-loss), {remedies}."
            )
        print(f"{which} loses more than {ALLOWED_POINTS} points, and is kept. To lose less, {remedies}.")
    found.write(BundleWriter.open(bundle.folder))


def _print_row(name: str, size: int, loss: FormatLoss) -> None:
    print(
        f"{name:8} {size / 1e6:6.2f} MB   on validation against float32: top-1 {-loss.top1:+.2f} points, "
        f"balanced {-loss.balanced_accuracy:+.2f}, the same answer to {loss.agreement:.2%}, "
        f"logits off by {loss.logit_error:.4f}"
    )


def _print_qat(record: dict[str, Any]) -> None:
    before, after = record["mismatch_before"]["logits"], record["mismatch_after"]["logits"]
    print(
        f"Quantization-aware training: on a view kept for validation, logits are off by {after:.4f}, before by "
        f"{before:.4f}" + ("." if record["kept"] else ", so the weights are left as they were.")
    )


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_quantization_options(parser)
    parser.add_argument("--allow-loss", action="store_true", help="write the models even where one loses too much")
    parser.add_argument(
        "--remove",
        nargs="+",
        choices=PRECISIONS,
        default=[],
        metavar="FORMAT",
        help="instead, take models out of the bundle that are not worth their size, once they are evaluated",
    )
    add_data_option(parser)
    return parse_quantization(parser)


if __name__ == "__main__":
    run(main)
