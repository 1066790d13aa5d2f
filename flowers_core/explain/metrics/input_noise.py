"""Noise on a photo, to see whether a map changes with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flowers_core.explain.subject import Pixels

#: Standard deviation of noise that no eye sees, in grey levels: a map should not change.
INPUT_NOISE = 2.0


def with_input_noise(pixels: Pixels, seed: int | Sequence[int], deviation: float = INPUT_NOISE) -> Pixels:
    """Add normal noise to a photo.

    Args:
        pixels: (s, s, 3) uint8.
        seed: of the noise.
        deviation: its standard deviation, in grey levels; by default the noise is invisible.

    Returns:
        (s, s, 3) uint8.
    """
    noise = np.random.default_rng(seed).normal(scale=deviation, size=pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
