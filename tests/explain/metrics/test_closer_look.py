"""The slower measures together, on a network worked out by hand."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.closer_look import CLOSER_FIGURES, CloserLook, baseline_method
from flowers_core.explain.metrics.faithfulness import baseline_maps
from flowers_core.explain.subject import Subject
from tests.fixtures.mean_colour import BLACK, RED, SIDE, MeanColourRuntime, quarters


@pytest.fixture
def seen() -> Subject:
    """The upper half is red and the lower black."""
    runtime = MeanColourRuntime.__new__(MeanColourRuntime)
    pixels = quarters(RED, RED, BLACK, BLACK)
    return Subject(
        pixels=pixels,
        box=(0.0, 0.0, SIDE, SIDE),
        photo_size=(SIDE, SIDE),
        features=runtime.features(pixels[None])[0],
        head=runtime.gain * np.eye(3),
        logits=runtime.logits,
        feature_maps=runtime.features,
        forward=runtime.forward,
    )


def test_a_map_of_the_red_half_is_faithful_and_on_the_flower(seen: Subject):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[: SIDE // 2] = True
    look = CloserLook(seen, ClassTarget(1), mask)
    cam, centre = look.figures(METHODS["cam"]), look.figures(baseline_method("centre"))
    assert tuple(cam) == CLOSER_FIGURES
    # The rows fall from the top down to the black half, so the brightest half is the red one.
    assert cam["rank"] == pytest.approx(1)
    assert centre["rank"] == pytest.approx(0.5, abs=0.01)
    assert cam["mass"] > 0.75 > centre["mass"]
    assert cam["road"] > 0.1 > abs(centre["road"])
    # Noise keeps the answer, so nothing shows whether the map would respond.
    assert cam["consistency"] > 0.9
    assert cam["responsiveness"] is None
    assert centre["consistency"] == pytest.approx(1)


def test_without_a_segmentation_there_is_no_localization(seen: Subject):
    found = CloserLook(seen, ClassTarget(1), None).figures(METHODS["cam"])
    assert found["mass"] is found["rank"] is None
    assert found["road"] is not None


def test_baselines_are_the_maps_that_methods_have_to_beat(seen: Subject):
    centre = baseline_method("centre").explain(seen, ClassTarget(1))
    np.testing.assert_array_equal(centre.contributions, baseline_maps(SIDE)[0])
    first, second = (baseline_method("random").explain(seen, ClassTarget(1), seed=seed) for seed in (0, 1))
    assert (first.contributions != second.contributions).any()
