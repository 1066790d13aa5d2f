"""What follows an edit by hand, against the library asked in other words."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app.elements.words import percent
from app.identify.by_hand.follow import NAMES, PATTERNS, follow
from app.resources.session import Inference
from flowers_core.data.edit import Edit, edited
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.explain.concepts.shares import concept_shares
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.overlay import draw
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import example_bytes

BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
RUNTIME = Runtime(BUNDLE.path("int8.tflite"))
PHOTO = read_photo(example_bytes())
HEAD, BIAS = BUNDLE.head()
EDIT = Edit(x=0.55, y=0.6, side=0.55, angle=20, light=0.8)


@pytest.fixture
def inference() -> Inference:
    seen = model_input(PHOTO.pixels, BUNDLE.crop_rule)
    return Inference(PHOTO, BUNDLE, "int8", "digest", seen, RUNTIME.forward(seen.pixels[None]))


def pixels(address: str) -> np.ndarray:
    kind, _, content = address.partition(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))


def unlike(one: np.ndarray, other: np.ndarray) -> float:
    """How far two pictures differ in squares of 8 pixels, which JPEG keeps."""
    apart = one.astype(float) - other
    return float(np.abs(apart.reshape(len(one) // 8, 8, -1, 8, 3).mean(axis=(1, 3))).mean())


def test_without_an_edit_it_is_one_look_at_the_photo(inference: Inference) -> None:
    seen = model_input(PHOTO.pixels, BUNDLE.crop_rule).pixels
    expected = open_answerer(BUNDLE, RUNTIME).first_look(RUNTIME.forward(seen[None]))
    answer = follow(inference, Edit(side=BUNDLE.crop_rule.crop_fraction), None, with_map=False)
    assert answer["verdict"] == expected.verdict
    assert [share for _, share, _ in answer["names"]] == [percent(found.probability) for found in expected.top(NAMES)]
    assert unlike(pixels(answer["seen"]), seen) < 1.5
    assert answer["alt"] == answer["caption"]


def test_name_map_and_patterns_are_those_of_the_edited_photo(inference: Inference) -> None:
    seen = edited(PHOTO.pixels, EDIT, BUNDLE.crop_rule.size)
    forward = RUNTIME.forward(seen[None])
    expected = open_answerer(BUNDLE, RUNTIME).first_look(forward)
    label, name = expected.candidates[0].label, BUNDLE.taxonomy[expected.candidates[0].label].name
    answer = follow(inference, EDIT, None, with_map=True)
    assert [share for _, share, _ in answer["names"]] == [percent(found.probability) for found in expected.top(NAMES)]
    assert answer["names"][0][0].lower() == name.lower()
    assert answer["subject"] == f"What speaks for {name}"

    whole = {"box": (0, 0, len(seen), len(seen)), "photo_size": (len(seen), len(seen))}
    painted = draw(seen, class_evidence(forward.features[0], HEAD, label, **whole), 0.7)
    assert unlike(pixels(answer["seen"]), painted) < 1.5
    assert unlike(pixels(answer["seen"]), seen) > 5
    assert "most of it lies in the" in answer["alt"]

    dictionary = load_concepts(BUNDLE.path(CONCEPTS_FILE), HEAD).dictionary
    shares = concept_shares(forward.features[0], dictionary, HEAD, BIAS, ClassTarget(label))
    parts = shares.shares[shares.strongest(PATTERNS)] / shares.value
    assert [share for _, share, _ in answer["patterns"]] == [
        percent(part) if part >= 0 else f"−{percent(-part)}" for part in parts
    ]
    assert [part for _, _, part in answer["patterns"]] == pytest.approx(parts.tolist())


def test_a_flower_that_was_asked_for_stays(inference: Inference) -> None:
    answer = follow(inference, EDIT, ContrastTarget(74, 54), with_map=True)
    assert answer["subject"] == "What speaks for rose rather than sunflower"
    assert answer["told"].endswith("in logits")
    assert {share[0] for _, share, _ in answer["patterns"]} <= {"+", "−"}
    assert max(part for _, _, part in answer["patterns"]) == 1
