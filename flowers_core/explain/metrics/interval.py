"""A statistic over photos, with its bootstrap interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """A mean or median over photos with its 95 % bootstrap interval.

    Attributes:
        value: the statistic.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    low: float
    high: float


def bootstrap(
    values: npt.ArrayLike, statistic: Callable[..., npt.NDArray[np.floating]] = np.mean, *, seed: int = 0
) -> Interval:
    """A statistic and its percentile interval over 2000 draws of as many photos.

    Args:
        values: (n,), one for each photo. The same n and seed draw the same photos, whatever the values.
        statistic: such as np.mean or np.median; takes `axis`.
        seed: of the draws.
    """
    found = np.asarray(values, np.float64)
    draws = np.random.default_rng(seed).integers(0, len(found), size=(_DRAWS, len(found)))
    low, high = np.percentile(statistic(found[draws], axis=1), [2.5, 97.5])
    return Interval(float(statistic(found)), float(low), float(high))
