"""Worth, common ground and what would settle a doubt, by hand."""

import numpy as np

from flowers_core.explain.concepts.classes import settling, shared, typical, worth
from flowers_core.explain.concepts.concepts import Concepts
from flowers_core.explain.concepts.dictionary import ConceptDictionary
from flowers_core.explain.concepts.shares import concept_shares
from flowers_core.explain.explanation import ClassTarget

#: Each channel is a concept. The first two classes share concept 1; concept 2 is the first's, concept 3 the second's.
CONCEPTS = Concepts(
    ConceptDictionary(np.eye(3)),
    np.array([[1.0, 2.0, 0.0], [0.5, 0.0, 3.0]], np.float32),
    np.zeros((3, 1), int),
    np.zeros((3, 1, 2), int),
    (1, 2),
)
HEAD = np.array([[4.0, 4.0], [1.0, -1.0], [-2.0, 1.0]])


def test_typical_are_three_at_most_of_half_the_first_ones_worth() -> None:
    assert typical(np.array([0.4, 2.0, 1.0, 0.9, 1.5])) == [1, 4, 2]
    assert typical(np.array([0.4, 2.0, 3.0, 2.5, 2.6, -1.0])) == [2, 4, 3]
    assert typical(np.array([-0.1, 0.0])) == []


def test_worth_is_the_mean_share() -> None:
    worths = worth(CONCEPTS, HEAD)
    np.testing.assert_allclose(worths, [[4, 2, 0], [2, 0, 3]])
    # A photo that has just what its class has on average.
    photo = np.tile(CONCEPTS.amounts[0], (1, 2, 1)).astype(float)
    found = concept_shares(photo, CONCEPTS.dictionary, HEAD, np.zeros(2), ClassTarget(1))
    np.testing.assert_allclose(found.shares, worths[0])


def test_what_two_classes_share() -> None:
    np.testing.assert_allclose(shared(worth(CONCEPTS, HEAD), 1, 2), [2, 0, 0])
    assert shared(np.array([[-1.0], [5.0]]), 1, 2)[0] == 0  # what speaks against one is not shared


def test_what_would_settle_it() -> None:
    presence = np.zeros((1, 2, 3))
    presence[0, 0] = 4, 1, 0  # on average 2, 0.5 and 0
    # More of concept 2 would: 1.5 more than now, times 1 − (−1). Of concept 1 there is enough.
    np.testing.assert_allclose(settling(CONCEPTS, HEAD, presence, 1, 2), [0, 3, 0])
    # The other way round concept 3: 3 more, times 1 − (−2).
    np.testing.assert_allclose(settling(CONCEPTS, HEAD, presence, 2, 1), [0, 0, 9])
