"""What concepts keep of a model, and what removing one does, by hand."""

import numpy as np
import pytest

from flowers_core.explain.concepts.concepts import Concepts
from flowers_core.explain.concepts.dictionary import ConceptDictionary
from flowers_core.explain.concepts.evaluation import OnPhoto, concept_record, look_at

#: Two concepts of three channels; the third channel is in none.
CONCEPTS = Concepts(
    ConceptDictionary(np.eye(3)[:2]),
    np.zeros((2, 2), np.float32),
    np.zeros((2, 1), int),
    np.zeros((2, 1, 2), int),
    (1, 2),
)
HEAD, BIAS = np.array([[3.0, 0.0], [0.0, 2.0], [0.0, 5.0]]), np.array([0.5, 0.0])


def test_a_photo_that_the_concepts_explain() -> None:
    features = np.array([[[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]])  # on average 1 and 0.5
    found = look_at(features, CONCEPTS, HEAD, BIAS)
    assert (found.answer, found.through) == (1, 1)
    assert found.first == pytest.approx(3)
    assert found.random == pytest.approx(1.5)  # the second concept speaks for the other class alone
    assert found.error < 1e-9


def test_a_photo_whose_answer_no_concept_explains() -> None:
    features = np.array([[[2.0, 0.0, 4.0], [0.0, 0.0, 0.0]]])  # 3.5 for the first class, 10 for the second
    found = look_at(features, CONCEPTS, HEAD, BIAS)
    assert (found.answer, found.through) == (2, 1)
    assert found.error < 1e-9


def test_the_record_counts_by_hand() -> None:
    found = [(1, OnPhoto(1, 1, 4.0, 1.0, 1e-9, 0.002)), (2, OnPhoto(2, 1, 2.0, 0.5, 1e-8, 0.004))]
    two, other = ConceptDictionary(np.eye(2)), ConceptDictionary(np.array([[0.6, 0.8], [0.8, 0.6]]))
    record = concept_record(found, two, other, seed=5)
    assert (record.photos, record.seed, record.concepts) == (2, 5, 2)
    assert (record.top1, record.top1_through, record.accuracy_kept) == (1.0, 0.5, 0.5)
    assert record.kept.value == 0.5
    assert record.first_over_random == pytest.approx(4)
    assert record.largest_error == 1e-8
    assert record.milliseconds == pytest.approx(3)
    assert record.stable == 1.0  # matched the other way round both have 0.8
    assert concept_record(found, two, ConceptDictionary(np.full((2, 2), 0.5**0.5)), 5).stable == 0
