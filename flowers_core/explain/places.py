"""What a model says at each place of a photo, watched while superpixels are hidden, and LIME's simple model from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flowers_core.explain.base import ClassTarget
from flowers_core.explain.local_effects import local_effects, nearness
from flowers_core.explain.shifted_cam import evidence_direction
from flowers_core.explain.superpixels import Masks, Pixels, Regions
from flowers_core.explain.surrogate import Surrogate, share_accounted_for

if TYPE_CHECKING:
    from flowers_core.runtime import Forward


@dataclass(frozen=True, eq=False)
class Places:
    """A model whose logits are the mean of its feature map, times a matrix, plus a constant.

    Attributes:
        forward: (n, s, s, 3) uint8 → logits and feature maps, such as Runtime.forward.
        head: (c, classes), the matrix.
    """

    forward: Callable[[Pixels], Forward]
    head: npt.NDArray[np.floating]


class PlacesWatched:
    """Looks at versions of a photo, and remembers what was said where.

    The class is watched against its rivals together, each with the share that it has, in the mean over the looks, of
    the probability that the class leaves them: the log-odds to first order, which unlike themselves are a sum over
    places.
    """

    def __init__(
        self, places: Places, label: int, temperature: float, regions: Regions, pixels: Pixels, background: Pixels
    ) -> None:
        """`label` is 1…classes; the rest as `explain_lime` has it."""
        self._places = places
        self._label = label
        self._temperature = temperature
        self._photo = (regions, pixels, background)
        self._near: npt.NDArray[np.float64] | None = None
        self._answers: list[Forward] = []

    def look(self, photos: Pixels) -> npt.NDArray[np.float32]:
        """The logits of these versions, (n, classes)."""
        answers = self._places.forward(photos)
        self._answers.append(answers)
        return answers.logits

    def surrogate(self, masks: Masks, values: npt.NDArray[np.float64]) -> Surrogate:
        """The simple model of all looks so far.

        Args:
            masks: (1 + 2 · pairs, regions) bool, what they showed: first the whole photo, then pairs. A look at the
                hidden photo came before.
            values: (1 + 2 · pairs,) the log-odds, by which r2 is judged and the intercept set.

        Returns:
            Surrogate. Its intervals are those of the jackknife over pairs (Tukey 1958): of 95 in 100 they held
            92 to 95 on 20 validation photos, at 65 to 129 looks.
        """
        pairs = 1 + 2 * ((len(masks) - 1) // 2)
        masks, values = masks[1:pairs], values[1:pairs]
        answers = self._watched()[2 : pairs + 1]
        found = local_effects(masks, answers.reshape(len(answers), -1), self._nearness(answers.shape[1:]))
        sums = masks @ found.effects
        intercept = float(np.mean(values - sums))
        left_out = masks @ found.pulls.T
        own = left_out[np.arange(len(masks)), np.arange(len(masks)) // 2]
        return Surrogate(
            coefficients=found.effects,
            covariance=found.pulls.T @ found.pulls,
            intercept=intercept,
            r2=share_accounted_for(values, values - intercept - sums),
            r2_left_out=share_accounted_for(values, values - intercept - sums + own),
        )

    def _watched(self) -> npt.NDArray[np.float64]:
        """(looks, h, w): what each place adds to the class's logit, less what it adds to its rivals'."""
        logits = np.concatenate([answers.logits for answers in self._answers])
        direction = evidence_direction(self._places.head, ClassTarget(self._label), lambda: logits, self._temperature)
        cells = self._answers[0].features.shape[1] * self._answers[0].features.shape[2]
        direction = (direction / (self._temperature * cells)).astype(np.float32)
        return np.concatenate([answers.features @ direction for answers in self._answers]).astype(np.float64)

    def _nearness(self, grid: tuple[int, ...]) -> npt.NDArray[np.float64]:
        if self._near is None:
            self._near = nearness(*self._photo, (grid[0], grid[1]))
        return self._near
