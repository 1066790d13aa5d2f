"""What is drawn on the photo, pixel by pixel."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Explanation
from flowers_core.explain.overlay import (
    COLORMAPS,
    colourise,
    dim_outside,
    draw,
    is_diverging,
    legend,
    outline,
    overlay,
    value_range,
)

ORANGE, BLUE = (213, 94, 0), (0, 114, 178)  # Okabe and Ito's vermillion and blue
# plasma's last entry, (0.940015, 0.975158, 0.131326).
PLASMA_END = (240, 249, 33)

# How people without one kind of cone see linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
COLOUR_BLIND = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def photo(height: int = 12, width: int = 20) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


def grey_of(pixels: np.ndarray) -> np.ndarray:
    return np.repeat((pixels @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)  # ITU-R 601, Pillow's "L"


def colours(colormap: str, values) -> np.ndarray:
    return colourise(np.asarray(values, float)[None], colormap, limit=1.0)[0]


def seen_by(kind: str, rgb: np.ndarray) -> np.ndarray:
    """CIELAB of colours (n, 3) uint8 as such a person sees them."""
    encoded = rgb / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    if kind != "all cones":
        linear = np.clip(linear @ np.array(COLOUR_BLIND[kind]).T, 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055))


# ---- colours -----------------------------------------------------------------------------------------------------


def test_ends_and_middles():
    evidence = colours("evidence", [-1, 0, 0.5, 1, 3])
    assert evidence[:, 3].tolist() == [0, 0, 255, 255, 255]
    assert evidence[3, :3].tolist() == evidence[4, :3].tolist() == list(PLASMA_END)
    contrast = colours("contrast", [-2, -1, 0, 1, 2])
    assert contrast[:, 3].tolist() == [255, 255, 0, 255, 255]
    assert contrast[:2, :3].tolist() == [list(BLUE)] * 2
    assert contrast[3:, :3].tolist() == [list(ORANGE)] * 2


def test_faint_values_are_faint_and_both_signs_alike():
    values = np.linspace(0, 1, 101)
    for colormap in COLORMAPS:
        strength = colours(colormap, values)[:, 3].astype(int)
        assert (np.diff(strength) >= 0).all()
        assert strength[5] < 10  # a twentieth of the strongest hardly shows
        if is_diverging(colormap):
            np.testing.assert_array_equal(colours(colormap, -values)[:, 3], strength)


@pytest.mark.parametrize("colormap", [name for name in COLORMAPS if not is_diverging(name)])
@pytest.mark.parametrize("kind", ["all cones", *COLOUR_BLIND])
def test_sequential_maps_grow_lighter_for_everybody(colormap, kind):
    lightness = seen_by(kind, colours(colormap, np.linspace(0, 1, 33))[:, :3])[:, 0]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[0] > 60


@pytest.mark.parametrize("kind", ["all cones", *COLOUR_BLIND])
def test_the_two_sides_of_a_contrast_differ_for_everybody(kind):
    values = np.linspace(0.25, 1, 16)
    positive = seen_by(kind, colours("contrast", values)[:, :3])
    negative = seen_by(kind, colours("contrast", -values)[:, :3])
    # CIE 1976 differences; 2.3 is just noticeable.
    assert np.linalg.norm(positive[:, None] - negative[None], axis=-1).min() > 25


def test_the_scale_is_the_maps_own_unless_given():
    heat = np.array([[-4.0, 0.5, 2.0]])
    assert value_range(heat) == (0.0, 2.0)
    assert value_range(heat, "contrast") == (-4.0, 4.0)
    assert value_range(-np.abs(heat)) == (0.0, 0.0)
    assert colourise(heat)[0, 2, :3].tolist() == list(PLASMA_END)
    # Beside a map that reaches 8, this one's 2 is a quarter, drawn half as thick (smooth step of ½) and dark.
    compared = colourise(heat, limit=8.0)[0, 2]
    assert compared[3] == 128
    assert compared[:3].sum() < sum(PLASMA_END)


# ---- on the photo ------------------------------------------------------------------------------------------------


def test_overlay_by_hand():
    pixels = photo()
    heat = np.zeros((12, 20), np.float32)
    heat[3, 4], heat[5, 6], heat[7, 8] = 2.0, 0.5, -9.0
    drawn = overlay(pixels, heat, opacity=0.6)
    assert drawn.dtype == np.uint8
    drained = 0.4 * pixels + 0.6 * grey_of(pixels)
    # Full value: six tenths of the map's last colour. A quarter of it: half as thick.
    expected = drained.copy()
    expected[3, 4] = 0.4 * drained[3, 4] + 0.6 * np.array(PLASMA_END)
    quarter = colours("evidence", [0.25])[0]
    assert quarter[3] in (127, 128, 129, 130)
    share = 0.6 * quarter[3] / 255
    expected[5, 6] = (1 - share) * drained[5, 6] + share * quarter[:3]
    np.testing.assert_allclose(drawn, expected, atol=2)


def test_opacity_runs_from_the_photo_to_the_map():
    pixels = photo()
    heat = np.full((12, 20), 1.0)
    np.testing.assert_array_equal(overlay(pixels, heat, opacity=0.0), pixels)
    np.testing.assert_array_equal(overlay(pixels, heat, opacity=1.0), np.broadcast_to(PLASMA_END, pixels.shape))


@pytest.mark.parametrize("heat", [np.zeros((12, 20)), np.full((12, 20), -1.0)])
def test_no_positive_evidence_draws_nothing(heat):
    pixels = photo()
    drawn = overlay(pixels, heat)
    np.testing.assert_array_equal(drawn, pixels)
    assert drawn is not pixels
    np.testing.assert_array_equal(overlay(pixels, heat, limit=3.0), pixels)


def test_a_contrast_draws_both_signs():
    pixels = photo()
    heat = np.zeros((12, 20))
    heat[0, 0], heat[1, 1] = 1.0, -1.0
    drawn = overlay(pixels, heat, 1.0, "contrast")
    assert drawn[0, 0].tolist() == list(ORANGE)
    assert drawn[1, 1].tolist() == list(BLUE)
    np.testing.assert_allclose(drawn[2:], grey_of(pixels)[2:], atol=1)


def test_draw_knows_what_an_explanation_needs():
    def explanation(cells, target) -> Explanation:
        return Explanation("cam", target, np.array(cells), 0.0, "logit", (4.0, 0.0, 16.0, 12.0), (20, 12), seconds=0.0)

    pixels = photo()
    found = explanation([[1.0, -3.0], [0.5, 0.0]], ClassTarget(1))
    expected = overlay(pixels, found.heatmap(), 0.6, "evidence", box=found.box)
    np.testing.assert_array_equal(draw(pixels, found, 0.6), expected)
    # Two sides for a contrast.
    contrast = explanation([[1.0, -3.0], [0.5, 0.0]], ContrastTarget(1, 2))
    expected = overlay(pixels, contrast.heatmap(), 0.6, "contrast", box=found.box)
    np.testing.assert_array_equal(draw(pixels, contrast, 0.6), expected)
    # A speck of 0.02 beside −3 would be drawn at full colour on a scale of its own.
    speck = explanation([[0.02, -3.0], [-1.0, 0.0]], ClassTarget(1))
    assert (overlay(pixels, speck.heatmap()) != pixels).any()
    np.testing.assert_array_equal(draw(pixels, speck), dim_outside(pixels, speck.box))
    np.testing.assert_array_equal(
        draw(pixels, speck, colormap="contrast"), overlay(pixels, speck.heatmap(), 0.75, "contrast", box=speck.box)
    )


def test_a_read_only_photo_is_left_alone():
    pixels = photo()
    pixels.setflags(write=False)
    before = pixels.copy()
    overlay(pixels, np.ones((12, 20)), box=(2.0, 2.0, 10.0, 10.0))
    outline(pixels, np.indices((12, 20))[1] // 5)
    np.testing.assert_array_equal(pixels, before)


def test_what_was_not_seen_is_dim_grey_and_hatched():
    pixels = np.full((40, 60, 3), (200, 40, 40), np.uint8)
    drawn = dim_outside(pixels, (9.6, 0.0, 50.4, 40.0))
    # Centres 10.5 … 49.5 lie inside.
    np.testing.assert_array_equal(drawn[:, 10:50], pixels[:, 10:50])
    outside = np.concatenate([drawn[:, :10], drawn[:, 50:]], axis=1).astype(int)
    # Luma of (200, 40, 40) is 88: halfway to grey (144, 64, 64), two fifths of that (57, 25, 25); lines 45 lighter.
    seen, counts = np.unique(outside.reshape(-1, 3), axis=0, return_counts=True)
    np.testing.assert_allclose(seen, [[57, 25, 25], [102, 70, 70]], atol=1)
    assert counts[1] / counts.sum() == pytest.approx(1 / 8, abs=0.02)
    # The lines run along y + x, whatever the side.
    y, x = np.indices((40, 60))
    lines = drawn[..., 0].astype(int) == 102
    assert set(np.unique((y + x)[lines] % 8)) == {0}


def test_overlay_dims_outside_the_box():
    pixels, box = photo(), (4.0, 0.0, 16.0, 12.0)
    heat = np.zeros((12, 20))
    heat[5, 5] = 1
    np.testing.assert_array_equal(overlay(pixels, heat, box=box), dim_outside(overlay(pixels, heat), box))
    np.testing.assert_array_equal(overlay(pixels, heat * 0, box=box), dim_outside(pixels, box))


def test_outlines_by_hand():
    pixels = np.full((6, 8, 3), 90, np.uint8)
    regions = np.zeros((6, 8), int)
    regions[:, 4:] = 1
    drawn = outline(pixels, regions)[..., 0]
    # White on the first column of the right region, a third of the photo's brightness on both sides of it.
    assert (drawn == np.array([90, 90, 90, 30, 255, 30, 90, 90])).all()


def test_outlines_grow_with_the_photo():
    regions = np.zeros((16, 2400), int)
    regions[:, 1200:] = 1
    drawn = outline(np.full((16, 2400, 3), 90, np.uint8), regions)[8, :, 0]
    assert np.flatnonzero(drawn == 255).tolist() == list(range(1198, 1203))
    assert (drawn == 30).sum() == 6


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_the_legend_shows_what_the_overlay_paints(colormap):
    bar = legend(colormap, 0.5, width=101, height=7)
    assert bar.shape == (7, 101, 4)
    assert (bar == bar[0]).all()
    low = -1 if is_diverging(colormap) else 0
    expected = colours(colormap, np.linspace(low, 1, 101))
    np.testing.assert_array_equal(bar[0, :, :3], expected[:, :3])
    np.testing.assert_allclose(bar[0, :, 3], expected[:, 3] / 2, atol=1)
    Image.fromarray(bar)  # an RGBA picture that Pillow takes


def test_below_the_threshold_nothing_is_drawn_and_above_it_colours_stay():
    pixels = photo(4, 8)
    cells = np.array([[0.0, 1.0, 2.0, 4.0, -2.0, -1.0, 3.0, 0.5]] * 4, np.float32)
    found = Explanation("cam", ClassTarget(1), cells, 0.0, "logit", (0, 0, 8, 4), (8, 4), seconds=0.0)
    whole, part = draw(pixels, found, 0.6), draw(pixels, found, 0.6, threshold=0.5)
    kept = np.array([False, False, True, True, False, False, True, False])
    np.testing.assert_array_equal(part[:, kept], whole[:, kept])
    nothing = overlay(pixels, np.where(kept, cells, 0), 0.6)[:, ~kept]
    np.testing.assert_array_equal(part[:, ~kept], nothing)
    # Of a contrast both sides are judged by the stronger of them; with a limit the share is of that.
    contrast = Explanation("cam", ContrastTarget(1, 2), cells, 0.0, "logit", (0, 0, 8, 4), (8, 4), seconds=0.0)
    expected = overlay(pixels, np.where(np.abs(cells) >= 2, cells, 0), 0.6, "contrast", limit=4.0)
    np.testing.assert_array_equal(draw(pixels, contrast, 0.6, threshold=0.5), expected)
    expected = overlay(pixels, np.where(cells >= 4, cells, 0), 0.6, limit=8.0)
    np.testing.assert_array_equal(draw(pixels, found, 0.6, limit=8.0, threshold=0.5), expected)
    with pytest.raises(ValueError, match="threshold"):
        draw(pixels, found, threshold=1.1)


def test_what_cannot_be_is_refused():
    heat = np.ones((12, 20))
    with pytest.raises(ValueError, match="no colour map"):
        overlay(photo(), heat, colormap="jet")
    with pytest.raises(ValueError, match="does not fit"):
        overlay(photo(), heat.T)
    with pytest.raises(ValueError, match="does not fit"):
        outline(photo(), heat.T.astype(int))
    with pytest.raises(ValueError, match="Opacity"):
        overlay(photo(), heat, opacity=1.2)
    with pytest.raises(ValueError, match="limit"):
        overlay(photo(), heat, limit=0.0)


def test_the_sequential_map_has_the_colours_of_matplotlibs_plasma():
    from matplotlib import colormaps

    expected = np.rint(255 * colormaps["plasma"](np.arange(256))[:, :3])
    np.testing.assert_array_equal(colours("evidence", np.arange(256) / 255)[:, :3], expected)


def test_nothing_slow_is_imported():
    """Neither drawing nor importing the methods loads TensorFlow, matplotlib or scikit-image."""
    code = (
        "import sys, numpy as np\n"
        "from flowers_core.explain import methods, overlay\n"
        "assert not {'matplotlib', 'skimage', 'tensorflow', 'lime'} & set(sys.modules)\n"
        "overlay.overlay(np.zeros((9, 9, 3), np.uint8), np.ones((9, 9)))\n"
        "assert not {'matplotlib', 'tensorflow'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
