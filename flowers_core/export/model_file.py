"""A bundle's model as one file for other people's runtimes: TFLite for MediaPipe and LiteRT, or ONNX."""

from __future__ import annotations

from pathlib import Path

from flowers_core.export.onnx_graph import onnx_bytes
from flowers_core.export.probabilities import with_probabilities
from flowers_core.export.tflite_metadata import ModelFacts, with_metadata
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.storage.files import write_bytes

AUTHOR, LICENSE = "The Flowers contributors", "Apache License 2.0"


def model_facts(bundle: Bundle, numeric_format: str) -> ModelFacts:
    """What an exported file says about itself.

    Args:
        bundle: the bundle.
        numeric_format: of the model.
    """
    size = bundle.crop_rule.size
    return ModelFacts(
        name=f"{bundle.name}, {numeric_format}",
        description=(
            f"Names the flower in a photo. It knows {len(bundle.class_names)} kinds of flowers in bloom and nothing "
            f"else, and names one of them whatever the photo shows. It takes the middle square of the photo at "
            f"{size} × {size} pixels. Do not judge by it what is safe to eat or to touch."
        ),
        version=(bundle.digest(model_file(numeric_format)) or "")[:12],
        author=AUTHOR,
        license=LICENSE,
        labels=bundle.class_names,
    )


def export_tflite(bundle: Bundle, path: Path, numeric_format: str = "int8") -> None:
    """Write a TFLite file with one output of probabilities, and labels and metadata inside.

    MediaPipe Tasks' `ImageClassifier` and every LiteRT interpreter take it as it is.

    Args:
        bundle: calibrated.
        path: the file; what is there is replaced.
        numeric_format: of the model.

    Raises:
        BundleError: the bundle is not calibrated, or lacks the model.
    """
    write_bytes(path, _tflite(bundle, numeric_format))


def export_onnx(bundle: Bundle, path: Path, numeric_format: str = "int8") -> None:
    """Write an ONNX file with one output of probabilities, and labels and facts among its properties.

    Args:
        bundle: calibrated.
        path: the file; what is there is replaced.
        numeric_format: of the model.

    Raises:
        BundleError: the bundle is not calibrated, or lacks the model.
        ConverterMissing: tf2onnx is not installed.
    """
    write_bytes(path, onnx_bytes(_tflite(bundle, numeric_format), model_facts(bundle, numeric_format)))


def _tflite(bundle: Bundle, numeric_format: str) -> bytes:
    temperature = bundle.require_calibration().temperature
    head = bundle.head() if bundle.manifest.taught else None
    content = bundle.path(model_file(numeric_format)).read_bytes()
    return with_metadata(with_probabilities(content, temperature, head), model_facts(bundle, numeric_format))
