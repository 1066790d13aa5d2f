"""A picture that a network makes of what it looks for.

Fel et al. 2023, "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization", arXiv
2306.06805. The picture is the inverse Fourier transform of fixed magnitudes, those of photos, and of phases that are
optimized: they begin at random and climb towards a higher mean score of random crops with noise. Where the score's
gradient was small all along, the picture is transparent.

TensorFlow is imported when a `FeatureVisualizer` is built, not before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from flowers_core.explain.feature_visualization.spectrum import Spectrum

if TYPE_CHECKING:
    import keras

#: How steeply colours beyond those of most photos are held back; grey levels of the noise on crops; pixels over which
#: the transparency is smoothed; the fractions of pixels that are wholly transparent and wholly opaque.
_GAIN, _NOISE, _SMOOTHING, _TRANSPARENT, _OPAQUE = 2.0, 12.0, 4.0, 0.02, 0.2


@dataclass(frozen=True)
class Options:
    """How a picture is optimized.

    Attributes:
        steps: of the optimizer (Nadam; Dozat 2016).
        crops: at each step.
        side: of the crops once they are resized, in pixels.
        least, most: side of a crop in the picture's, 0…1.
        rate: the first step's length; the others shorten along a cosine.
    """

    steps: int = 128
    crops: int = 2
    side: int = 96
    least: float = 0.3
    most: float = 0.8
    rate: float = 1.0


@dataclass(frozen=True, eq=False)
class Visualization:
    """A picture of what a network looks for.

    Attributes:
        pixels: (s, s, 3) uint8 RGB.
        opacity: (s, s) float32, 0…1: how much each pixel mattered.
    """

    pixels: npt.NDArray[np.uint8]
    opacity: npt.NDArray[np.float32]


class FeatureVisualizer:
    """Makes pictures of directions in a network's output."""

    def __init__(self, network: keras.Model, spectrum: Spectrum, options: Options | None = None) -> None:
        """Build the graph of one step.

        Args:
            network: photos (n, side, side, 3) in 0…255, of the options' side → (n, c).
            spectrum: whose magnitudes every picture has, and so its side.
            options: how a picture is optimized.
        """
        import tensorflow as tf

        self.options = settings = options or Options()
        self.outputs = int(network.output_shape[-1])
        self._shape = spectrum.magnitudes.shape
        side, crops = self._shape[1], settings.crops

        def picture(phases: Any) -> Any:
            waves = tf.complex(tf.cos(phases) * spectrum.magnitudes, tf.sin(phases) * spectrum.magnitudes)
            channels = tf.signal.irfft2d(waves, (side, side))
            return 255 * tf.sigmoid(_GAIN * (tf.transpose(channels, (1, 2, 0)) @ spectrum.colours.T))

        def score(pixels: Any, direction: Any, seed: Any) -> Any:
            sides = tf.random.stateless_uniform((crops,), seed, settings.least, settings.most)[:, None]
            corners = tf.random.stateless_uniform((crops, 2), (seed[0] + 1, seed[1])) * (1 - sides)
            boxes = tf.concat([corners, corners + sides], axis=1)
            size = (settings.side, settings.side)
            seen = tf.image.crop_and_resize(pixels[None], boxes, tf.zeros(crops, tf.int32), size)
            seen += _NOISE * tf.random.stateless_normal(seen.shape, (seed[0] + 2, seed[1]))
            return tf.reduce_mean(tf.linalg.matvec(network(seen, training=False), direction))

        def step(phases: Any, direction: Any, seed: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(phases)
                pixels = picture(phases)
                reached = score(pixels, direction, seed)
            return tape.gradient(reached, [phases, pixels])

        self._picture, self._step = picture, tf.function(step, autograph=False)

    def visualize(self, direction: npt.NDArray[np.floating], seed: int) -> Visualization:
        """The picture that goes furthest in a direction.

        Args:
            direction: (c,), what the output is multiplied with: such as the weights of a class over the embedding.
            seed: draws the first phases, the crops and the noise.

        Raises:
            ValueError: the direction has another length.
        """
        import keras
        import tensorflow as tf

        if direction.shape != (self.outputs,):
            raise ValueError(f"A direction of {direction.shape} does not fit {self.outputs} outputs.")
        generator = np.random.default_rng(seed)
        phases = tf.Variable(generator.normal(size=self._shape).astype(np.float32))
        seeds = tf.constant(generator.integers(2**31, size=(self.options.steps, 2)), tf.int64)
        towards = tf.constant(direction, tf.float32)
        rate = keras.optimizers.schedules.CosineDecay(self.options.rate, self.options.steps)
        # With a short memory of squared gradients the few steps are long ones.
        optimizer = keras.optimizers.Nadam(rate, beta_2=0.9)
        mattered = np.zeros((self._shape[1], self._shape[1]))
        for number in range(self.options.steps):
            slope, at_pixels = self._step(phases, towards, seeds[number])
            optimizer.apply([-slope], [phases])
            mattered += np.abs(at_pixels.numpy()).mean(axis=-1)
        pixels = np.clip(np.rint(self._picture(phases).numpy()), 0, 255).astype(np.uint8)
        return Visualization(pixels, opacity_of(mattered))


def opacity_of(mattered: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """How opaque each pixel is, (s, s) float32, 0…1.

    Args:
        mattered: (s, s), the summed magnitude of the score's gradient there.
    """
    smooth = gaussian_filter(mattered.astype(np.float64), _SMOOTHING)
    low, high = np.quantile(smooth, [_TRANSPARENT, 1 - _OPAQUE])
    if high <= low:
        return np.ones(mattered.shape, np.float32)
    return np.clip((smooth - low) / (high - low), 0, 1).astype(np.float32)
