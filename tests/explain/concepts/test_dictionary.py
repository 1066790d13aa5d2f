"""Concepts that were planted are found; presence is the non-negative least squares solution."""

import numpy as np
import pytest
from scipy.optimize import nnls

from flowers_core.explain.concepts.dictionary import (
    ConceptDictionary,
    fit_dictionary,
    head_readout,
    matched_similarity,
    refine_dictionary,
)

RANDOM = np.random.default_rng

#: Two concepts of six channels, of which they share the second.
PLANTED = np.array([[3.0, 4, 0, 0, 0, 0], [0, 1, 0, 2, 2, 4]]) / 5


def planted_vectors(samples: int = 400, seed: int = 0) -> np.ndarray:
    """Positions of which a third has the one concept, a third the other, and a third both."""
    amounts = RANDOM(seed).uniform(0.5, 2, size=(samples, 2))
    amounts[: samples // 3, 1] = 0
    amounts[samples // 3 : 2 * samples // 3, 0] = 0
    return amounts @ PLANTED


def dictionary_of(concepts: np.ndarray) -> ConceptDictionary:
    return ConceptDictionary(concepts / np.linalg.norm(concepts, axis=1, keepdims=True))


def test_two_planted_concepts_are_found():
    found = fit_dictionary(planted_vectors(), 2)
    np.testing.assert_allclose(matched_similarity(found, dictionary_of(PLANTED)), 1, atol=1e-4)
    vectors = planted_vectors(50, seed=1)
    np.testing.assert_allclose(found.reconstruct(found.presence(vectors)), vectors, atol=0.02)


def test_the_normal_equations_are_solved_by_the_presence():
    random = RANDOM(4)
    concepts = random.random((3, 10))
    concepts /= np.linalg.norm(concepts, axis=1, keepdims=True)
    dictionary = ConceptDictionary(concepts, head_readout(random.normal(size=(10, 4)), 0.5))
    target, gram, curvature = dictionary.normal_equations()
    amounts = np.array([0.5, 2.0, 1.0])
    np.testing.assert_allclose(np.linalg.solve(gram, amounts @ concepts @ target), amounts)
    assert curvature == pytest.approx(np.linalg.norm(gram, 2))


def test_presence_is_non_negative_least_squares():
    random = RANDOM(3)
    dictionary = dictionary_of(random.random((12, 40)) * (random.random((12, 40)) < 0.4))
    features = random.random((4, 5, 40)) * 3
    found = dictionary.presence(features)
    assert found.shape == (4, 5, 12)
    assert (found == 0).any()
    expected = [nnls(dictionary.concepts.T, vector)[0] for vector in features.reshape(-1, 40)]
    np.testing.assert_allclose(found.reshape(-1, 12), expected, atol=1e-4)


def test_presence_may_heed_what_is_read() -> None:
    random = RANDOM(6)
    plain = dictionary_of(random.random((5, 30)))
    readout = head_readout(random.normal(size=(30, 4)), 0.7)
    np.testing.assert_allclose(readout.sum(axis=1), 0, atol=1e-12)
    reading = ConceptDictionary(plain.concepts, readout)
    features = random.random((6, 30))
    seen = np.hstack([features, features @ readout])
    expected = [nnls(np.hstack([plain.concepts, plain.concepts @ readout]).T, vector)[0] for vector in seen]
    np.testing.assert_allclose(reading.presence(features), expected, atol=1e-4)
    # What is read comes out nearer than without.
    far, near = (
        np.linalg.norm((features - one.reconstruct(one.presence(features))) @ readout) for one in (plain, reading)
    )
    assert near < 0.8 * far


def test_a_dictionary_goes_on_from_another() -> None:
    off = dictionary_of(PLANTED + 0.6 * RANDOM(8).random(PLANTED.shape))
    before = matched_similarity(off, dictionary_of(PLANTED))
    one = refine_dictionary(off, planted_vectors(), iterations=1)
    many = refine_dictionary(off, planted_vectors(), iterations=400)
    assert (before < 0.98).all()
    assert (matched_similarity(one, dictionary_of(PLANTED)) > before).all()
    np.testing.assert_allclose(matched_similarity(many, dictionary_of(PLANTED)), 1, atol=1e-3)


def test_what_was_mixed_is_told_apart():
    dictionary = dictionary_of(PLANTED)
    amounts = np.array([[[1.5, 0.0], [0.0, 2.0]], [[0.3, 0.7], [0.0, 0.0]]])
    np.testing.assert_allclose(dictionary.presence(dictionary.reconstruct(amounts)), amounts, atol=1e-9)


def test_dictionaries_are_matched_whatever_their_order():
    one = dictionary_of(RANDOM(4).random((5, 30)) ** 4)
    other = ConceptDictionary(one.concepts[[3, 0, 4, 1, 2]])
    np.testing.assert_allclose(matched_similarity(one, other), 1)
    # (3, 4) / 5 with (1, 0) and (0, 1): 0.6 + 0.8 is the better of the two matchings.
    two = ConceptDictionary(np.array([[0.6, 0.8], [1.0, 0.0]]))
    np.testing.assert_allclose(matched_similarity(two, ConceptDictionary(np.eye(2))), [0.8, 1.0])


def test_what_cannot_be_is_refused():
    for concepts in (np.array([[3.0, 4.0]]), np.array([[-1.0, 0.0]]), np.ones(3)):
        with pytest.raises(ValueError, match="oncept"):
            ConceptDictionary(concepts)
    with pytest.raises(ValueError, match="do not fit"):
        dictionary_of(PLANTED).presence(np.ones((2, 2, 5)))
    with pytest.raises(ValueError, match="1 to 6 concepts, not 7"):
        fit_dictionary(planted_vectors(20), 7)
