"""The Explanation and its way from the model's frame to the photo's."""

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.explain.explanation import (
    ClassTarget,
    ContrastTarget,
    Explanation,
    nearest_in_photo,
    pixels_inside,
    to_photo,
)

# Central crops of 7/8 of the short side, worked out by hand: 300 · 7/8 = 262.5, margins 18.75 and 68.75.
PORTRAIT = ((300, 400), (18.75, 68.75, 281.25, 331.25))
LANDSCAPE = ((400, 300), (68.75, 18.75, 331.25, 281.25))


def explanation(contributions, *, box=(0.0, 0.0, 4.0, 4.0), photo_size=(4, 4), **more) -> Explanation:
    contributions = np.asarray(contributions)
    return Explanation(
        "cam", ClassTarget(1), contributions, float(contributions.sum()), "logit", box, photo_size, seconds=0.0, **more
    )


def centre_of_mass(heat: np.ndarray) -> tuple[float, float]:
    """In pixels' edges: the centre of the first pixel is 0.5."""
    y, x = np.indices(heat.shape) + 0.5
    return float((x * heat).sum() / heat.sum()), float((y * heat).sum() / heat.sum())


@pytest.mark.parametrize(("photo_size", "box"), [PORTRAIT, LANDSCAPE])
@pytest.mark.parametrize(("row", "column"), [(3, 3), (1, 5), (2, 1), (5, 4)])
def test_a_hot_cell_lands_on_its_place_in_the_photo(photo_size, box, row, column):
    cells = np.zeros((7, 7), np.float32)
    cells[row, column] = 1
    heat = explanation(cells, box=box, photo_size=photo_size).heatmap()
    assert heat.shape == photo_size[::-1]
    assert heat.dtype == np.float32
    # 262.5 / 7 = 37.5 pixels to a cell.
    expected = box[0] + 37.5 * (column + 0.5), box[1] + 37.5 * (row + 0.5)
    assert centre_of_mass(heat) == pytest.approx(expected, abs=0.02)
    assert heat.max() == pytest.approx(1, abs=0.03)  # no pixel's centre need fall on the cell's
    assert heat.sum() == pytest.approx(37.5**2, rel=1e-3)


@pytest.mark.parametrize(("photo_size", "box"), [PORTRAIT, LANDSCAPE])
def test_what_the_model_saw_comes_back_to_where_it_was(photo_size, box):
    """The round trip with the real crop: a bright spot in the photo, found in the model's input, laid back."""
    width, height = photo_size
    y, x = np.indices((height, width)) + 0.5
    spot = 250 * np.exp(-(((x - 118.0) ** 2 + (y - 207.0) ** 2) / (2 * 12.0**2)))
    pixels = np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2)
    seen = model_input(pixels, CropRule(size=112, crop_fraction=0.875))
    assert seen.box == pytest.approx(box)
    heat = to_photo(seen.pixels[..., 0].astype(np.float32), seen.box, photo_size)
    assert centre_of_mass(heat) == pytest.approx((118.0, 207.0), abs=0.1)


def test_a_ramp_stays_a_ramp_and_continues_flat_beyond_the_outer_centres():
    # Four cells over pixels 2…9 of twelve: two pixels to a cell, centres at 3, 5, 7, 9.
    cells = np.array([[0.0, 1.0, 2.0, 3.0]])
    row = to_photo(cells, (2.0, 0.0, 10.0, 1.0), (12, 1))[0]
    # The pixel from 2 to 3 has its centre at 2.5, before the first cell's: flat. 3.5 is a quarter of the way on
    # from 3 to 5.
    assert row == pytest.approx([0, 0, 0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3, 0, 0])


def test_interpolation_is_pillows():
    cells = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    ours = to_photo(cells, (0.0, 0.0, 60.0, 84.0), (60, 84))
    pillows = np.asarray(Image.fromarray(cells).resize((60, 84), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(ours, pillows, atol=1e-5)


def test_nothing_is_claimed_where_the_model_did_not_look():
    size, box = LANDSCAPE
    heat = explanation(np.ones((7, 7)), box=box, photo_size=size).heatmap()
    # Centres at 69.5 … 330.5 and 19.5 … 280.5 lie inside; 18.75 cuts the pixel from 18 to 19, whose centre is outside.
    inside = np.zeros((300, 400), bool)
    inside[19:281, 69:331] = True
    np.testing.assert_array_equal(heat, inside.astype(np.float32))


def test_pixels_count_by_their_centres():
    assert pixels_inside(10, 2.5, 4.5) == slice(2, 4)
    assert pixels_inside(10, 2.6, 4.6) == slice(3, 5)
    assert pixels_inside(10, 2.6, 3.4) == slice(0, 0)


def test_regions_keep_their_edges_and_their_numbers():
    regions = np.array([[0, 1], [2, 2]], np.int32)
    weights = np.array([0.5, -1.0, 2.0], np.float32)
    explained = Explanation(
        "lime",
        ClassTarget(1),
        weights[regions],
        1.5,
        "probability",
        (1.0, 0.0, 5.0, 4.0),
        (6, 4),
        seconds=0.0,
        superpixels=regions,
    )
    outside = -1
    expected = np.array([[outside, 0, 0, 1, 1, outside]] * 2 + [[outside, 2, 2, 2, 2, outside]] * 2)
    np.testing.assert_array_equal(explained.photo_superpixels(), expected)
    np.testing.assert_array_equal(explained.heatmap(), np.append(weights, 0)[expected])
    np.testing.assert_array_equal(explained.terms, weights)
    assert explained.terms.sum() == pytest.approx(explained.value)


def test_nearest_keeps_the_type_and_takes_the_cell_that_holds_the_centre():
    cells = np.array([[1, 2, 3]], np.int64)
    laid = nearest_in_photo(cells, (0.0, 0.0, 4.0, 1.0), (4, 1), outside=-1)
    assert laid.dtype == np.int64
    # Cells are 4/3 wide; centres 0.5, 1.5, 2.5, 3.5 fall in cells 0, 1, 1, 2.
    assert laid.tolist() == [[1, 2, 2, 3]]


def test_without_regions_every_cell_is_a_part():
    explained = explanation([[1.0, -2.0], [3.0, 0.5]])
    assert explained.terms.tolist() == [1.0, -2.0, 3.0, 0.5]
    assert explained.photo_superpixels() is None


@pytest.mark.parametrize(
    ("contributions", "floor", "expected"),
    [
        ([[1.0, -5.0]], 0.0, True),
        ([[0.0, 0.0]], 0.0, False),
        ([[-1.0, -5.0]], 0.0, False),
        ([[0.04, -5.0]], 0.0, False),  # 0.8 % of what speaks against: a speck
        ([[0.06, -5.0]], 0.0, True),
        ([[0.0009, 0.0]], 0.001, False),
        ([[0.0011, 0.0]], 0.001, True),
    ],
)
def test_positive_evidence(contributions, floor, expected):
    assert explanation(contributions, epsilon=floor).has_positive_evidence is expected


def test_an_explanation_cannot_be_changed_from_outside():
    cells = np.ones((2, 2))
    settings = {"samples": 5}
    explained = explanation(cells, settings=settings)
    cells[:] = 7
    settings["samples"] = 9
    assert explained.contributions.max() == 1
    assert explained.settings["samples"] == 5
    with pytest.raises(ValueError, match="read-only"):
        explained.contributions[0, 0] = 3
    with pytest.raises(TypeError):
        explained.settings["samples"] = 1


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        explanation([[np.nan, 1.0]])
    with pytest.raises(ValueError, match=r"\(h, w\)"):
        explanation(np.ones((2, 2, 3)))
    with pytest.raises(ValueError, match="does not lie in a photo"):
        explanation(np.ones((2, 2)), box=(0.0, 0.0, 5.0, 4.0))
    with pytest.raises(ValueError, match="does not lie in a photo"):
        explanation(np.ones((2, 2)), box=(3.0, 0.0, 3.0, 4.0))
    with pytest.raises(ValueError, match="differ in shape"):
        explanation(np.ones((2, 2)), superpixels=np.zeros((3, 2), np.int32))
    with pytest.raises(ValueError, match=r"Margins .* differ in shape"):
        explanation(np.ones((2, 2)), margins=np.zeros((3, 2), np.float32))


def test_targets_are_values():
    """Equal targets are one key in a cache."""
    assert {ClassTarget(3): "a"}[ClassTarget(3)] == "a"
    assert ContrastTarget(3, 4) != ContrastTarget(4, 3)
