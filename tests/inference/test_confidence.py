"""Evidence and signals by hand, and temperatures that make the top probability what it should be."""

import numpy as np
import pytest

from flowers_core.inference.confidence import Evidence, evidence_of, signals_of, tempered
from flowers_core.inference.confidence_model import SIGNALS
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Forward


def test_the_surest_position_by_hand() -> None:
    # Two positions with one channel each of two; the head tells two classes apart by the channels.
    features = np.array([[[[2, 0], [0, 1]]]], np.float32)
    weights, bias = np.eye(2, dtype=np.float32), np.array([0.5, 0], np.float32)
    embedding = features.mean(axis=(1, 2))
    found = evidence_of(Forward(embedding @ weights + bias, features, embedding), weights, bias)
    # The answer is class 1. At the first position its log-odds are 2.5 − 0, at the second 0.5 − 1.
    assert found.surest == pytest.approx([2.5])
    assert len(found) == 1
    assert found.select(np.array([False])).logits.shape == (0, 2)


def test_signals_by_hand() -> None:
    space = DiscriminantSpace(
        prototypes=np.array([[1, 0], [0, 1], [-1, 0]], np.float32),
        scale=np.array([1, 2], np.float32),
        mean=np.zeros(2, np.float32),
        projection=np.eye(2, dtype=np.float32),
    )
    evidence = Evidence(np.array([[3, 1, 0]], np.float32), np.array([[4, 3]], np.float32), np.array([1.5], np.float32))
    found = dict(zip(SIGNALS, signals_of(evidence, space)[0], strict=True))
    assert found["logit_margin"] == pytest.approx(2)
    assert found["log_odds"] == pytest.approx(3 - np.log(np.e + 1))
    assert found["discriminant_gap"] == pytest.approx(0.8 - 0.6)
    assert found["nearness"] == pytest.approx(-np.log(np.hypot(3, 6)))
    assert found["surest_position"] == 1.5


def test_each_photo_gets_the_temperature_of_its_confidence() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, 7))
    confidence = np.linspace(0.15, 0.999, 50)
    found = tempered(logits, confidence)
    assert found.max(axis=1) == pytest.approx(confidence, abs=1e-6)
    assert found.sum(axis=1) == pytest.approx(np.ones(50))
    np.testing.assert_array_equal(np.argsort(found, axis=1), np.argsort(logits, axis=1))
    # It is the softmax at one temperature: log-probabilities are a straight line in the logits.
    slope = np.diff(np.log(found[0]))[0] / np.diff(logits[0])[0]
    assert softmax(logits[:1], 1 / slope) == pytest.approx(found[:1])


def test_a_confidence_below_chance_makes_all_classes_equal() -> None:
    assert tempered([[5.0, 1.0, 0.0, 0.0]], [0.1]) == pytest.approx(np.full((1, 4), 0.25), abs=1e-3)


def test_two_classes_that_are_alike_share_what_one_cannot_have() -> None:
    assert tempered([[5.0, 5.0, 1.0]], [0.9]) == pytest.approx(np.array([[0.5, 0.5, 0.0]]))


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_a_confidence_without_any_doubt_is_a_probability_still(confidence: float) -> None:
    found = tempered([[2.0, 1.0, 0.0]], [confidence])
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1)
