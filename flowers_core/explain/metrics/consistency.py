"""Consistency and responsiveness: a map should stay while the answer stays, and move when the answer moves.

Both properties, and that each is only half of what is wanted, are those of Sarkar, Bora, Kaushal, George and Raja 2025,
"Assessing the Noise Robustness of Class Activation Maps", arXiv 2508.18154. A map of the photo's middle is perfectly
consistent and never responds. Noise responds to everything and is never consistent.

The formulas are this project's own, from the authors' two sentences. Noise of several strengths is added to the photo.
On each noisy copy the method explains what the model answers there. Its map and that of the clean photo are compared by
their rank correlation (`agreement`). *Consistency* is the mean correlation over the copies that keep the answer.
*Responsiveness* is one minus the mean correlation over the copies that change it. (Quantus' "Consistency" is another
measure, of whether like maps come with like answers.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.methods import Method
from flowers_core.explain.metrics.agreement import agreement
from flowers_core.explain.metrics.input_noise import with_input_noise
from flowers_core.explain.subject import Subject

#: Standard deviations of the noise, in grey levels: from grain that a dark photo has to more noise than flower.
DEVIATIONS = (16.0, 32.0, 64.0, 96.0)


@dataclass(frozen=True, eq=False)
class NoisyCopy:
    """A photo with noise, and what the model makes of it.

    Attributes:
        subject: the noisy photo and the model.
        answer: the class that the model names, 1-based.
    """

    subject: Subject
    answer: ClassTarget


@dataclass(frozen=True)
class NoiseRobustness:
    """How a method's map behaves under noise, on one photo.

    Attributes:
        consistency: mean rank correlation with the clean photo's map over the copies that keep the answer, −1…1; None
            if none does.
        responsiveness: one minus that mean over the copies that change the answer, 0…2, where 1 is a map that has
            nothing in common with the clean photo's; None if none does.
    """

    consistency: float | None
    responsiveness: float | None


def noisy_copies(subject: Subject, seed: int) -> list[NoisyCopy]:
    """Copies of a photo with noise of each of DEVIATIONS; every method is asked about the same ones.

    Args:
        subject: the clean photo, and a model whose forward pass is known.
        seed: of the noise.
    """
    assert subject.forward is not None
    noisy = np.stack([with_input_noise(subject.pixels, (seed, place), one) for place, one in enumerate(DEVIATIONS)])
    seen = subject.forward(noisy)
    return [
        NoisyCopy(subject.with_pixels(pixels, features), ClassTarget(int(logits.argmax()) + 1))
        for pixels, features, logits in zip(noisy, seen.features, seen.logits, strict=True)
    ]


def noise_robustness(
    method: Method, clean: Explanation, target: ClassTarget, copies: Sequence[NoisyCopy]
) -> NoiseRobustness:
    """Whether a method's map stays with the answer and moves with it.

    Args:
        method: the method.
        clean: its map of the clean photo.
        target: what that map explains: the model's answer on the clean photo.
        copies: of the same photo (`noisy_copies`).
    """
    kept: list[float] = []
    changed: list[float] = []
    for place, copy in enumerate(copies):
        # The clean map has seed 0. A method that draws draws anew, or its own noise would look like consistency.
        found = method.explain(copy.subject, copy.answer, seed=1 + place)
        alike = agreement(clean, found, copy.subject.size).rank_correlation
        (kept if copy.answer == target else changed).append(alike)
    return NoiseRobustness(
        consistency=float(np.mean(kept)) if kept else None,
        responsiveness=1 - float(np.mean(changed)) if changed else None,
    )
