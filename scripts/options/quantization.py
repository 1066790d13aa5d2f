"""How to convert a bundle on the command line, and what the options come to."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flowers_core.inference.bundle import PRECISIONS
from scripts.options.command import at_least

if TYPE_CHECKING:
    from flowers_core.quantization.candidates import QuantizationOptions


def add_quantization_options(parser: argparse.ArgumentParser) -> None:
    """Which numeric formats, and everything that INT8 is converted with."""
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=["float32", "float16", "int8"])
    parser.add_argument(
        "--calibration-photos", type=at_least(1), default=204, metavar="N", help="how many (default: 204)"
    )
    parser.add_argument("--seed", type=int, default=0, help="draws the calibration photos (default: 0)")
    parser.add_argument(
        "--float-layers", nargs="+", default=[], metavar="LAYER", help="layers that int8 leaves in float, as listed"
    )
    parser.add_argument(
        "--equalize", type=float, metavar="ALPHA", help="cross-layer equalization for int8, 0 to 1 (default: 0.5)"
    )
    parser.add_argument(
        "--qat-steps", type=at_least(0), default=0, metavar="N", help="of quantization-aware training, 16 photos each"
    )
    parser.add_argument(
        "--qat-layers", type=int, metavar="N", help="of the backbone's last N layers, as Keras lists them"
    )
    parser.add_argument(
        "--qat-views", type=at_least(2), default=3, metavar="N", help="of each photo; one of them judges (default: 3)"
    )
    parser.add_argument("--qat-rate", type=float, default=2e-5, metavar="RATE", help="learning rate (default: 2e-5)")
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), metavar="DIR", help="where --qat-steps keeps photos and features"
    )


def parse_quantization(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line; options that do not go together end it with the usage."""
    options = parser.parse_args()
    if options.qat_rate <= 0:
        parser.error("--qat-rate must be above 0")
    if options.equalize is not None and not 0 <= options.equalize <= 1:
        parser.error("--equalize lies from 0 to 1")
    if options.qat_steps and "int8" not in options.precisions:
        parser.error("--qat-steps is for int8, which --precisions leaves out")
    if options.qat_steps and options.float_layers:
        parser.error("--qat-steps rounds every layer: leave out --float-layers")
    return options


def quantization_options_of(options: argparse.Namespace) -> "QuantizationOptions":
    """What the options say. TensorFlow is imported."""
    from flowers_core.quantization.candidates import QuantizationOptions
    from flowers_core.quantization.equalization import ALPHA
    from flowers_core.quantization.qat import QatRecipe

    qat = None
    if options.qat_steps:
        qat = QatRecipe(
            steps=options.qat_steps,
            last_layers=options.qat_layers,
            views=options.qat_views,
            learning_rate=options.qat_rate,
            seed=options.seed,
        )
    return QuantizationOptions(
        formats=options.precisions,
        representative=options.calibration_photos,
        seed=options.seed,
        equalization=ALPHA if options.equalize is None else options.equalize,
        float_layers=options.float_layers,
        qat=qat,
    )
