"""The one resize and crop that training, export and serving share, against a computation of its own."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from flowers_core.data.model_input import CropRule, model_input


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel (1981) with a = -1/2."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def weights(length: int, begin: float, end: float, size: int) -> np.ndarray:
    """(size, length): what each pixel of a line counts for each pixel of the resized stretch begin…end."""
    scale = (end - begin) / size
    width = max(scale, 1.0)  # antialiasing: the kernel grows with the reduction
    centres = begin + (np.arange(size) + 0.5) * scale
    table = cubic((np.arange(length)[None, :] + 0.5 - centres[:, None]) / width)
    return table / table.sum(1, keepdims=True)


def levels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255)


def expected(pixels: np.ndarray, box: tuple[float, float, float, float], size: int) -> list[np.ndarray]:
    """The resized box, once across first and once down first.

    Pillow keeps whole levels between its two passes (an overshoot of the kernel is cut off there) and begins with the
    pass that leaves less to do for the other.
    """
    left, top, right, bottom = box
    height, width, _ = pixels.shape
    across, down = weights(width, left, right, size), weights(height, top, bottom, size)

    def pass_across(values: np.ndarray) -> np.ndarray:
        return levels(np.einsum("hwc,xw->hxc", values, across))

    def pass_down(values: np.ndarray) -> np.ndarray:
        return levels(np.einsum("hwc,yh->ywc", values, down))

    whole = pixels.astype(np.float64)
    return [pass_down(pass_across(whole)), pass_across(pass_down(whole))]


@pytest.mark.parametrize(
    ("height", "width", "rule", "box"),
    [
        (300, 400, CropRule(224), (50, 0, 350, 300)),
        (400, 300, CropRule(224), (0, 50, 300, 350)),
        (300, 401, CropRule(224), (50.5, 0, 350.5, 300)),
        (300, 400, CropRule(224, 0.875), (68.75, 18.75, 331.25, 281.25)),
        (320, 320, CropRule(160, 0.5), (80, 80, 240, 240)),
        (500, 667, CropRule(300, 0.9), (108.5, 25, 558.5, 475)),
        (50, 70, CropRule(96), (10, 0, 60, 50)),  # a photo smaller than the input is enlarged
        (224, 224, CropRule(224), (0, 0, 224, 224)),
        (17, 23, CropRule(7, 0.3), (8.95, 5.95, 14.05, 11.05)),
    ],
)
def test_equals_an_independent_computation(height, width, rule, box):
    flower = Image.fromarray(load_sample_image("flower.jpg")).resize((width, height))
    pixels = np.asarray(flower)
    cut = model_input(pixels, rule)
    assert cut.box == pytest.approx(box)
    assert cut.pixels.shape == (rule.size, rule.size, 3)
    assert cut.pixels.dtype == np.uint8
    differences = [np.abs(cut.pixels - reference) for reference in expected(pixels, box, rule.size)]
    nearest = min(differences, key=np.mean)
    assert nearest.max() <= 1  # Pillow's weights are fixed-point numbers
    assert nearest.mean() < 0.01


def test_nothing_is_resampled_when_the_size_fits():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    assert (model_input(pixels, CropRule(64)).pixels == pixels[:, 16:80]).all()


def test_the_same_photo_gives_the_same_input_and_stays_untouched():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    before = pixels.copy()
    first, second = (model_input(pixels, CropRule(32)) for _ in range(2))
    assert (first.pixels == second.pixels).all()
    assert (pixels == before).all()
    assert not first.pixels.flags.writeable
    assert (model_input(np.asfortranarray(pixels), CropRule(32)).pixels == first.pixels).all()


def test_the_box_stays_inside_the_photo_whatever_the_rounding():
    for side in range(16, 200):
        for fraction in (1.0, 0.99, 0.9, 0.875, 1 / 3, 0.1):
            left, top, right, bottom = model_input(np.zeros((side, side + 7, 3), np.uint8), CropRule(4, fraction)).box
            assert 0 <= left < right <= side + 7
            assert 0 <= top < bottom <= side


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((1, 10, 10, 3), np.uint8),
    ],
)
def test_only_photos_are_cut(pixels):
    with pytest.raises(ValueError, match=r"\(height, width, 3\) uint8"):
        model_input(pixels, CropRule(4))


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "224"])
def test_a_size_is_a_whole_number(size):
    with pytest.raises(ValueError, match="whole number of pixels"):
        CropRule(size)


@pytest.mark.parametrize("fraction", [0, -0.5, 1.001, float("nan")])
def test_a_fraction_lies_between_0_and_1(fraction):
    with pytest.raises(ValueError, match="crop_fraction lies above 0"):
        CropRule(224, fraction)


def test_a_rule_survives_json():
    rule = CropRule(224, 0.875)
    assert rule.to_json() == {"size": 224, "crop_fraction": 0.875}
    assert CropRule.from_json(rule.to_json()) == rule


@pytest.mark.parametrize("values", [{}, {"size": 224}, {"size": 224, "crop_fraction": None}, [224, 1.0], None])
def test_other_json_is_no_rule(values):
    with pytest.raises(ValueError, match=r"A crop rule has a size and a crop_fraction|lies above 0"):
        CropRule.from_json(values)
