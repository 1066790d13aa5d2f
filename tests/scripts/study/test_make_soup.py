"""`scripts.study.make_soup` as it is called, on tiny networks that `scripts.train` made."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.calibration import Calibration
from flowers_core.networks.classifier import load_classifier
from scripts.study import make_soup
from tests.scripts.test_train import TUNED, data, folder, trained

__all__ = ["data", "folder"]  # the fixtures


def soup(monkeypatch: pytest.MonkeyPatch, folder: Path, data: Path, *words: str) -> Bundle:
    monkeypatch.setattr(sys, "argv", ["make_soup", *words, "--data", str(data)])
    make_soup.main()
    return load_bundle(folder / "models" / words[0])


def kernels(bundle: Bundle) -> list[np.ndarray]:
    return load_classifier(bundle.path("classifier.keras")).get_weights()


@pytest.mark.slow
def test_a_soup_is_the_mean_of_its_members(folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"{TUNED} --no-interpolate --learning-rate 1e-3"
    members = [trained(folder, data, f"{line} --seed {seed}", f"m{seed}") for seed in (0, 1)]
    made = soup(monkeypatch, folder, data, "soup", "m0", "m1")
    record = made.training
    chosen = [kernels(load_bundle(folder / "models" / member)) for member in record.members]
    for weight, *parts in zip(kernels(made), *chosen, strict=True):
        np.testing.assert_allclose(weight, np.mean(parts, axis=0), rtol=2e-3, atol=1e-6)  # half precision on disk
    assert record.photos == 204
    assert record.command.line() == "flowers study make_soup soup m0 m1"
    history = json.loads(made.path("history.json").read_text(encoding="utf-8"))
    alone = [member["validation_nll"] for member in history["members"]]
    assert alone == sorted(alone)
    assert history["validation_nll"] <= alone[0] + 1e-9
    np.testing.assert_array_equal(made.head()[0], kernels(made)[-2])

    # What has learnt from the validation photos cannot be chosen between by them.
    BundleWriter.open(made.folder).update(calibration=Calibration(1.0, 0.95, 0.9, 0.4))
    for member in members:
        BundleWriter.open(member.folder).update(calibration=Calibration(1.0, 0.95, 0.9, 0.4))
        trained(folder, data, f"--also-validation {member.name}", f"{member.name}_2040")
    with pytest.raises(BundleError, match="cannot choose between them: name the soup"):
        soup(monkeypatch, folder, data, "both", "m0_2040", "m1_2040")
    with pytest.raises(BundleError, match="trained on the same photos"):
        soup(monkeypatch, folder, data, "both", "m0", "m1_2040")
    both = soup(monkeypatch, folder, data, "both", "m0_2040", "m1_2040", "--reference", "soup")
    assert both.calibration == Calibration(1.0, 0.95, 0.9, 0.4)
    assert both.manifest.counterpart is not None
    assert both.manifest.counterpart.name == "soup"
    assert both.training.photos == 306
    parts = [kernels(load_bundle(folder / "models" / name)) for name in ("m0_2040", "m1_2040")]
    np.testing.assert_allclose(kernels(both)[0], np.mean([p[0] for p in parts], axis=0), rtol=2e-3, atol=1e-6)
