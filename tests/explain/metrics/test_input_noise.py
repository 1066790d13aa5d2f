"""Noise as strong as it says."""

import numpy as np
import pytest

from flowers_core.explain.metrics.input_noise import with_input_noise


@pytest.mark.parametrize("deviation", [2, 16])
def test_noise_is_as_strong_as_it_says(deviation):
    grey = np.full((200, 200, 3), 128, np.uint8)
    found = with_input_noise(grey, 0, deviation)
    # Rounding to whole grey levels adds 1/12 to the variance.
    assert (found.astype(float) - 128).std() == pytest.approx(np.sqrt(deviation**2 + 1 / 12), rel=0.02)
    assert (found == with_input_noise(grey, 0, deviation)).all()
    assert (found != with_input_noise(grey, (0, 1), deviation)).any()


def test_by_default_no_eye_sees_it_and_it_stays_a_photo():
    black = with_input_noise(np.zeros((9, 9, 3), np.uint8), 0)
    assert black.dtype == np.uint8
    assert black.max() < 20
