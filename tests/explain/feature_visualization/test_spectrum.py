"""The mean spectrum of photos whose spectrum is known."""

import numpy as np
import pytest

from flowers_core.explain.feature_visualization.spectrum import mean_spectrum

SIDE = 32


def stripes(waves: int, contrast: float = 60) -> np.ndarray:
    """Grey stripes: so many waves across, upright."""
    wave = 128 + contrast * np.sin(2 * np.pi * waves * np.arange(SIDE) / SIDE)
    return np.broadcast_to(np.rint(wave)[None, :, None], (SIDE, SIDE, 3)).astype(np.uint8)


def speckled(generator: np.random.Generator, mean: tuple[int, int, int], spread: tuple[int, int, int]) -> np.ndarray:
    drawn = generator.normal(mean, spread, (SIDE, SIDE, 3))
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def test_stripes_are_strongest_at_their_own_frequency() -> None:
    generator = np.random.default_rng(0)
    photos = np.stack([np.clip(stripes(5) + generator.integers(-3, 4, (SIDE, SIDE, 3)), 0, 255) for _ in range(3)])
    found = mean_spectrum([photos[:2].astype(np.uint8), photos[2:].astype(np.uint8)])
    assert found.magnitudes.shape == (3, SIDE, SIDE // 2 + 1)
    along_grey = int(np.abs(found.colours.sum(axis=0)).argmax())
    magnitudes = found.magnitudes[along_grey].copy()
    magnitudes[0, 0] = 0  # the mean colour
    assert np.unravel_index(magnitudes.argmax(), magnitudes.shape) == (0, 5)


def test_colours_are_as_long_as_they_vary_and_the_mean_colour_is_kept() -> None:
    """Red varies most and blue least; each channel by itself, so the directions are the channels."""
    generator = np.random.default_rng(1)
    photos = np.stack([speckled(generator, (140, 120, 110), (30, 20, 10)) for _ in range(40)])
    found = mean_spectrum([photos])
    np.testing.assert_allclose(np.linalg.norm(found.colours, axis=0) * 127.5, [10, 20, 30], rtol=0.05)
    assert np.abs(found.colours).argmax(axis=0).tolist() == [2, 1, 0]
    # |mean| of a channel ÷ how it varies, over all pixels: blue, green, red.
    expected = np.abs(np.array([110, 120, 140]) - 127.5) / [10, 20, 30]
    np.testing.assert_allclose(found.magnitudes[:, 0, 0] / SIDE**2, expected, rtol=0.1)


def test_the_border_is_no_feature() -> None:
    """From dark at the top to light at the bottom: without a window the leap at the border has all frequencies."""
    generator = np.random.default_rng(2)
    slope = np.linspace(60, 200, SIDE)[:, None, None]
    photo = np.clip(slope + generator.normal(0, 0.7, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    found = mean_spectrum([photo[None]])
    along_grey = int(np.linalg.norm(found.colours, axis=0).argmax())
    down = found.magnitudes[along_grey, 1 : SIDE // 2, 0]
    assert down[6] < 0.05 * down[0]


def test_without_photos_there_is_none() -> None:
    with pytest.raises(ValueError, match="Without photos"):
        mean_spectrum([])
