"""`scripts.join` as it is called, on tiny networks that `scripts.train` made."""

import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.calibration import Calibration
from flowers_core.networks.backbones import BACKBONES, Backbone, BackboneUnknown
from flowers_core.networks.classifier import load_classifier
from scripts import join
from tests.scripts.test_train import TUNED, data, folder, trained

__all__ = ["data", "folder"]  # the fixtures


def joined(monkeypatch: pytest.MonkeyPatch, folder: Path, data: Path, *words: str) -> Bundle:
    monkeypatch.setattr(sys, "argv", ["join", *words, "--data", str(data)])
    join.main()
    return load_bundle(folder / "models" / words[0])


def _tiny_branches(x: keras.KerasTensor) -> keras.KerasTensor:
    """The tiny network of the training tests, its second convolution twice."""
    x = layers.ReLU()(layers.Conv2D(8, 5, strides=4)(x))
    return layers.Concatenate()([layers.ReLU()(layers.Conv2D(24, 3)(x)) for _ in range(2)])


@pytest.mark.slow
def test_a_joined_bundle_answers_the_geometric_mean_of_its_members(
    folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [trained(folder, data, f"{TUNED} --no-interpolate --seed {seed}", f"m{seed}") for seed in (0, 1)]
    with pytest.raises(BundleError, match="calibrat"):
        joined(monkeypatch, folder, data, "both", "m0", "m1")
    for member, temperature in zip(members, (0.5, 1.0), strict=True):
        BundleWriter.open(member.folder).update(calibration=Calibration(temperature, 0.95, 0.9, 0.4))
    with pytest.raises(BackboneUnknown, match="efficientnet_lite0_2_branches"):
        joined(monkeypatch, folder, data, "both", "m0", "m1")
    branched = Backbone("tiny_2_branches", 32, 1 / 128, -1.0, _tiny_branches, "none", branches=2)
    monkeypatch.setitem(BACKBONES, "tiny_2_branches", branched)
    made = joined(monkeypatch, folder, data, "both", "m0", "m1")

    photos = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)
    own, *each = (load_classifier(b.path("classifier.keras"))(photos) for b in (made, *members))
    assert np.abs(each[0] - each[1]).max() > 0.01
    # Twice as certain at the same logits counts twice. Weights are kept in half precision.
    np.testing.assert_allclose(own, (2 * each[0] + each[1]) / 3, rtol=2e-3, atol=2e-3)
    assert made.manifest.backbone == "tiny_2_branches"
    assert made.head()[0].shape == (48, 102)
    assert made.training.photos == 204
    assert made.training.members == ("m0", "m1")
    assert made.training.command.line() == "flowers join both m0 m1"

    # What has learnt from the validation photos is calibrated by what their counterparts were joined into.
    BundleWriter.open(made.folder).update(calibration=Calibration(1.0, 0.95, 0.9, 0.4))
    for member in members:
        trained(folder, data, f"--also-validation {member.name}", f"{member.name}_2040")
    with pytest.raises(BundleError, match="cannot calibrate their mean: join their counterparts first"):
        joined(monkeypatch, folder, data, "both_2040", "m0_2040", "m1_2040")
    with pytest.raises(BundleError, match="trained on the same photos"):
        joined(monkeypatch, folder, data, "both_2040", "m0", "m1_2040")
    both = joined(monkeypatch, folder, data, "both_2040", "m0_2040", "m1_2040", "--reference", "both")
    assert both.calibration == Calibration(1.0, 0.95, 0.9, 0.4)
    assert both.manifest.counterpart is not None
    assert both.manifest.counterpart.name == "both"
    assert both.training.photos == 306

    # Members that learnt one half of the test photos are calibrated by the other, like any that have not seen it.
    for member, half in zip(members, (0, 1), strict=True):
        learnt = replace(member.training, splits=("train", "validation", "test"), held_out_half=half)
        BundleWriter.open(member.folder).update(training=learnt)
    with pytest.raises(BundleError, match="trained on the same photos"):
        joined(monkeypatch, folder, data, "half", "m0", "m1")
    BundleWriter.open(members[1].folder).update(training=replace(learnt, held_out_half=0))
    made = joined(monkeypatch, folder, data, "half", "m0", "m1")
    assert (made.training.held_out_half, made.fitted_splits) == (0, ("train",))
    assert made.calibration is None
