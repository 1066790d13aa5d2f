"""The efficient randomization test: whether a map grows more complex when the model has learnt nothing (eMPRT).

Hedström, Weber, Lapuschkin and Höhne 2024, "A Fresh Look at Sanity Checks for Saliency Maps", arXiv 2405.02383. The
cascading check of `sanity` compares maps by their similarity, which noise in them lowers, whatever causes it. This test
asks one question of one map: is it more complex, by the entropy of its histogram, once all layers of the model are
random? A map that shows what was learnt then gives way to one of noise, and its entropy rises. A rise of 0 or below
says that the map did not need what was learnt.

The model is made random as in `sanity`: the weights of each layer are shuffled.
"""

from __future__ import annotations

import numpy as np

from flowers_core.explain.explanation import FloatArray

#: Of equal width, from a map's lowest value to its highest.
BINS = 100


def complexity_rise(trained: FloatArray, random: FloatArray, *, bins: int = BINS) -> float | None:
    """The rise of a map's entropy from the trained model to the random one, as a fraction of the first.

    Args:
        trained: the map of the trained model, of any shape.
        random: the map of the same model with all its weights shuffled, of the same shape.
        bins: of the histograms.

    Returns:
        ≥ −1, the higher the better; None if the trained model's map is constant and so has no entropy.
    """
    before = histogram_entropy(trained, bins)
    return (histogram_entropy(random, bins) - before) / before if before > 0 else None


def histogram_entropy(heat: FloatArray, bins: int = BINS) -> float:
    """The entropy of a map's values.

    Args:
        heat: the map, of any shape.
        bins: of equal width, from the map's lowest value to its highest.

    Returns:
        0…log(bins), in nats; it does not depend on the map's scale.
    """
    counts = np.histogram(heat, bins=bins)[0]
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
