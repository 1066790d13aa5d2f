"""Saliency and SmoothGrad against tf-keras-vis with the same noise."""

import numpy as np
import pytest

from flowers_core.explain.attributions.saliency import explain_saliency, noisy_copies
from flowers_core.explain.attributions.tf_keras_vis_reference import explain_by_tf_keras_vis
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.perturbation import ExplanationStopped
from tests.fixtures.small_network import SIZE, photo


@pytest.mark.parametrize("target", [ClassTarget(1), ContrastTarget(2, 4)])
def test_plain_saliency_is_tf_keras_vis(network, subject_at, target):
    ours = explain_saliency(subject_at("features"), target, samples=0)
    theirs = explain_by_tf_keras_vis("saliency", network, subject_at("features"), target)
    np.testing.assert_allclose(ours.contributions, theirs.contributions, rtol=1e-4, atol=1e-8)
    assert ours.contributions.shape == (SIZE, SIZE)
    assert ours.seed is None


def test_smooth_grad_is_tf_keras_vis_with_the_same_noise(network, subject_at, monkeypatch):
    ours = explain_saliency(subject_at("features"), ClassTarget(3), samples=6, noise=0.1, seed=4)
    noise = noisy_copies(photo(), 6, 0.1, 4) - photo()
    asked = []

    def prepared(mean, spread, shape):
        asked.append((mean, float(np.max(spread)), tuple(shape)))
        return noise.reshape(shape)

    monkeypatch.setattr(np.random, "normal", prepared)
    theirs = explain_by_tf_keras_vis(
        "saliency", network, subject_at("features"), ClassTarget(3), smooth_samples=6, smooth_noise=0.1
    )
    # tf-keras-vis takes the range of each channel of each photo together, as we do.
    assert asked == [(0.0, pytest.approx(0.1 * np.ptp(photo().astype(float))), (6, 1, SIZE, SIZE, 3))]
    np.testing.assert_allclose(ours.contributions, theirs.contributions, rtol=1e-4, atol=1e-8)


def test_the_noise_is_as_strong_as_asked_and_comes_back_with_the_seed():
    pixels = np.full((SIZE, SIZE, 3), 100, np.uint8)
    pixels[0] = 50  # a range of 50, so 0.2 of it is 10
    noise = noisy_copies(pixels, 30, 0.2, 0) - pixels
    assert noise.std() == pytest.approx(10, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.1)
    np.testing.assert_array_equal(noisy_copies(pixels, 3, 0.2, 7), noisy_copies(pixels, 3, 0.2, 7))
    assert (noisy_copies(pixels, 3, 0.2, 7) != noisy_copies(pixels, 3, 0.2, 8)).any()


def test_progress_and_stopping(subject_at):
    calls = []
    explain_saliency(
        subject_at("features"),
        ClassTarget(1),
        samples=6,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(0, 6), (4, 6), (6, 6)]
    with pytest.raises(ExplanationStopped, match="after 4 of 6"):
        explain_saliency(subject_at("features"), ClassTarget(1), samples=6, progress=lambda done, _: done < 4)


def test_what_cannot_be_is_refused(subject_at):
    for options in ({"samples": -1}, {"noise": -0.1}):
        with pytest.raises(ValueError, match="must not be negative"):
            explain_saliency(subject_at("features"), ClassTarget(1), **options)
