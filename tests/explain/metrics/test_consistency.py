"""Consistency and responsiveness of maps whose behaviour is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.methods import Method, Needs
from flowers_core.explain.metrics.consistency import DEVIATIONS, NoisyCopy, noise_robustness, noisy_copies
from tests.fixtures.subjects import subject

SIZE = 28
FALLING = np.linspace(1, 0, SIZE)[:, None] * np.ones(SIZE)


def explained(target, heat) -> Explanation:
    return Explanation("any", target, heat, 0.0, "logit", (0, 0, SIZE, SIZE), (SIZE, SIZE), 0.0)


def method(run) -> Method:
    return Method("any", "Any", run, Needs.NOTHING, forward_passes=0)


def copies(*answers: int) -> list[NoisyCopy]:
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    return [NoisyCopy(subject(pixels), ClassTarget(answer)) for answer in answers]


def test_a_map_of_the_answer_stays_with_it_and_turns_with_it():
    """Class 1 is above and class 2 below: the map of the other class is the first upside down, of correlation −1."""
    follows = method(lambda _, target: explained(target, FALLING if target.label == 1 else FALLING[::-1]))
    clean = follows.explain(copies(1)[0].subject, ClassTarget(1))
    found = noise_robustness(follows, clean, ClassTarget(1), copies(1, 1, 2, 2))
    assert (found.consistency, found.responsiveness) == pytest.approx((1, 2))
    always = noise_robustness(follows, clean, ClassTarget(1), copies(1, 1))
    assert (always.consistency, always.responsiveness) == (pytest.approx(1), None)


def test_the_middle_never_responds_and_noise_is_never_consistent():
    middle = method(lambda _, target: explained(target, FALLING))
    fixed = noise_robustness(middle, explained(ClassTarget(1), FALLING), ClassTarget(1), copies(1, 2))
    assert (fixed.consistency, fixed.responsiveness) == pytest.approx((1, 0))

    def draw(seen, target, *, seed):
        return explained(target, np.random.default_rng(seed).random((SIZE, SIZE)))

    drawn = noise_robustness(method(draw), draw(None, ClassTarget(1), seed=0), ClassTarget(1), copies(1, 1, 2, 2))
    assert drawn.consistency == pytest.approx(0, abs=0.1)
    assert drawn.responsiveness == pytest.approx(1, abs=0.1)


def test_copies_have_more_and_more_noise_and_the_model_s_own_answer():
    def forward(batch):
        """A model that answers 2 from a spread of 40 grey levels on."""
        spread = batch.astype(float).std(axis=(1, 2, 3))
        return SimpleNamespace(logits=np.column_stack([40 - spread, spread - 40]), features=spread[:, None, None, None])

    grey = np.full((60, 60, 3), 128, np.uint8)
    found = noisy_copies(subject(grey, forward=forward), seed=7)
    assert [copy.answer.label for copy in found] == [1, 1, 2, 2]
    spreads = [float(copy.subject.features.item()) for copy in found]
    assert spreads[:3] == pytest.approx(DEVIATIONS[:3], rel=0.05)  # the last is cut off at black and white
    again = noisy_copies(subject(grey, forward=forward), seed=7)
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one.subject.pixels, other.subject.pixels)
