"""What is made of several records of a model at once."""

import pytest

from app.resources import records
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import load_bundle
from flowers_core.storage.paths import default_models_dir


def test_what_training_photos_taught_adds_up_to_the_mistakes() -> None:
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    predictions = load_predictions(bundle.path("test_predictions.npz"), "int8")
    taught = records.taught(bundle)
    assert len(taught) == 1020
    assert sum(taught.values()) == pytest.approx((predictions.predicted != predictions.labels).sum())
    assert min(taught.values()) >= 0
