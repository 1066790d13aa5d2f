"""Scores and sanity checks of the closed form on networks worked out by hand."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.segmentations import BACKGROUND, segmentation_path
from flowers_core.explain import method_evaluation
from flowers_core.explain.method_evaluation import corner_part, sanity_checks, score_methods
from flowers_core.explain.metrics.scorecard import Score
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.storage.json_lines import JsonLines
from tests.fixtures.mean_colour import (
    BLACK,
    GREEN,
    RED,
    SIDE,
    MeanColourRuntime,
    data_set,
    mean_colour_bundle,
    quarters,
    save_exactly,
)

ROWS = ["cam", "random", "centre"]
WHITE = (255, 255, 255)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return mean_colour_bundle(tmp_path / "mean_colour")


@pytest.fixture
def flowers(tmp_path: Path) -> OxfordFlowers:
    """A photo that is red above and black below, and one that is black above and green below."""
    photos = [quarters(RED, RED, BLACK, BLACK), quarters(BLACK, BLACK, GREEN, GREEN)]
    return data_set(tmp_path / "data", photos)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method_evaluation, "open_runtime", MeanColourRuntime)


@pytest.fixture
def no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(bundle: Bundle, numeric_format: str) -> None:
        raise AssertionError(f"Nothing is missing, so {numeric_format} of {bundle} need not be loaded.")

    monkeypatch.setattr(method_evaluation, "open_runtime", refuse)


def ids_of_test(flowers: OxfordFlowers) -> list[int]:
    return sorted(flowers.split_ids("test").tolist())


def given(photo_id: int, method: str, **figures: float) -> dict[str, Any]:
    """A line of the file of scores."""
    rest = dict.fromkeys(
        ("insertion", "deletion_beats", "insertion_beats", "beats_centre", "stability_overlap", "seconds"), 0.5
    )
    return Score(photo_id, method, **{"deletion": 0.25, "stability": 1.0, **rest, **figures}).to_json()


def area(colour_sums: list[float]) -> float:
    """The area under the probability of the class whose colour sums up to this over the photo, in tenths of its pixels.

    Its logit is 4 times the mean of its colour, and the other two classes' logits are 0.
    """
    odds = np.exp(4 * np.array(colour_sums) / (255 * SIDE**2))
    probability = odds / (odds + 2)
    return float(((probability[1:] + probability[:-1]) / 2 * 0.1).sum())


def test_deletion_and_insertion_by_hand(bundle, flowers, by_hand, tmp_path: Path) -> None:
    path = tmp_path / "out" / "scores.jsonl"
    first, second = ids_of_test(flowers)
    scores = score_methods(bundle, flowers, [first, second], ["cam"], path)
    assert [(found.photo_id, found.method) for found in scores] == [
        (id_, name) for id_ in (first, second) for name in ROWS
    ]
    # The map falls from the upper to the lower edge, so the 2048 coloured pixels go first, row by row. A deleted pixel
    # gets the mean colour, 127.5, which is rounded to 128.
    counts = [round(SIDE**2 * tenth / 10) for tenth in range(11)]
    deleted = area([255 * max(0, 2048 - count) + 128 * count for count in counts])
    # An inserted pixel gets its own colour in the photo blurred by a sixteenth of its side.
    half = Image.fromarray(quarters(RED, RED, BLACK, BLACK))
    blurred = np.asarray(half.filter(ImageFilter.GaussianBlur(4)), np.float64)[..., 0].ravel()
    inserted = area([255 * min(2048, count) + blurred[count:].sum() for count in counts])
    # The second photo is the first upside down, in the colour of another class.
    for found in (scores[0], scores[3]):
        assert found.deletion == pytest.approx(deleted, abs=1e-6)
        assert found.insertion == pytest.approx(inserted, abs=1e-6)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [found.to_json() for found in scores]


def test_a_score_in_the_file_is_not_computed_again(bundle, flowers, by_hand, tmp_path: Path) -> None:
    first, second = ids_of_test(flowers)
    path = tmp_path / "scores.jsonl"
    # One score is known, and one is of an older version, which had other figures.
    lines = [given(first, "cam", deletion=0.125), {"photo_id": second, "method": "cam", "deletion": 0.0}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    scores = score_methods(bundle, flowers, [second, first], ["cam"], path)
    assert [(found.photo_id, found.method) for found in scores] == [
        (id_, name) for id_ in (second, first) for name in ROWS
    ]
    assert scores[3].deletion == 0.125
    assert scores[0].deletion > 0.3
    # Two were there; the baselines of the first photo are added, and all three of the second.
    added = [json.loads(line) for line in path.read_text().splitlines()[2:]]
    assert [(line["photo_id"], line["method"]) for line in added] == [
        *((second, name) for name in ROWS),
        (first, "random"),
        (first, "centre"),
    ]


def test_some_photos_are_looked_at_closely(bundle, flowers, by_hand, tmp_path: Path) -> None:
    """The flower is the red half of the first photo. The second has no segmentation."""
    first, second = ids_of_test(flowers)
    path = tmp_path / "scores.jsonl"
    segmentation = quarters(RED, RED, BACKGROUND, BACKGROUND)
    segmentation_path(flowers.root, first).parent.mkdir()
    save_exactly(segmentation, segmentation_path(flowers.root, first))
    close, far = score_methods(bundle, flowers, [first, second], ["cam"], path, closely=[first])[::3]
    # The map falls from the upper edge to the lower, so its brightest half is the flower, and ROAD leaves it for last.
    assert close.rank == 1
    assert close.mass > 0.75
    assert close.road > 0.1
    assert (far.rank, far.mass, far.road, far.consistency) == (None, None, None, None)
    # A score from before the closer look is computed again, the other is kept.
    close_again, near = score_methods(bundle, flowers, [first, second], ["cam"], path, closely=[first, second])[::3]
    assert close_again == close
    assert near.road > 0.1
    assert near.rank is None


def test_nothing_is_loaded_if_nothing_is_missing(bundle, flowers, no_runtime, tmp_path: Path) -> None:
    first, _ = ids_of_test(flowers)
    path = tmp_path / "scores.jsonl"
    lines = [given(first, name, deletion=deletion) for name, deletion in zip(ROWS, (0.1, 0.2, 0.3), strict=True)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    scores = score_methods(bundle, flowers, [first], ["cam"], path)
    assert [found.deletion for found in scores] == [0.1, 0.2, 0.3]


def test_without_the_keras_model_or_photos_the_sanity_check_returns_what_is_kept(
    bundle, flowers, tmp_path: Path
) -> None:
    path = tmp_path / "sanity.json"
    assert sanity_checks(bundle, flowers, ids_of_test(flowers), ["cam"], path) == {}
    assert not path.exists()
    path.write_text('{"occlusion": {"0": 0.5}}')
    assert sanity_checks(bundle, flowers, ids_of_test(flowers), ["cam"], path) == {"occlusion": {"0": 0.5}}
    BundleWriter.open(bundle.folder).add_bytes("classifier.keras", b"not read")
    with_classifier = load_bundle(bundle.folder)
    assert sanity_checks(with_classifier, flowers, [], ["cam"], path) == {"occlusion": {"0": 0.5}}


def test_a_network_of_equal_weights_is_the_same_after_shuffling(bundle, tmp_path: Path) -> None:
    import keras
    from keras import layers

    from flowers_core.networks.classifier import build_classifier, save_half

    photos = keras.Input((SIDE, SIDE, 3), name="photo")
    cells = layers.Conv2D(2, 16, strides=16, activation="relu")(layers.Rescaling(1 / 255)(photos))
    classifier = build_classifier(keras.Model(photos, cells, name="equal"), 3)
    for layer in classifier.layers:
        layer.set_weights([np.full_like(weight, 1 / 64 if weight.ndim > 1 else 0) for weight in layer.get_weights()])
    BundleWriter.open(bundle.folder).add_file("classifier.keras", lambda path: save_half(classifier, path))
    with_classifier = load_bundle(bundle.folder)
    flowers = data_set(tmp_path / "grey", [quarters(WHITE, BLACK, RED, BLACK)])
    path = tmp_path / "sanity.json"
    expected = {"cam": {**dict.fromkeys(("0", "0.5", "1"), pytest.approx(1.0)), "complexity_rise": 0}}
    assert sanity_checks(with_classifier, flowers, ids_of_test(flowers), ["cam"], path) == expected
    assert json.loads(path.read_text()) == expected
    # What the file holds is not computed again.
    path.write_text('{"cam": {"0": 0.125}}')
    assert sanity_checks(with_classifier, flowers, ids_of_test(flowers), ["cam"], path) == {"cam": {"0": 0.125}}


@pytest.mark.parametrize(("corner", "where"), [(0, (49, 49)), (1, (49, 21)), (2, (21, 49)), (3, (21, 21))])
def test_a_corner_s_part_has_the_photo_s_middle_off_its_centre(corner: int, where: tuple[int, int]) -> None:
    """A photo of 98 × 140 pixels: the part is 70 × 70, and 0.7 of that is 49."""
    pixels = np.zeros((98, 140, 3), np.uint8)
    pixels[49, 70] = 255
    part = corner_part(pixels, corner)
    assert part.shape == (70, 70, 3)
    assert np.argwhere(part.any(axis=2)).tolist() == [list(where)]


def test_methods_are_timed_anew_and_nothing_else_changes(
    bundle: Bundle, flowers: OxfordFlowers, by_hand: None, tmp_path: Path
) -> None:
    path, photos = tmp_path / "scores.jsonl", ids_of_test(flowers)
    before = score_methods(bundle, flowers, photos, ["cam"], path)
    slow = [replace(found, seconds=1000.0) for found in before if found.method == "cam"]
    with JsonLines(path) as lines:
        for found in slow:
            lines.add(found.to_json())
    after = score_methods(bundle, flowers, photos, ["cam"], path, time_anew=True)
    assert all(found.seconds < 100 for found in after)
    assert [replace(found, seconds=0) for found in after] == [replace(found, seconds=0) for found in before]
    assert score_methods(bundle, flowers, photos, ["cam"], path) == after  # they are kept
