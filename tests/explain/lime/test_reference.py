"""The `lime` package behind this room's interface."""

import numpy as np
import pytest
from scipy.special import softmax

from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.lime.reference import explain_lime_reference
from flowers_core.explain.perturbation import ExplanationStopped
from tests.fixtures.subjects import subject

SIZE = 48


@pytest.fixture
def pixels() -> np.ndarray:
    """Nine squares, bright and dark in turn, with a little noise."""
    random = np.random.default_rng(0)
    squares = np.where(np.indices((3, 3)).sum(axis=0) % 2, 40, 180)[..., None] + random.integers(0, 40, size=(3, 3, 3))
    return (np.kron(squares, np.ones((16, 16, 1), int)) + random.integers(0, 30, size=(SIZE, SIZE, 3))).astype(np.uint8)


def top_left_quarter(batch: np.ndarray) -> np.ndarray:
    """Three classes; the third leans on how mixed the green of the top-left quarter is."""
    mixed = batch[:, :24, :24, 1].astype(float).std(axis=2).mean(axis=1) / 10
    return np.column_stack([np.zeros(len(batch)), 0.5 - mixed, 2 * mixed - 9])


def test_it_is_the_package(pixels):
    from lime.lime_image import LimeImageExplainer

    ours = explain_lime_reference(
        subject(pixels, top_left_quarter, temperature=1.5), ClassTarget(3), samples=120, seed=4
    )
    theirs = LimeImageExplainer(random_state=np.random.RandomState(4)).explain_instance(
        pixels,
        lambda batch: softmax(top_left_quarter(batch) / 1.5, axis=1),
        labels=(2,),
        top_labels=None,
        num_samples=120,
        random_seed=4,
    )
    np.testing.assert_array_equal(ours.superpixels, theirs.segments)
    expected = np.array([dict(theirs.local_exp[2])[number] for number in range(ours.superpixels.max() + 1)])
    np.testing.assert_allclose(ours.terms, expected, rtol=1e-5)
    assert np.ptp(expected) > 0.001
    assert ours.settings["r2"] == pytest.approx(theirs.score)
    assert ours.value == pytest.approx(expected.sum())
    assert (ours.method, ours.unit, ours.target, ours.seed) == ("lime_reference", "probability", ClassTarget(3), 4)


def test_progress_stopping_and_refusals(pixels):
    seen, calls = subject(pixels, top_left_quarter), []
    explain_lime_reference(seen, ClassTarget(1), samples=25, progress=lambda *done: calls.append(done))
    assert calls == [(0, 25), (10, 25), (20, 25), (25, 25)]
    with pytest.raises(ExplanationStopped, match="after 10 of 25"):
        explain_lime_reference(seen, ClassTarget(1), samples=25, progress=lambda done, _: done < 10)
    for label in (0, 4):
        with pytest.raises(ValueError, match="no label"):
            explain_lime_reference(seen, ClassTarget(label), samples=25)
    with pytest.raises(ValueError, match="one class at a time"):
        explain_lime_reference(seen, ContrastTarget(1, 2), samples=25)
