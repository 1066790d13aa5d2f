"""Parts of a photo, and when they agree."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import MIN_SIDE
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.multi_crop import (
    MAX_CROPS,
    CropSuggestion,
    consensus,
    consensus_scores,
    crop_boxes,
    crop_inputs,
    suggest_crop,
)
from flowers_core.inference.prediction import predict, softmax
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.paths import default_models_dir

BOXES = [(0, 0, 10, 10), (5, 0, 15, 10), (0, 5, 10, 15), (5, 5, 15, 15), (10, 10, 20, 20), (3, 3, 13, 13)]


def test_parts_of_a_square_photo() -> None:
    """Sides 70, 50 and 35; next ones at most 38.5, 27.5 and 19.25 further: two, three and five to a row."""
    boxes = crop_boxes(100, 100)
    assert Counter(right - left for left, _, right, _ in boxes) == {70: 4, 50: 9, 35: 25}
    assert boxes[:4] == [(0, 0, 70, 70), (30, 0, 100, 70), (0, 30, 70, 100), (30, 30, 100, 100)]
    assert {left for left, _, right, _ in boxes if right - left == 50} == {0, 25, 50}


def test_the_ends_of_a_wide_photo_get_parts_as_high_as_it_is() -> None:
    highest = [box for box in crop_boxes(300, 100) if box[3] - box[1] == 100]
    assert highest == [(0, 0, 100, 100), (50, 0, 150, 100), (100, 0, 200, 100), (150, 0, 250, 100), (200, 0, 300, 100)]


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (1000, 90), (4000, 3000), (90, 4000), (30, 30), (16, 20)])
def test_parts_are_squares_in_the_photo_and_leave_nothing_out(size: tuple[int, int]) -> None:
    boxes = crop_boxes(*size)
    assert 0 < len(boxes) <= MAX_CROPS
    assert len(set(boxes)) == len(boxes)
    sides: dict[int, np.ndarray] = {}
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        assert right - left == bottom - top >= MIN_SIDE
        sides.setdefault(right - left, np.zeros(size[::-1], bool))[top:bottom, left:right] = True
    assert all(covered.all() for covered in sides.values())


def test_a_photo_as_small_as_a_flower_can_be_judged_by_has_no_parts() -> None:
    assert crop_boxes(MIN_SIDE, MIN_SIDE) == []


def test_a_part_is_seen_as_the_photo_cut_out_there_is_seen() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    boxes, rule = crop_boxes(120, 90), CropRule(64)
    seen = crop_inputs(pixels, boxes, rule)
    assert seen.shape == (len(boxes), 64, 64, 3)
    for (left, top, right, bottom), view in zip(boxes, seen, strict=True):
        np.testing.assert_array_equal(view, model_input(pixels[top:bottom, left:right].copy(), rule).pixels)


def test_parts_of_a_large_photo_are_seen_as_well_when_it_is_shrunk_first() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    pixels = np.asarray(Image.fromarray(noise).resize((1600, 1200), Image.Resampling.BICUBIC))
    boxes, rule = crop_boxes(1600, 1200), CropRule(64)
    for (left, top, right, bottom), view in zip(boxes, crop_inputs(pixels, boxes, rule), strict=True):
        exact = model_input(pixels[top:bottom, left:right].copy(), rule).pixels
        assert np.abs(view.astype(int) - exact).mean() < 3


def answers(*rows: tuple[float, float, float]) -> np.ndarray:
    """Probabilities of three classes in as many parts as there are boxes; where none is given, all alike."""
    return np.array([*rows, *[(1 / 3, 1 / 3, 1 / 3)] * (len(BOXES) - len(rows))])


SURE, SURER = (0.05, 0.9, 0.05), (0.01, 0.98, 0.01)


def test_of_three_parts_that_agree_one_in_the_middle_is_meant_unless_another_is_far_surer() -> None:
    """The first box shares a third with the next two each, those a seventh: in all 5/3, and 31/21 for the next two.

    Log-odds: 2.197 of 0.9, 2.442 of 0.92, 3.892 of 0.98. 2.197 × 5/3 = 3.66 is more than 2.442 × 31/21 = 3.60, and less
    than 3.892 × 31/21.
    """
    assert consensus(answers(SURE, (0.04, 0.92, 0.04), SURE), BOXES) == CropSuggestion(2, BOXES[0], 0.9, 3, 6)
    assert consensus(answers(SURE, SURER, SURE), BOXES) == CropSuggestion(2, BOXES[1], 0.98, 3, 6)
    again = [BOXES[1], BOXES[2], BOXES[0], *BOXES[3:]]
    assert consensus(answers(SURE, SURE, SURE), again) == CropSuggestion(2, BOXES[0], 0.9, 3, 6)


def test_two_are_too_few() -> None:
    assert consensus(answers(SURE, SURER), BOXES) is None


def test_what_does_not_name_it_clearly_does_not_count() -> None:
    assert consensus(answers(SURE, SURER, (0.1, 0.79, 0.11)), BOXES) is None
    assert consensus(answers(SURE, SURER, (0.1, 0.8, 0.1)), BOXES) is not None


def test_none_names_another() -> None:
    assert consensus(answers(SURER, SURER, SURE, (0.79, 0.2, 0.01)), BOXES) is not None
    assert consensus(answers(SURER, SURER, SURE, (0.8, 0.1, 0.1)), BOXES) is None


@pytest.mark.parametrize(("probability", "found"), [(0.69, True), (0.7, False)])
def test_no_part_speaks_loudly_for_another(probability: float, found: bool) -> None:
    """0.9583 are odds of 23, a tenth of which are odds of 2.3: a probability of 0.697."""
    surest, rival = (0.0, 23 / 24, 1 / 24), (probability, 1 - probability, 0.0)
    assert (consensus(answers(surest, SURE, SURE, rival), BOXES) is not None) is found


def test_one_of_the_parts_lies_near_the_class() -> None:
    """Three parts say class 2, whose mean is (1, 0); the second lies at 45° to it, the others at 90° or more."""
    means = Prototypes(np.array([[0, 1], [1, 0], [0, 1]], np.float32), 0.7)
    embeddings = np.array([(0, 1), (5, 5), (-1, 1), *[(1, 0)] * (len(BOXES) - 3)])
    given = answers(SURE, SURE, SURE)
    assert consensus(given, BOXES, embeddings, means) == CropSuggestion(2, BOXES[0], 0.9, 3, 6)
    # What is near without giving the name does not count.
    embeddings[1] = (0, 1)
    assert consensus(given, BOXES, embeddings, means) is None


def test_certainty_is_no_error() -> None:
    assert consensus(answers((0.0, 1.0, 0.0), SURE, SURE), BOXES) == CropSuggestion(2, BOXES[0], 1.0, 3, 6)
    assert consensus(answers((0.0, 1.0, 0.0), SURE, SURE, (1.0, 0.0, 0.0)), BOXES) is None


def test_the_dahlia_is_named_closer_in() -> None:
    """scikit-learn's photo: the flower fills a third of it. The parts are asked one by one here."""
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0")
    assert bundle.calibration is not None
    pixels, runtime = load_sample_image("flower.jpg"), Runtime(bundle.path("int8.tflite"))
    logits = runtime.logits(model_input(pixels, bundle.crop_rule).pixels[None])[0]
    whole = predict(logits, bundle.calibration, load_taxonomy())
    means = prototypes_of(bundle)
    found = suggest_crop(pixels, runtime, bundle.crop_rule, bundle.calibration.temperature, means)
    assert found is not None
    assert "dahlia" in load_taxonomy()[found.label].name
    assert found.probability > max(0.9, whole.candidates[0].probability)
    left, top, right, bottom = found.box
    assert left < 325 < right  # the middle of the flower
    assert top < 220 < bottom
    one_by_one = {}
    for left, top, right, bottom in crop_boxes(640, 427):
        seen = model_input(pixels[top:bottom, left:right].copy(), bundle.crop_rule).pixels
        probabilities = softmax(runtime.logits(seen[None])[0], bundle.calibration.temperature)
        one_by_one[left, top, right, bottom] = probabilities[found.label - 1]
    assert sum(probability >= 0.8 for probability in one_by_one.values()) == found.agreeing
    assert one_by_one[found.box] == pytest.approx(found.probability)


def test_a_crop_stands_for_the_others_by_confidence_and_overlap() -> None:
    """Two boxes that share a third, and one apart: overlaps 4/3, 4/3 and 1; log-odds of 0.8, 0.9 and 0.98."""
    scores = consensus_scores(np.array([0.8, 0.9, 0.98]), [BOXES[0], BOXES[1], (20, 20, 30, 30)])
    assert scores == pytest.approx([np.log(4) * 4 / 3, np.log(9) * 4 / 3, np.log(49)])


def test_nothing_is_looked_for_where_there_are_no_parts(tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    pixels = np.full((MIN_SIDE, MIN_SIDE, 3), 128, np.uint8)
    assert suggest_crop(pixels, Runtime(bundle.path("int8.tflite")), bundle.crop_rule) is None
