"""Localization of a network worked out by hand, over a test split of four photos."""

import json
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.segmentations import BACKGROUND, segmentation_path
from flowers_core.explain import localization_evaluation
from flowers_core.explain.localization_evaluation import evaluate_localization
from flowers_core.inference.bundle import Bundle
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

EDGE = 16


def with_edges(seen: np.ndarray) -> np.ndarray:
    """The photo that the model sees in the middle, with a blue edge of 16 pixels left and right."""
    blue = np.full((SIDE, EDGE, 3), (0, 0, 255), np.uint8)
    return np.concatenate([blue, seen, blue], axis=1)


def segment(flowers: OxfordFlowers, photo_id: int, flower_in_middle: np.ndarray) -> None:
    """Segment a photo with edges: the edges are flower, and of the middle what is True."""
    mask = np.pad(flower_in_middle, ((0, 0), (EDGE, EDGE)), constant_values=True)
    path = segmentation_path(flowers.root, photo_id)
    path.parent.mkdir(exist_ok=True)
    save_exactly(np.where(mask[..., None], (200, 100, 50), BACKGROUND).astype(np.uint8), path)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return mean_colour_bundle(tmp_path / "mean_colour")


@pytest.fixture
def flowers(tmp_path: Path) -> OxfordFlowers:
    """Red in the upper half, green everywhere, black, and one without a segmentation."""
    photos = [
        with_edges(quarters(RED, RED, GREEN, BLACK)),
        with_edges(quarters(GREEN, GREEN, GREEN, GREEN)),
        with_edges(quarters(BLACK, BLACK, BLACK, BLACK)),
        with_edges(quarters(RED, RED, RED, RED)),
    ]
    found = data_set(tmp_path / "data", photos)
    upper, left = np.zeros((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool)
    upper[: SIDE // 2], left[:, : SIDE // 2] = True, True
    for photo_id, flower in zip(ids_of_test(found), (upper, left, upper), strict=False):
        segment(found, photo_id, flower)
    return found


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What the network is run on."""
    photos: list[np.ndarray] = []

    class Watched(MeanColourRuntime):
        def forward(self, batch):
            photos.extend(batch)
            return super().forward(batch)

    monkeypatch.setattr(localization_evaluation, "open_runtime", Watched)
    return photos


def ids_of_test(flowers: OxfordFlowers) -> list[int]:
    return sorted(flowers.split_ids("test").tolist())


def test_by_hand(bundle: Bundle, flowers: OxfordFlowers, seen: list[np.ndarray], tmp_path: Path) -> None:
    first, second, third, fourth = ids_of_test(flowers)
    path = tmp_path / "out" / "figures.jsonl"
    record = evaluate_localization(bundle, flowers, path)
    # The first photo is called red, by 1 in each of the two upper cells (4 · 1 / 4) and 0 in the lower ones. Down the
    # 64 rows the map is 1 as far as the centre of the upper cells at 16, falls evenly to 0 at 48, and stays there. Of
    # its sum, 16 + 16, the upper half has 16 + 12: 7/8. The second is called green, by the same everywhere: 1/2.
    # Edges are flower, but the model does not see them: they count neither for the mass nor for the area.
    assert record.ids.tolist() == [first, second]
    assert record.labels.tolist() == [5, 5]
    assert record.predicted.tolist() == [1, 2]
    assert record.mass.tolist() == [pytest.approx(7 / 8, abs=1e-6), pytest.approx(1 / 2, abs=1e-6)]
    assert record.area.tolist() == [1 / 2, 1 / 2]
    # In the third nothing is positive, and the fourth has no segmentation, so the network is not run on it.
    assert record.left_out == 2
    assert len(seen) == 3
    lines = {line[0]: line[1:] for line in map(json.loads, path.read_text().splitlines())}
    assert lines[third] == [1, None]
    assert lines[fourth] == [0, None]
    assert lines[second] == [2, [pytest.approx(0.5), 0.5]]


def test_photos_in_the_file_are_not_computed_again(
    bundle: Bundle, flowers: OxfordFlowers, seen: list[np.ndarray], tmp_path: Path
) -> None:
    first, second, third, _ = ids_of_test(flowers)
    path = tmp_path / "figures.jsonl"
    kept = [[first, 3, [0.25, 0.75]], {"photo": second}, [third, 1, None]]
    path.write_text("".join(json.dumps(line) + "\n" for line in kept))
    record = evaluate_localization(bundle, flowers, path)
    # The line of an older version is passed over, and its photo computed.
    (photo,) = seen
    np.testing.assert_array_equal(photo, quarters(GREEN, GREEN, GREEN, GREEN))
    assert record.ids.tolist() == [first, second]
    assert record.predicted.tolist() == [3, 2]
    assert record.mass.tolist() == [0.25, pytest.approx(0.5)]
    assert record.area.tolist() == [0.75, 0.5]
    assert record.left_out == 2
    assert len(path.read_text().splitlines()) == 5


def test_without_a_segmentation_there_is_nothing_to_mean(bundle: Bundle, tmp_path: Path, seen: list) -> None:
    flowers = data_set(tmp_path / "bare", [with_edges(quarters(RED, RED, RED, RED))])
    record = evaluate_localization(bundle, flowers, tmp_path / "figures.jsonl")
    assert (len(record), record.left_out, record.mean()) == (0, 1, None)
    assert seen == []
