import hashlib

import numpy as np
import pytest
import scipy.fft
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_image

from flowers_core.data.audit.image_statistics import grey, hamming, measure_photos, perceptual_hash, sharpness
from flowers_core.data.oxford import OxfordFlowers


@pytest.fixture(scope="module")
def flower() -> np.ndarray:
    return np.asarray(load_sample_image("flower.jpg"))


def test_the_hash_is_the_signs_of_low_frequencies(flower: np.ndarray) -> None:
    small = np.asarray(Image.fromarray(grey(flower).astype(np.float32)).resize((32, 32), Image.Resampling.BOX), float)
    waves = scipy.fft.dct(scipy.fft.dct(small, axis=0, type=2), axis=1, type=2)
    # SciPy's plain transform differs from the orthonormal one by one factor for all frequencies but the constant.
    kept = waves[1:9, 1:9]
    text = "".join("1" if value > np.median(kept) else "0" for value in kept.ravel())
    assert perceptual_hash(grey(flower))[0] == int(text, 2)


def test_the_hash_outlives_scaling_and_recompression_but_tells_pictures_apart(flower: np.ndarray, tmp_path) -> None:
    original, mirror = perceptual_hash(grey(flower))
    Image.fromarray(flower).resize((320, 213)).save(tmp_path / "copy.jpg", quality=40)
    copy = perceptual_hash(grey(np.asarray(Image.open(tmp_path / "copy.jpg"))))[0]
    assert (original ^ copy).bit_count() <= 4
    flipped = perceptual_hash(grey(np.ascontiguousarray(flower[:, ::-1])))
    assert (flipped[0] ^ mirror).bit_count() <= 2
    assert (flipped[1] ^ original).bit_count() <= 2
    assert (original ^ mirror).bit_count() > 12
    other = perceptual_hash(grey(np.asarray(load_sample_image("china.jpg"))))[0]
    assert (original ^ other).bit_count() > 16


def test_hamming_counts_bits() -> None:
    a, b = np.array([0, 0b1011, 2**64 - 1], np.uint64), np.array([0, 0b0001, 0], np.uint64)
    np.testing.assert_array_equal(hamming(a, b), [0, 2, 64])


def test_sharpness_falls_with_blur_and_does_not_depend_on_the_size(flower: np.ndarray) -> None:
    light = grey(flower)
    values = [sharpness(gaussian_filter(light, sigma)) for sigma in (0, 2, 5)]
    assert values[0] > 2 * values[1] > 4 * values[2]
    half = np.asarray(Image.fromarray(light.astype(np.float32)).resize((427, 285), Image.Resampling.LANCZOS), float)
    assert sharpness(half) == pytest.approx(sharpness(light), rel=0.25)
    assert sharpness(np.full((50, 70), 0.3)) == pytest.approx(0, abs=1e-6)


def test_what_is_measured_of_a_drawn_dataset(drawn_dataset: OxfordFlowers) -> None:
    told: list[tuple[int, int]] = []
    facts = measure_photos(drawn_dataset.ids, drawn_dataset.path, lambda done, total: told.append((done, total)))
    assert told == [(64, 72), (72, 72)]
    for row in (0, 33, 71):
        path = drawn_dataset.path(int(facts.ids[row]))
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert facts.sha256[row] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert tuple(facts.sizes[row]) == Image.open(path).size
        np.testing.assert_allclose(facts.mean_colour[row], pixels.mean(axis=(0, 1)) / 255, rtol=1e-9)
        assert 0 <= facts.shadows[row] < facts.highlights[row] <= 1
