"""Edits by hand, against the model's own input, NumPy's turns and colours worked out by hand."""

import numpy as np
import pytest

from flowers_core.data.edit import FILLS, GRID, Edit, EditError, edited
from flowers_core.data.model_input import CropRule, model_input


def noise(height: int = 90, width: int = 120, seed: int = 0) -> np.ndarray:
    """A photo of smooth noise, which no two places share."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 15, width // 15, 3), dtype=np.uint8)
    return coarse.repeat(15, axis=0).repeat(15, axis=1)


def brushed(rows: slice, columns: slice) -> np.ndarray:
    cells = np.zeros((GRID, GRID), bool)
    cells[rows, columns] = True
    return cells


@pytest.mark.parametrize("crop_fraction", [1.0, 0.5])
def test_an_edit_that_changes_nothing_is_the_models_input(crop_fraction: float) -> None:
    photo = noise()
    expected = model_input(photo, CropRule(64, crop_fraction)).pixels
    assert np.array_equal(edited(photo, Edit(side=crop_fraction), 64), expected)


def test_a_frame_is_the_input_of_that_part() -> None:
    photo = noise()
    part = photo[45:90, 75:120]
    expected = model_input(part, CropRule(45)).pixels
    assert np.array_equal(edited(photo, Edit(x=97.5 / 120, y=67.5 / 90, side=0.5), 45), expected)
    # Beyond the edge there is nothing: the frame stays at it.
    assert np.array_equal(edited(photo, Edit(x=1, y=1, side=0.5), 45), expected)


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_a_frame_turned_clockwise_shows_the_photo_turned_the_other_way(angle: float, turns: int) -> None:
    photo = noise(90, 90)
    turned = edited(photo, Edit(angle=angle), 90).astype(int)
    expected = np.rot90(photo, turns).astype(int)
    # Interpolation differs at the borders of the squares, not inside them.
    inside = np.zeros((6, 15, 6, 15), bool)
    inside[:, 5:10, :, 5:10] = True
    assert np.abs(turned - expected)[inside.reshape(90, 90)].max() <= 2
    assert np.abs(edited(photo, Edit(angle=angle), 90).astype(int) - photo)[inside.reshape(90, 90)].max() > 100


def test_a_turned_frame_has_its_place_in_a_wide_photo() -> None:
    photo = noise(90, 180)
    seen = edited(photo, Edit(x=0.75, y=0.5, side=0.5, angle=90), 45).astype(int)
    expected = np.rot90(photo[22:67, 112:157]).astype(int)
    assert np.abs(seen - expected).mean() < 12
    assert np.abs(edited(photo, Edit(x=0.25, y=0.5, side=0.5, angle=90), 45).astype(int) - expected).mean() > 40


def test_beside_the_photo_a_turned_frame_shows_the_mean_colour() -> None:
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[:, :32] = (200, 100, 40)
    seen = edited(photo, Edit(angle=45), 64)
    assert seen[0, 0].tolist() == [100, 50, 20]


def test_a_large_photo_is_shrunk_before_it_is_turned() -> None:
    # Lines of one pixel, which every few pixels alone would show as black or as white.
    photo = np.zeros((1024, 1024, 3), np.uint8)
    photo[:, ::2] = 255
    seen = edited(photo, Edit(angle=180), 64)
    assert np.abs(seen.astype(int) - 127).max() <= 8


@pytest.mark.parametrize(("light", "expected"), [(0.5, (50, 100, 5)), (2.0, (200, 255, 20)), (1.0, (100, 200, 10))])
def test_light_multiplies_and_burns_out(light: float, expected: tuple[int, ...]) -> None:
    photo = np.full((40, 40, 3), (100, 200, 10), np.uint8)
    assert edited(photo, Edit(light=light), 8)[4, 4].tolist() == list(expected)


def test_what_was_brushed_away_is_filled() -> None:
    # Red on the left, blue on the right, and a green flower in the red.
    photo = np.zeros((320, 320, 3), np.uint8)
    photo[:, :160], photo[:, 160:] = (240, 0, 0), (0, 0, 240)
    photo[120:200, 40:120] = (0, 240, 0)
    brush = brushed(slice(10, 22), slice(2, 14))
    middle = {fill: edited(photo, Edit(brushed=brush, fill=fill), 320)[160, 80].astype(int) for fill in FILLS}
    green = 80 * 80 / 320**2
    assert np.abs(middle["mean"] - 240 * np.array([0.5 - green, green, 0.5])).max() <= 1
    # The blur keeps some of the flower's colour in its place, the surroundings none: mostly the red near by.
    assert middle["blur"][1] > 100
    assert middle["surroundings"][1] == 0
    assert middle["surroundings"][0] > 3 * middle["surroundings"][2]


def test_what_was_not_brushed_stays() -> None:
    photo = noise()
    seen = edited(photo, Edit(brushed=brushed(slice(0, 8), slice(0, 32)), fill="mean"), 96)
    as_it_was = edited(photo, Edit(), 96)
    assert np.array_equal(seen[36:], as_it_was[36:])
    assert not np.array_equal(seen[:20], as_it_was[:20])


def test_the_surroundings_are_the_mean_of_all_cells_weighed_by_distance() -> None:
    photo = np.zeros((GRID, GRID, 3), np.uint8)
    photo[0, 0], photo[31, 31] = 200, 100
    everything_but_two = ~brushed(slice(0, 1), slice(0, 1)) & ~brushed(slice(31, 32), slice(31, 32))
    seen = edited(photo, Edit(brushed=everything_but_two), GRID)
    # Cell (10, 10): 1 / 200² of the first and 1 / 882² of the second.
    near, far = 1 / 200**2, 1 / 882**2
    assert abs(int(seen[10, 10, 0]) - (200 * near + 100 * far) / (near + far)) <= 1
    assert edited(photo, Edit(brushed=np.ones((GRID, GRID), bool)), GRID)[5, 5, 0] <= 1


def test_a_page_sends_an_edit_as_plain_values() -> None:
    cells = brushed(slice(1, 2), slice(0, 3))
    values = {"x": 0.25, "y": 1, "side": 0.5, "angle": -30, "light": 2, "fill": "blur"}
    edit = Edit.from_json(values | {"brushed": "00000000" + "e0000000" + "00000000" * 30})
    assert (edit.x, edit.y, edit.side, edit.angle, edit.light, edit.fill) == (0.25, 1, 0.5, -30, 2, "blur")
    assert np.array_equal(edit.brushed, cells)


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": 1.2}, {"x": "left"}, {"side": 0}, {"light": 100}, {"angle": float("inf")}, {"angle": None},
        {"brushed": "ff"}, {"brushed": "zz" * 128}, {"fill": "gold"}, {"y": float("nan")},
    ],
)  # fmt: skip
def test_values_that_are_no_edit_are_refused(wrong: dict) -> None:
    right = {"x": 0.5, "y": 0.5, "side": 1, "angle": 0, "light": 1, "brushed": "00" * 128, "fill": "mean"}
    Edit.from_json(right)
    with pytest.raises(EditError):
        Edit.from_json(right | wrong)
