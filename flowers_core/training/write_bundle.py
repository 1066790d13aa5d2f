"""A trained classifier as a new bundle: network, head, history, and the record of its training."""

from dataclasses import replace
from importlib.metadata import version
from typing import Any

import keras

from flowers_core.data.dataset import Dataset
from flowers_core.data.taxonomy import load_taxonomy, taxonomy_values
from flowers_core.inference.bundle import CLASSIFIER_FILE, HEAD_FILE, HISTORY_FILE, TAXONOMY_FILE, Bundle, reference_to
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.manifest import Manifest
from flowers_core.inference.records.metrics import Counterpart
from flowers_core.inference.records.training import DataFingerprint, Training
from flowers_core.networks.classifier import load_classifier, save_half


def write_trained(
    writer: BundleWriter,
    flowers: Dataset,
    classifier: keras.Model,
    training: Training,
    history: dict[str, Any],
    reference: Bundle | None = None,
) -> None:
    """Write a Keras classifier as the new bundle of `writer`.

    Args:
        writer: of the new bundle.
        flowers: the data set that it was trained on.
        classifier: the trained network.
        training: the record of its training; the versions of the packages that matter are added.
        history: for history.json.
        reference: the counterpart trained on fewer photos, if this classifier learnt from the validation photos too.
            Its calibration is taken.
    """
    packages = ("tensorflow", "keras", "scikit-learn", "numpy")
    manifest = replace(
        writer.manifest,
        training=replace(training, versions={package: version(package) for package in packages}),
        data=DataFingerprint(flowers.fingerprint(), len(flowers)),
    )
    if reference is not None:
        manifest = _calibrated_by(manifest, reference)
    # An older bundle in the folder stays whole until the first file is written.
    writer.manifest = manifest
    writer.add_file(CLASSIFIER_FILE, lambda path: save_half(classifier, path))
    # The head is read back in half precision, so that the closed forms add up to the answers of the stored models.
    W, b = load_classifier(writer.folder / CLASSIFIER_FILE).get_layer("logits").get_weights()
    writer.add_npz(HEAD_FILE, W=W, b=b)
    writer.add_json(HISTORY_FILE, history)
    if flowers.taxonomy is not None and flowers.taxonomy is not load_taxonomy():  # which needs no file
        writer.add_json(TAXONOMY_FILE, taxonomy_values(flowers.taxonomy))
    writer.sweep()


def _calibrated_by(manifest: Manifest, reference: Bundle) -> Manifest:
    """The manifest with the calibration of the counterpart, which that may have from its own."""
    source = reference.manifest.calibration_source
    return replace(
        manifest,
        calibration=reference.require_calibration(),
        calibration_source=source and replace(source, model=source.model or reference_to(reference)),
        counterpart=Counterpart(reference.name, reference.training.photos, reference.metrics),
    )
