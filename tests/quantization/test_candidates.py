"""The models that may go into a bundle, judged as the acceptance criterion says, and what is written of them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.batches import inputs
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.predictions import Predictions
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import Runtime
from flowers_core.quantization import acceptance
from flowers_core.quantization.acceptance import format_loss
from flowers_core.quantization.candidates import Candidates, QuantizationOptions, make_candidates


@pytest.fixture(scope="module")
def seen() -> list[tuple[str, int]]:
    return []


@pytest.fixture(scope="module")
def made(
    tiny_bundle: Path, drawn_dataset: OxfordFlowers, tmp_path_factory: pytest.TempPathFactory, seen: list
) -> Candidates:
    options = QuantizationOptions(("float16", "int8"), representative=12, seed=3)
    cache = tmp_path_factory.mktemp("cache")
    bundle = load_bundle(tiny_bundle)
    return make_candidates(
        bundle, drawn_dataset, options, cache, converted=lambda name, size, _: seen.append((name, size))
    )


@pytest.mark.slow
def test_each_format_is_compared_with_float32_on_the_validation_photos(
    made: Candidates, tiny_bundle: Path, drawn_dataset: OxfordFlowers, seen: list
) -> None:
    assert seen == [(name, len(model)) for name, model in made.models.items()]
    assert list(made.models) == list(made.losses) == ["float16", "int8"]  # float32 was not asked for
    ids = drawn_dataset.split_ids("validation")
    photos = inputs(drawn_dataset, ids, load_bundle(tiny_bundle).crop_rule)
    np.testing.assert_array_equal(made.validation, photos)
    predictions = {
        name: Predictions(ids, drawn_dataset.labels[ids - 1], Runtime(model).logits(photos))
        for name, model in made.models.items()
    }
    # float16 holds the float32 weights rounded, so against it INT8 loses nearly what it loses against float32.
    found = format_loss(predictions["float16"], predictions["int8"])
    assert made.losses["int8"].top1 == pytest.approx(found.top1)
    assert made.losses["int8"].logit_error == pytest.approx(found.logit_error, rel=0.05)
    assert made.losses["float16"].logit_error < made.losses["int8"].logit_error


def test_the_representative_photos_are_training_photos_of_every_class(
    made: Candidates, drawn_dataset: OxfordFlowers
) -> None:
    ids = made.record.representative_photos
    assert (len(set(ids)), made.record.seed, made.record.split) == (12, 3, "train")
    assert {drawn_dataset.split_of(photo) for photo in ids} == {"train"}
    labels = [drawn_dataset.label_of(photo) for photo in ids]
    assert {labels.count(label) for label in set(labels)} == {2}  # six classes
    assert made.record.loss_on_validation == made.losses


def test_a_format_that_loses_too_much_is_rejected_and_its_noisiest_layers_are_known(
    made: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance, "ALLOWED_POINTS", 1000)
    assert made.rejected == []
    monkeypatch.setattr(acceptance, "ALLOWED_POINTS", -1000)
    assert made.rejected == ["float16", "int8"]
    noise = [layer.decibels for layer in made.int8_noise()]
    assert noise == sorted(noise)
    assert noise


def test_the_bundle_gets_models_sizes_and_the_record(made: Candidates, tiny_bundle: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_bundle, tmp_path / "tiny")
    made.write(BundleWriter.open(folder))
    after = load_bundle(folder)
    assert after.manifest.quantization == made.record
    for name, model in made.models.items():
        assert after.path(f"{name}.tflite").read_bytes() == model
        assert after.manifest.model_bytes[name] == len(model)
