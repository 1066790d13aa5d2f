"""Shares by hand, and their sum against a network's logits."""

import numpy as np
import pytest

from flowers_core.explain.concepts.dictionary import ConceptDictionary
from flowers_core.explain.concepts.shares import concept_shares
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget

#: Concepts of four channels: the first two together, and the third. Nothing has a concept for the fourth.
DICTIONARY = ConceptDictionary(np.array([[0.6, 0.8, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]))
HEAD = np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [-4.0, 0.5]])
BIAS = np.array([0.25, -1.0])
#: Two by two positions: concept 1 five times at the upper left, concept 2 twice below it, and a speck of channel 4.
FEATURES = np.zeros((2, 2, 4))
FEATURES[0, 0] = 3, 4, 0, 0
FEATURES[1, 0] = 0, 0, 2, 0
FEATURES[1, 1] = 0, 0, 0, 1


def test_shares_by_hand():
    found = concept_shares(FEATURES, DICTIONARY, HEAD, BIAS, ClassTarget(1))
    # mean(U) is 5/4 and 2/4; V·W is 0.6 + 1.6 = 2.2 and 3; channel 4 adds −4 · 1/4 that no concept tells.
    np.testing.assert_allclose(found.shares, [2.75, 1.5], atol=1e-9)
    assert found.residual == pytest.approx(-1)
    assert found.bias == 0.25
    assert found.value == pytest.approx(3.5)
    assert found.value == pytest.approx(FEATURES.mean(axis=(0, 1)) @ HEAD[:, 0] + BIAS[0])
    np.testing.assert_allclose(found.presence[..., 0], [[5, 0], [0, 0]], atol=1e-9)
    np.testing.assert_allclose(found.contributions(1), [[0, 0], [1.5, 0]], atol=1e-9)


def test_a_contrast_is_the_difference_of_the_two():
    one, other = (concept_shares(FEATURES, DICTIONARY, HEAD, BIAS, ClassTarget(label)) for label in (1, 2))
    found = concept_shares(FEATURES, DICTIONARY, HEAD, BIAS, ContrastTarget(1, 2))
    np.testing.assert_allclose(found.shares, one.shares - other.shares)
    assert found.value == pytest.approx(one.value - other.value)
    assert found.strongest() == [0, 1]
    assert found.strongest(1) == [0]
    assert other.strongest() == [0]  # the second class has no use for concept 2


def test_they_sum_to_the_logit_at_the_size_of_a_real_backbone():
    random = np.random.default_rng(0)
    concepts = random.random((60, 1280)) * (random.random((60, 1280)) < 0.05)
    dictionary = ConceptDictionary(concepts / np.linalg.norm(concepts, axis=1, keepdims=True))
    features = np.minimum(np.maximum(random.normal(size=(7, 7, 1280)), 0) * 2, 6).astype(np.float32)
    head, bias = random.normal(size=(1280, 102)).astype(np.float32), random.normal(size=102).astype(np.float32)
    logits = features.mean(axis=(0, 1)) @ head + bias
    for label in (1, 50, 102):
        found = concept_shares(features, dictionary, head, bias, ClassTarget(label))
        assert found.value == pytest.approx(logits[label - 1], abs=1e-4)
        by_position = [found.contributions(concept).sum() for concept in range(60)]
        np.testing.assert_allclose(by_position, found.shares, atol=1e-9)


def test_to_remove_a_concept_takes_its_share():
    found = concept_shares(FEATURES, DICTIONARY, HEAD, BIAS, ClassTarget(1))
    without = FEATURES - found.presence[..., [0]] * DICTIONARY.concepts[0]
    removed = concept_shares(without, DICTIONARY, HEAD, BIAS, ClassTarget(1))
    assert found.value - removed.value == pytest.approx(found.shares[0])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="no label 3"):
        concept_shares(FEATURES, DICTIONARY, HEAD, BIAS, ClassTarget(3))
    with pytest.raises(ValueError, match="not a neighbour"):
        concept_shares(FEATURES, DICTIONARY, HEAD, BIAS, NeighbourTarget(3))
