"""Export a bundle's model for phones, other runtimes, or a web page that works offline.

    flowers export efficientnet_lite0_joined --for mediapipe flowers.tflite
    flowers export efficientnet_lite0_joined --for litert flowers.tflite
    flowers export efficientnet_lite0_joined --for onnx flowers.onnx
    flowers export efficientnet_lite0_joined --for web flowers-page

The model files have one input, the middle square of a photo in uint8 RGB, and one output, the probability of each class
(`mediapipe` and `litert` give the same file). The page is a folder for any static host. docs/EXPORT.md has examples.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from flowers_core.export.model_file import export_onnx, export_tflite
from flowers_core.export.web_page import export_web
from flowers_core.inference.bundle import Bundle, load_bundle
from scripts.options.command import add_bundle_argument, run, verb_parser

MODEL_FILES: dict[str, Callable[[Bundle, Path, str], None]] = {
    "mediapipe": export_tflite,
    "litert": export_tflite,
    "onnx": export_onnx,
}
PAGE = "web"


def main() -> None:
    """Parse the command line and write the file or the folder."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if options.target == PAGE:
        size = export_web(bundle, options.out)
        print(f"{options.out}: {size / 1e6:.1f} MB. To see it: python -m http.server --directory {options.out}")
        return
    MODEL_FILES[options.target](bundle, options.out, options.numeric_format)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB.")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("--for", dest="target", choices=(*MODEL_FILES, PAGE), required=True, help="who takes it")
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write; for web a folder")
    parser.add_argument(
        "--format",
        dest="numeric_format",
        choices=("int8", "float16"),
        default="int8",
        help="the model's numeric format (default: int8)",
    )
    parser.add_argument("--override", action="store_true", help="replace what is there already")
    options = parser.parse_args()
    if options.target == PAGE and options.numeric_format != "int8":
        parser.error("the page has the INT8 model: leave --format out")
    if options.out.exists() and not options.override:
        parser.error(f"{options.out} is there already: add --override to replace it, or name another")
    return options


if __name__ == "__main__":
    run(main)
