"""Probabilities and log-odds, and the model on many perturbed photos."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget
from flowers_core.explain.perturbation import ExplanationStopped, log_odds, perturbed_probabilities, probability

LOGITS = np.log(np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))


def test_a_class_is_watched_by_its_probability():
    np.testing.assert_allclose(probability(LOGITS, ClassTarget(2)), [0.3, 0.3])
    # At temperature ½ the probabilities are squared and shared out anew: 9 / (4 + 9 + 25) and 9 / (36 + 9 + 1).
    np.testing.assert_allclose(probability(LOGITS, ClassTarget(2), 0.5), [9 / 38, 9 / 46])


def test_a_contrast_by_its_share_of_the_two():
    np.testing.assert_allclose(probability(LOGITS, ContrastTarget(3, 1)), [5 / 7, 1 / 7])
    np.testing.assert_allclose(probability(LOGITS, ContrastTarget(3, 1), 0.5), [25 / 29, 1 / 37])


def test_what_logits_do_not_tell_is_refused():
    with pytest.raises(ValueError, match="class"):
        probability(LOGITS, NeighbourTarget(1))
    for target in (ClassTarget(0), ClassTarget(4), ContrastTarget(1, 4), ContrastTarget(0, 1)):
        with pytest.raises(ValueError, match="no label"):
            probability(LOGITS, target)


def model(batch: np.ndarray) -> np.ndarray:
    """Two classes; the logit of the second is the first pixel's red."""
    return np.column_stack([np.zeros(len(batch)), batch[:, 0, 0, 0].astype(float)])


def batches(*sizes: int):
    for number, size in enumerate(sizes):
        yield np.full((size, 4, 4, 3), number, np.uint8)


def test_photos_are_answered_in_their_order_batch_by_batch():
    calls: list[tuple[int, int]] = []
    found = perturbed_probabilities(
        model, batches(2, 1), ClassTarget(2), total=3, progress=lambda done, total: calls.append((done, total))
    )
    np.testing.assert_allclose(found, [0.5, 0.5, np.e / (1 + np.e)])
    assert calls == [(0, 3), (2, 3), (3, 3)]


def test_a_false_stops_at_once():
    with pytest.raises(ExplanationStopped, match="after 2 of 5"):
        perturbed_probabilities(model, batches(2, 2, 1), ClassTarget(2), total=5, progress=lambda done, _: done < 2)


def test_log_odds_are_the_logit_of_what_is_watched():
    for target in (ClassTarget(2), ContrastTarget(3, 1)):
        for temperature in (1.0, 0.5):
            watched = probability(LOGITS, target, temperature)
            np.testing.assert_allclose(log_odds(LOGITS, target, temperature), np.log(watched / (1 - watched)))
    # Of a probability that rounds to 1 they still tell: 100 over two others of 0 is 100 − log 2.
    assert log_odds(np.array([[0.0, 100.0, 0.0]]), ClassTarget(2)) == pytest.approx(100 - np.log(2))
    with pytest.raises(ValueError, match="class"):
        log_odds(LOGITS, NeighbourTarget(1))
    with pytest.raises(ValueError, match="no label"):
        log_odds(LOGITS, ClassTarget(4))
