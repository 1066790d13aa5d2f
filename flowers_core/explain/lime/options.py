"""How LIME samples: how many masked photos at most, and when it may stop before."""

from __future__ import annotations

from dataclasses import dataclass

from flowers_core.explain.perturbation import BATCH

#: How many of the strongest superpixels must have converged.
TOP = 5
#: Width of the sampling kernel; the largest value in the GLIME paper, where on average 51 % of the superpixels stay
#: visible. At this width antithetic pairs are nearly complementary, which reduces the variance. At 1.5 (61 % visible)
#: pairs gain nothing.
SIGMA = 5.0


@dataclass(frozen=True)
class LimeOptions:
    """How LIME samples.

    Attributes:
        samples: masked photos at most, the whole photo among them, ≥ 2. With None the number of superpixels decides
            (`samples_for` of the surrogate).
        top: sampling stops when the ranking of this many strongest superpixels has converged; 0 takes all samples.
        batch_size: photos in one call of the model, ≥ 1.

    Raises:
        ValueError: if a number is out of range.
    """

    samples: int | None = None
    top: int = TOP
    batch_size: int = BATCH

    def __post_init__(self) -> None:
        if (self.samples is not None and self.samples < 2) or self.batch_size < 1 or self.top < 0:
            raise ValueError("LIME needs two samples or more, batches of one or more, and a top of 0 or more.")
