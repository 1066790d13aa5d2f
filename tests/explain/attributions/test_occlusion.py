"""Occlusion on models whose answer is known."""

import numpy as np
import pytest

from flowers_core.explain.attributions.occlusion import explain_occlusion, patch_starts
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.perturbation import ExplanationStopped
from tests.fixtures.subjects import subject

SIZE = 32
RED = np.zeros((SIZE, SIZE, 3), np.uint8)
RED[..., 0] = 200


def top_left_quarter(batch: np.ndarray) -> np.ndarray:
    """Two classes; the second is as probable as the top-left quarter is red."""
    probability = 0.1 + 0.8 * batch[:, :16, :16, 0].mean(axis=(1, 2)) / 255
    return np.log(np.column_stack([1 - probability, probability]))


def test_a_model_that_looks_at_the_top_left_quarter_is_found_out():
    explained = explain_occlusion(subject(RED, top_left_quarter), ClassTarget(2), patch=0.25, stride=0.25)
    # Sixteen patches of 8 × 8; each of the four in the quarter takes 72 of 255 from a quarter of what is looked at.
    expected = np.zeros((SIZE, SIZE))
    expected[:16, :16] = 0.8 * 72 / 255 / 4
    np.testing.assert_allclose(explained.contributions, expected, atol=1e-7)
    assert explained.settings["forward_passes"] == 17
    assert explained.settings["probability"] == pytest.approx(0.1 + 0.8 * 200 / 255)
    assert explained.settings["largest_drop"] == pytest.approx(0.8 * 72 / 255 / 4)
    assert (explained.method, explained.unit, explained.seed) == ("occlusion", "probability", None)
    against = explain_occlusion(subject(RED, top_left_quarter), ContrastTarget(1, 2), patch=0.25, stride=0.25)
    np.testing.assert_allclose(against.contributions, -expected, atol=1e-7)
    assert not against.has_positive_evidence


def test_a_model_that_counts_red_is_found_out():
    def counts_red(batch):
        probability = 0.01 + 0.9 * ((batch[..., 0] > 150) & (batch[..., 1] < 100)).mean(axis=(1, 2))
        return np.log(np.column_stack([1 - probability, probability]))

    pixels = np.full((SIZE, SIZE, 3), 90, np.uint8)
    pixels[4:12, 20:28] = (220, 30, 40)
    heat = explain_occlusion(subject(pixels, counts_red), ClassTarget(2), patch=0.125, stride=0.0625).contributions
    assert heat[6:10, 22:26].min() == pytest.approx(0.9 * 16 / 1024, rel=1e-5)  # wholly red patches of 4 × 4
    far = np.ones_like(heat, bool)
    far[1:15, 17:31] = False  # no patch reaches farther than 3 pixels out
    assert not heat[far].any()
    assert np.unravel_index(heat.argmax(), heat.shape)[0] in range(4, 12)


def test_overlapping_patches_are_averaged():
    explained = explain_occlusion(subject(RED, top_left_quarter), ClassTarget(2), patch=0.5, stride=0.25)
    # Of patches at 0, 8, 16 the top-left corner is covered by one alone, which hides the whole quarter.
    whole = 0.8 * 72 / 255
    assert explained.contributions[0, 0] == pytest.approx(whole, rel=1e-5)
    # The first row, columns 8…15: patches at 0 and at 8, of which the second hides half.
    assert explained.contributions[0, 8] == pytest.approx(whole * 0.75, rel=1e-5)
    assert explained.contributions[31, 31] == pytest.approx(0, abs=1e-7)


def test_by_default_the_patch_takes_twelve_by_twelve_places():
    red = np.zeros((224, 224, 3), np.uint8)
    assert explain_occlusion(subject(red, top_left_quarter), ClassTarget(2)).settings["forward_passes"] == 145


def test_patches_reach_the_edge():
    assert patch_starts(10, 4, 3) == [0, 3, 6]
    assert patch_starts(10, 4, 4) == [0, 4, 6]
    assert patch_starts(10, 10, 3) == [0]


def test_progress_stopping_and_refusals():
    calls = []
    explain_occlusion(
        subject(RED, top_left_quarter),
        ClassTarget(1),
        patch=0.25,
        stride=0.125,
        progress=lambda *done: calls.append(done),
    )
    assert calls == [(0, 50), (1, 50), (33, 50), (50, 50)]
    with pytest.raises(ExplanationStopped, match="after 1 of"):
        explain_occlusion(subject(RED, top_left_quarter), ClassTarget(1), progress=lambda done, _: done < 1)
    for options in ({"patch": 0.0}, {"patch": 1.5}, {"patch": 0.1, "stride": 0.2}, {"stride": 0.0}):
        with pytest.raises(ValueError, match="at most the patch"):
            explain_occlusion(subject(RED, top_left_quarter), ClassTarget(1), **options)
