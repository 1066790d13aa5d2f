"""The measures of a map that take long, for fewer photos than the others: ROAD, noise, and the flower's outline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import ClassTarget, Explanation, Target
from flowers_core.explain.methods import Method, Needs
from flowers_core.explain.metrics.consistency import noise_robustness, noisy_copies
from flowers_core.explain.metrics.faithfulness import baseline_maps, in_model_frame
from flowers_core.explain.metrics.localization import localize, rank_accuracy
from flowers_core.explain.metrics.road import road_gap
from flowers_core.explain.subject import Subject

#: road: `road_gap`. consistency, responsiveness: `noise_robustness`. mass, rank: `localize` and `rank_accuracy` on the
#: flower's segmentation. A figure is None where it does not exist.
CLOSER_FIGURES = ("road", "consistency", "responsiveness", "mass", "rank")


class CloserLook:
    """A photo that is looked at closely. Every method sees the same noise on it."""

    def __init__(
        self, subject: Subject, target: ClassTarget, mask: npt.NDArray[np.bool_] | None, *, seed: int = 0
    ) -> None:
        """Run the model on noisy copies.

        Args:
            subject: the photo, and a model whose forward pass is known.
            target: the model's answer, which is explained.
            mask: (height, width) of the photo, True on the flower; None if it has no segmentation.
            seed: of the noise.
        """
        self._subject, self._target, self._mask = subject, target, mask
        self._copies = noisy_copies(subject, seed)

    def figures(self, method: Method, found: Explanation | None = None) -> dict[str, float | None]:
        """CLOSER_FIGURES of a method on this photo.

        Args:
            method: the method.
            found: its map, if it was made before.
        """
        subject, target, mask = self._subject, self._target, self._mask
        found = found or method.explain(subject, target)
        noise = noise_robustness(method, found, target, self._copies)
        located = localize(found, mask) if mask is not None else None
        heat = in_model_frame(found, subject.size)
        return {
            "road": road_gap(subject.logits, subject.pixels, heat, target, subject.temperature),
            "consistency": noise.consistency,
            "responsiveness": noise.responsiveness,
            "mass": located.mass if located else None,
            "rank": rank_accuracy(found, mask) if mask is not None else None,
        }


def baseline_method(name: str) -> Method:
    """A baseline as a method that ignores the model.

    Args:
        name: "centre" or "random".
    """

    def centre(subject: Subject, target: Target) -> Explanation:
        return _explained(subject, target, baseline_maps(subject.size, random_maps=0)[0])

    def random(subject: Subject, target: Target, *, seed: int) -> Explanation:
        return _explained(subject, target, baseline_maps(subject.size, seed, random_maps=1)[1])

    def _explained(subject: Subject, target: Target, heat: npt.NDArray[np.float32]) -> Explanation:
        value = float(heat.sum(dtype=np.float64))
        return Explanation(name, target, heat, value, "relative", **subject.frame, seconds=0.0)

    runs: dict[str, Callable[..., Explanation]] = {"centre": centre, "random": random}
    return Method(name, name.capitalize(), runs[name], Needs.NOTHING, forward_passes=0)
