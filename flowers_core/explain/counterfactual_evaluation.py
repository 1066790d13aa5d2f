"""Counterfactuals on many photos: how few positions turn the answer, and whether the pixels agree."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from flowers_core.explain.counterfactual import least_exchange
from flowers_core.explain.explanation import FloatArray
from flowers_core.explain.metrics.interval import bootstrap
from flowers_core.explain.pixel_check import check_on_pixels
from flowers_core.explain.records.counterfactuals import CounterfactualRecord
from flowers_core.explain.subject import Pixels
from flowers_core.inference.runtime import Runtime

#: An exchange of at most so many positions is one that a person can look through.
FEW = 6


@dataclass(frozen=True)
class Pair:
    """A photo, and a photo of the class that its answer should become.

    Attributes:
        pixels: (s, s, 3) uint8, as the model sees the photo.
        other: (s, s, 3) uint8, as the model sees the other photo.
        rival: class of the other photo, from 1.
    """

    pixels: Pixels
    other: Pixels
    rival: int


@dataclass(frozen=True)
class Tried:
    """What came of one pair.

    Attributes:
        replaced: positions that turn the answer; None if none do.
        seconds: to find them.
        turned: whether the answer is the rival once the patches are pasted.
        changed: whether that, or the odds of the answer against the rival are halved.
        random: fraction of the random exchanges that halve the odds.
    """

    replaced: int | None
    seconds: float
    turned: bool
    changed: bool
    random: float


def try_pair(
    runtime: Runtime, head: FloatArray, bias: FloatArray, pair: Pair, *, temperature: float, seed: int
) -> Tried:
    """Find the least exchange of a pair, and paste it.

    Args:
        runtime: the model.
        head: (c, classes), the linear layer's weights.
        bias: (classes,), the linear layer's.
        pair: of photos.
        temperature: of the softmax, > 0.
        seed: of the random exchanges.
    """
    features, other = runtime.features(np.stack([pair.pixels, pair.other]))
    started = time.perf_counter()
    exchange = least_exchange(features, other, head, bias, pair.rival)
    seconds = time.perf_counter() - started
    if exchange is None:
        return Tried(None, seconds, False, False, 0.0)
    grid = (features.shape[0], features.shape[1])
    check = check_on_pixels(runtime.logits, pair.pixels, pair.other, exchange, grid, seed=seed)
    changed = check.turned or check.halved(check.after, temperature)
    random = float(np.mean([check.halved(gap, temperature) for gap in check.random]))
    return Tried(len(exchange.pairs), seconds, check.turned, changed, random)


def summarized(found: Iterable[Tried], places: int, seed: int) -> CounterfactualRecord:
    """The record of many pairs.

    Args:
        found: one or more pairs.
        places: positions of a feature map.
        seed: that drew the pairs.
    """
    tried: Sequence[Tried] = list(found)
    turned = [one.replaced for one in tried if one.replaced is not None]
    return CounterfactualRecord(
        photos=len(tried),
        seed=seed,
        places=places,
        few=FEW,
        turned_with_few=bootstrap([one.replaced is not None and one.replaced <= FEW for one in tried]),
        replaced=float(np.median(turned)) if turned else float(places),
        milliseconds=1e3 * float(np.median([one.seconds for one in tried])),
        turned_on_pixels=bootstrap([one.turned for one in tried]),
        changed_on_pixels=bootstrap([one.changed for one in tried]),
        changed_at_random=bootstrap([one.random for one in tried]),
    )
