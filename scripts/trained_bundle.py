"""What every script that makes a classifier writes: a new bundle with its network, head, history and origin."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import Bundle, BundleError, BundleWriter, Calibration
from flowers_core.storage.files import write_json


def calibration_of(reference: Bundle) -> Calibration:
    """The calibration that a model which learns from the validation photos takes over from one that did not.

    Raises BundleError where that one was not evaluated yet.
    """
    if reference.calibration is None:
        raise BundleError(
            f"'{reference.name}' has not answered the validation photos yet, and its answers calibrate the model that "
            f"learns from them: run `python -m scripts.quantize {reference.name}` and `python -m scripts.evaluate "
            f"{reference.name}` first."
        )
    return reference.calibration


def write_trained(
    writer: BundleWriter,
    flowers: OxfordFlowers,
    classifier: Any,
    training: dict[str, Any],
    history: dict[str, Any],
    reference: Bundle | None = None,
) -> None:
    """Write a Keras classifier as the new bundle of `writer`, and say what comes next.

    training: how it was made; the versions of the packages that matter are added. history: goes to history.json.
    reference: made likewise on the training photos alone, where this one learnt from the validation photos too.
    """
    from flowers_core.networks.classifier import load_classifier, save_half

    packages = ("tensorflow", "keras", "scikit-learn", "numpy")
    writer.manifest["training"] = training | {"versions": {package: version(package) for package in packages}}
    if reference is not None:
        writer.manifest["calibration"] = asdict(calibration_of(reference))
        writer.manifest["calibration_source"] = {
            **reference.manifest.get("calibration_source", {}),
            "answers_of": f"{reference.name}: the same recipe on the training photos alone, which had not seen them",
            "classifier": reference.manifest["files"]["classifier.keras"]["sha256"],
        }
        writer.manifest["reference"] = {
            "name": reference.name,
            "training_images": reference.manifest["training"]["training_images"],
            "metrics": reference.metrics,
        }
    writer.manifest["data"] = {"fingerprint": flowers.fingerprint(), "photos": len(flowers)}
    writer.add_file("classifier.keras", lambda path: save_half(classifier, path))
    # The head is stored as the saved classifier has it, so that the closed forms add up to what the models answer.
    W, b = load_classifier(writer.folder / "classifier.keras").get_layer("logits").get_weights()
    writer.add_file("head.npz", lambda path: np.savez(path, W=W, b=b))
    writer.add_file("history.json", lambda path: write_json(path, history))
    writer.sweep()
    print(f"Wrote {writer.folder}; `python -m scripts.quantize {writer.manifest['name']}` makes the TFLite models.")
