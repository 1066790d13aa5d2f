"""What a model says at each place of a photo, watched while superpixels are hidden, and LIME's simple model from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.augmented_cam import evidence_direction
from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.lime.gaussian_process import local_effects, nearness
from flowers_core.explain.lime.superpixels import Masks, Pixels, Regions
from flowers_core.explain.lime.surrogate import Surrogate, share_accounted_for

if TYPE_CHECKING:
    from flowers_core.inference.runtime import Forward


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
            masks: (n, regions) bool, what they showed. A look at the hidden photo came before.
            values: (n,) the log-odds, by which r2 is judged and the intercept set.

        Returns:
            Surrogate, whose covariance is that of what the looks do not tell.
        """
        answers = self._watched()[: len(masks) + 1]
        looks = np.concatenate([np.zeros((1, masks.shape[1]), bool), masks])
        found = local_effects(looks, answers.reshape(len(answers), -1), self._nearness(answers.shape[1:]))
        # The log-odds are not quite the sum of what places say, and that the model cannot know.
        beyond = values - answers[1:].sum(axis=(1, 2))
        return Surrogate(
            coefficients=found.effects,
            covariance=found.covariance,
            intercept=float(np.mean(values - masks @ found.effects)),
            r2=share_accounted_for(values, _centred(beyond + found.residuals[1:])),
            r2_left_out=share_accounted_for(values, _centred(beyond + found.left_out[1:])),
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


def _centred(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return values - values.mean()
