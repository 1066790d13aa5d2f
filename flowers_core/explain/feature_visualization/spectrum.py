"""What all photos have in common: how their colours vary, and how strong each frequency is on average.

It is a statistic over a thousand photos; none of them can be seen in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Mean magnitudes of photos' Fourier transforms, in colours that do not vary together.

    Attributes:
        magnitudes: (3, s, s // 2 + 1) float32, of the transforms of s × s photos as `numpy.fft.rfft2` lays them out.
        colours: (3, 3) float32: the columns are directions of RGB in −1…1, as long as colours vary along them.
    """

    magnitudes: npt.NDArray[np.float32]
    colours: npt.NDArray[np.float32]


def mean_spectrum(batches: Iterable[npt.NDArray[np.uint8]]) -> Spectrum:
    """Measure the spectrum of photos.

    A photo's edges do not meet across its border, and the transform takes the leap for a feature. So each photo fades
    out towards its border (Hann's window) before it is transformed, all but its mean colour.

    Args:
        batches: of photos (n, s, s, 3) RGB, at least two pixels of different colour in each channel.

    Raises:
        ValueError: there is no photo.
    """
    photos = [photo for batch in batches for photo in batch]
    if not photos:
        raise ValueError("Without photos there is no spectrum.")
    side = photos[0].shape[0]
    pixels = np.concatenate([photo[::4, ::4].reshape(-1, 3) for photo in photos]) / 127.5 - 1.0
    variances, axes = np.linalg.eigh(np.cov(pixels.T))
    colours = axes * np.sqrt(variances)
    window = np.outer(*2 * [np.hanning(side + 2)[1:-1]])
    window /= np.sqrt(np.mean(window**2))
    total = np.zeros((3, side, side // 2 + 1))
    for photo in photos:
        channels = np.moveaxis((photo / 127.5 - 1.0) @ np.linalg.inv(colours).T, -1, 0)
        means = channels.mean(axis=(1, 2), keepdims=True)
        magnitudes = np.abs(np.fft.rfft2((channels - means) * window))
        magnitudes[:, 0, 0] = np.abs(means[:, 0, 0]) * side**2
        total += magnitudes
    return Spectrum((total / len(photos)).astype(np.float32), colours.astype(np.float32))
