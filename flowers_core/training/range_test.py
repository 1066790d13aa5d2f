"""Learning-rate range test: between which rates a network learns.

Train for a few hundred steps while the rate grows, and watch the loss (Smith 2017, arXiv 1506.01186, section 3.3). Here
the rate grows by a constant factor, so that five decades fit into one run. The loss is smoothed, since that of a single
batch is noise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError

_SMOOTHING = 0.95
_DIVERGED = 4.0  # times the lowest smoothed loss
_STARTED = 0.1  # share of the whole fall of the loss at which learning counts as begun
_PLATEAU = 5  # steps at the least that tell where the loss began
_MARGIN = 3.0  # the suggested upper rate stays this factor below the rate of the lowest loss


class RangeTestError(FlowersError):
    """A range test that cannot run, or in which the network never learnt; the message says what to change."""


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The result of a range test, and the bounds it suggests for a cyclic or one-cycle schedule.

    Attributes:
        rates, losses, smoothed: (n,) by step, up to where the loss diverged or the rates ended.
        lower: the lowest rate from which the loss stayed below its start by a tenth of its whole fall.
        upper: a third of the rate with the lowest smoothed loss, but at least `lower`.
        diverged: whether the loss grew to four times its lowest value, or was not finite, before the rates ended.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    lower: float
    upper: float
    diverged: bool


def range_test(train_step: Callable[[float], float], *, lowest: float, highest: float, steps: int) -> RangeTest:
    """Train with growing rates until the loss diverges. The network is of no use afterwards.

    Args:
        train_step: makes one step at a rate and returns its loss.
        lowest, highest: rates, 0 < lowest < highest.
        steps: at least 10; the rate grows by the same factor in each.

    Raises:
        RangeTestError: rates or steps out of range, or a loss that never fell.
    """
    if not 0 < lowest < highest or steps < 10:
        raise RangeTestError("A range test needs 0 < lowest < highest and at least 10 steps.")
    rates, losses = [], []
    diverged = False
    for rate in np.geomspace(lowest, highest, steps):
        loss = train_step(float(rate))
        if not math.isfinite(loss):
            diverged = True
            break
        rates.append(float(rate))
        losses.append(loss)
        smooth = smoothed_losses(np.array(losses))
        if len(losses) > 10 and smooth[-1] > _DIVERGED * smooth.min():
            diverged = True
            break
    if not losses:
        raise RangeTestError("The loss was not a number from the first step on.")
    lower, upper = suggested_bounds(np.array(rates), np.array(losses))
    return RangeTest(np.array(rates), np.array(losses), smoothed_losses(np.array(losses)), lower, upper, diverged)


def smoothed_losses(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exponential moving average of the losses (n,), without the bias of its start (Kingma & Ba 2015, §3)."""
    smooth, average = np.empty(len(losses)), 0.0
    for i, loss in enumerate(losses):
        average = _SMOOTHING * average + (1 - _SMOOTHING) * loss
        smooth[i] = average / (1 - _SMOOTHING ** (i + 1))
    return smooth


def suggested_bounds(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> tuple[float, float]:
    """The lower and upper rate that a range test suggests; see `RangeTest`.

    Args:
        rates: (n,), ascending.
        losses: (n,), of one step each.

    Raises:
        RangeTestError: the smoothed loss never fell.
    """
    smooth = smoothed_losses(losses)
    best = int(np.argmin(smooth))
    # While the rate is too low for learning, the loss stays on a plateau; single batches of it are noise.
    plateau = float(np.mean(losses[: max(_PLATEAU, len(losses) // 10)]))
    if best == 0 or plateau <= smooth[best]:
        raise RangeTestError("The loss never fell in the range test: start it at a lower rate.")
    above = np.flatnonzero(smooth[: best + 1] > plateau - _STARTED * (plateau - smooth[best]))
    lower = float(rates[above[-1] + 1 if len(above) else 0])
    return lower, max(lower, float(rates[best]) / _MARGIN)
