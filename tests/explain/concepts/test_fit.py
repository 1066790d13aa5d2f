"""A model with two planted concepts gets them back."""

import numpy as np
import pytest

from flowers_core.explain.concepts.dictionary import ConceptDictionary, matched_similarity
from flowers_core.explain.concepts.fit import TrainingMaps, beginning, fit_concepts, general_concepts

#: Concepts of five channels, of which they share the second. The head reads the channel that each has alone.
PLANTED = ConceptDictionary(np.array([[3.0, 4, 0, 0, 0], [0, 4, 0, 3, 0]]) / 5)
HEAD = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 2.0], [0.0, 0.0]])


def training(photos: int = 30) -> TrainingMaps:
    """Photos of 4 × 4 positions: of the first class with the first concept at one corner, of the second with the other
    at the opposite one, and a fifth channel everywhere that is neither's."""
    random = np.random.default_rng(0)
    labels = 1 + np.arange(photos) % 2
    maps = np.zeros((photos, 4, 4, 5))
    maps[labels == 1, 0, 0] = 3 * PLANTED.concepts[0]
    maps[labels == 2, 3, 3] = 3 * PLANTED.concepts[1]
    maps[..., 4] += random.uniform(0.1, 0.3, (photos, 4, 4)) * (random.random((photos, 4, 4)) < 0.5)
    return TrainingMaps(maps.astype(np.float16), 100 + np.arange(photos), labels)


def test_planted_concepts_are_found_with_their_classes_and_places() -> None:
    found = fit_concepts(training(), HEAD, general=1, seed=1)
    assert len(found) == 3
    assert (matched_similarity(PLANTED, found.dictionary) > 0.99).all()
    for planted, corner in enumerate([(0, 0), (3, 3)]):
        concept = int((found.dictionary.concepts @ PLANTED.concepts[planted]).argmax())
        assert found.amounts[:, concept].argmax() == planted
        assert set(map(tuple, found.places[concept].tolist())) == {corner}
        assert {int(photo) % 2 for photo in found.photos[concept]} == {planted}
    # The head's reading weighs as much as all channels.
    vectors, _ = training().drawn(1)
    read = vectors @ found.dictionary.readout
    np.testing.assert_allclose(np.linalg.norm(read), np.linalg.norm(vectors), rtol=1e-5)


@pytest.mark.parametrize(("channels", "classes", "general"), [(1280, 102, 40), (1280, 5, 10), (6, 5, 6)])
def test_there_are_more_general_concepts_for_more_classes(channels: int, classes: int, general: int) -> None:
    assert general_concepts(np.zeros((channels, classes))) == general


def test_it_begins_with_what_speaks_for_each_class() -> None:
    vectors = np.array([[4.0, 2, 0], [1, 0, 1], [0, 3, 4], [0, 2, 0], [0, 1, 0], [0, 5, 0]])
    head = np.array([[1.0, -1.0], [0.0, 0.0], [-1.0, 1.0]])
    found = beginning(vectors, np.array([1, 1, 2, 2, 2, 2]), head, 1, seed=0)
    # Evidence is 4 and 0 for the first class, 4 and three times 0 for the second; the rest has the second channel.
    one, two = np.array([4.0, 2, 0]) / 20**0.5, np.array([0, 3.0, 4]) / 5
    np.testing.assert_allclose(found.concepts[:2], [one, two])
    assert found.concepts[2].argmax() == 1


def test_the_seed_draws_the_positions() -> None:
    given = training()
    vectors, labels = given.drawn(0, 4)
    assert vectors.shape == (30 * 4, 5)
    np.testing.assert_array_equal(labels, np.repeat(given.labels, 4))
    np.testing.assert_array_equal(vectors, given.drawn(0, 4)[0])
    assert (vectors != given.drawn(1, 4)[0]).any()
    flat = given.maps[0].reshape(16, 5).astype(np.float32)
    assert all((flat == vector).all(axis=1).any() for vector in vectors[:4])
    assert len(given.drawn(0, 99)[0]) == 30 * 16
