"""Maps of a photo and of its parts, on a network that sees each cell's mean colour."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from flowers_core.explain.attributions.log_odds import log_odds_direction
from flowers_core.explain.attributions.zoomed_cam import (
    POINTS,
    SMOOTHING,
    enlarged,
    explain_zoomed_cam,
    mean_over_photo,
    part_boxes,
)
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget, to_photo
from flowers_core.explain.subject import Subject
from tests.fixtures.subjects import subject

SIZE, CELLS = 64, 4
HEAD = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)


def features(photos: np.ndarray) -> np.ndarray:
    """(n, 4, 4, 3): each cell's mean colour."""
    side = SIZE // CELLS
    return photos.reshape(-1, CELLS, side, CELLS, side, 3).mean(axis=(2, 4)) / 255


def logits(photos: np.ndarray) -> np.ndarray:
    return features(photos).mean(axis=(1, 2)) @ HEAD


def test_parts_cover_the_photo_and_overlap():
    assert part_boxes(64)[:2] == [(0, 0, 32, 32), (16, 0, 48, 32)]
    assert part_boxes(64)[-1] == (32, 32, 64, 64)
    assert len(part_boxes(64)) == 9


def test_a_part_is_enlarged_to_the_whole():
    photo = np.zeros((SIZE, SIZE, 3), np.uint8)
    photo[:32, :32] = 200
    (part,) = enlarged(photo, [(0, 0, 32, 32)])
    assert part.shape == photo.shape
    assert (part == 200).all()


def test_a_pixel_s_mean_is_over_the_boxes_that_hold_it():
    maps = np.stack([np.full((2, 2), 1.0), np.full((2, 2), 4.0)])
    found = mean_over_photo(maps, [(0, 0, 8, 8), (0, 0, 4, 4)], 8)
    assert (found[:4, :4] == 2.5).all()
    assert (found[4:] == 1).all()


def seen(photo: np.ndarray) -> Subject:
    return subject(photo, logits, feature_maps=features, head=HEAD, features=features(photo[None])[0])


def test_a_photo_of_one_colour_speaks_alike_everywhere():
    photo = np.full((SIZE, SIZE, 3), (200, 30, 90), np.uint8)
    found = explain_zoomed_cam(seen(photo), ContrastTarget(1, 3))
    gap = float(photo[0, 0] / 255 @ (HEAD[:, 0].astype(float) - HEAD[:, 2]))
    assert found.contributions.shape == (POINTS * CELLS, POINTS * CELLS)
    np.testing.assert_allclose(found.contributions, gap / (POINTS * CELLS) ** 2, rtol=1e-5)
    assert found.value == pytest.approx(gap)
    assert found.settings["forward_passes"] == 10


def test_the_map_is_the_smoothed_mean_of_the_whole_and_the_mean_of_its_parts():
    photo = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    found = explain_zoomed_cam(seen(photo), ClassTarget(2))
    direction = log_odds_direction(HEAD, ClassTarget(2), lambda: logits(photo[None])[0], seen(photo).temperature)
    parts = np.stack([features(part[None])[0] @ direction for part in enlarged(photo, part_boxes(SIZE))])
    points = POINTS * CELLS
    whole = to_photo(features(photo[None])[0] @ direction, (0, 0, points, points), (points, points))
    both = whole / 2 + mean_over_photo(parts, part_boxes(points), points) / 2
    mean = gaussian_filter(both, SMOOTHING * POINTS, mode="nearest", truncate=2.5)
    np.testing.assert_allclose(found.contributions, mean / points**2, atol=1e-7)


def test_parts_show_what_is_finer_than_a_cell():
    """A red bar of six columns within one of the cells, 16 wide: enlarged, its side of the cell is seen."""
    photo = np.zeros((SIZE, SIZE, 3), np.uint8)
    photo[:, 32:38, 0] = 255
    columns = explain_zoomed_cam(seen(photo), ContrastTarget(1, 3)).heatmap().sum(axis=0)
    whole = to_photo(features(photo[None])[0, :, :, 0], (0, 0, SIZE, SIZE), (SIZE, SIZE)).sum(axis=0)
    coarse = gaussian_filter(whole, SMOOTHING * SIZE / CELLS, mode="nearest", truncate=2.5)

    def middle(along: np.ndarray) -> float:
        return float((np.arange(SIZE) + 0.5) @ along / along.sum())

    # The cell's middle is column 40, the bar's 35. Half of the map is the whole photo's.
    assert middle(coarse) - middle(columns) > 0.8


def test_a_neighbour_is_refused():
    photo = np.zeros((SIZE, SIZE, 3), np.uint8)
    with pytest.raises(ValueError, match="not a neighbour"):
        explain_zoomed_cam(seen(photo), NeighbourTarget(1))
