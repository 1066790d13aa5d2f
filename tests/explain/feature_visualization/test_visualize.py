"""Pictures of a network whose answer is known: it looks for red, and for stripes that lie one way."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from flowers_core.explain.feature_visualization.spectrum import Spectrum
from flowers_core.explain.feature_visualization.visualize import FeatureVisualizer, Options, opacity_of

SIDE, QUICK = 32, Options(steps=24, crops=2, side=16, least=0.5, most=1.0)


@keras.saving.register_keras_serializable("tests")
class Looks(keras.layers.Layer):
    """How red a photo is, and how much it changes from row to row less from column to column."""

    def call(self, photos):
        red = tf.reduce_mean(photos[..., 0] - photos[..., 2], axis=(1, 2))
        down = tf.reduce_mean(tf.abs(photos[:, 1:] - photos[:, :-1]), axis=(1, 2, 3))
        across = tf.reduce_mean(tf.abs(photos[:, :, 1:] - photos[:, :, :-1]), axis=(1, 2, 3))
        return tf.stack([red, down - across], axis=1) / 255

    def compute_output_shape(self, shape):
        return (shape[0], 2)


@pytest.fixture(scope="module")
def visualizer() -> FeatureVisualizer:
    """With magnitudes that fall with the frequency, as those of photos do."""
    photos = keras.Input((QUICK.side, QUICK.side, 3))
    rows, columns = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    magnitudes = 4 / np.maximum(np.hypot(rows, columns), 1 / SIDE)
    magnitudes[0, 0] = 0.3 * SIDE**2
    spectrum = Spectrum(np.stack([magnitudes] * 3).astype(np.float32), np.eye(3, dtype=np.float32) * 0.5)
    return FeatureVisualizer(keras.Model(photos, Looks()(photos)), spectrum, QUICK)


def red_of(pixels: np.ndarray) -> float:
    return float(np.mean(pixels[..., 0].astype(float) - pixels[..., 2]))


def stripes_of(pixels: np.ndarray) -> float:
    wide = pixels.astype(float)
    return float(np.abs(np.diff(wide, axis=0)).mean() - np.abs(np.diff(wide, axis=1)).mean())


def test_it_finds_the_colour_that_the_network_looks_for_and_its_opposite(visualizer: FeatureVisualizer) -> None:
    red = visualizer.visualize(np.array([1.0, 0.0]), seed=0)
    blue = visualizer.visualize(np.array([-1.0, 0.0]), seed=0)
    assert red.pixels.shape == (SIDE, SIDE, 3)
    assert red.pixels.dtype == np.uint8
    assert red_of(red.pixels) > 25
    assert red_of(blue.pixels) < -25


def test_it_finds_stripes(visualizer: FeatureVisualizer) -> None:
    lying = visualizer.visualize(np.array([0.0, 1.0]), seed=0)
    upright = visualizer.visualize(np.array([0.0, -1.0]), seed=0)
    assert stripes_of(lying.pixels) > 1.5
    assert stripes_of(upright.pixels) < -1.5


def test_the_magnitudes_stay_those_of_photos(visualizer: FeatureVisualizer) -> None:
    """Before the colours are held back by the sigmoid; it is undone here."""
    pixels = visualizer.visualize(np.array([1.0, 0.0]), seed=0).pixels.astype(float)
    inside = (pixels > 2).all(axis=-1) & (pixels < 253).all(axis=-1)
    assert inside.mean() > 0.9
    share = np.clip(pixels, 0.5, 254.5) / 255
    channels = np.moveaxis(np.log(share / (1 - share)) / 2 / 0.5, -1, 0)
    found = np.abs(np.fft.rfft2(channels))[:, 1:6, 1:6].mean(axis=0)
    rows, columns = np.fft.fftfreq(SIDE)[1:6, None], np.fft.rfftfreq(SIDE)[None, 1:6]
    np.testing.assert_allclose(found, 4 / np.hypot(rows, columns), rtol=0.25)


def test_the_seed_draws_the_picture(visualizer: FeatureVisualizer) -> None:
    direction = np.array([1.0, 0.0])
    once, again, other = (visualizer.visualize(direction, seed=seed).pixels for seed in (3, 3, 4))
    np.testing.assert_array_equal(once, again)
    assert (once != other).mean() > 0.5


def test_a_direction_of_another_length_is_refused(visualizer: FeatureVisualizer) -> None:
    with pytest.raises(ValueError, match="does not fit 2 outputs"):
        visualizer.visualize(np.ones(3), seed=0)


def test_what_mattered_is_opaque() -> None:
    mattered = np.zeros((64, 64))
    mattered[24:40, 24:40] = 5.0
    opacity = opacity_of(mattered)
    assert opacity[32, 32] == 1
    assert opacity[0, 0] == 0
    assert (np.diff(opacity[32, :32]) >= 0).all()
    # Where nothing mattered more than anything else, nothing is hidden.
    assert (opacity_of(np.ones((8, 8))) == 1).all()
