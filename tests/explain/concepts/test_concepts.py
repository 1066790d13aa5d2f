"""Where planted concepts are, how much each class has, and the file of it all."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.explain.concepts.concepts import Concepts, ConceptsError, describe_concepts, load_concepts
from flowers_core.explain.concepts.dictionary import ConceptDictionary

#: Two concepts of three channels; nothing has the third channel.
DICTIONARY = ConceptDictionary(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
#: Three classes; their logits less the mean are (−1, 1, 0), (0, 0, 0) and (1, −1, 0) for the three channels.
HEAD = np.array([[1.0, 3.0, 2.0], [2.0, 2.0, 2.0], [3.0, 1.0, 2.0]])


def maps() -> np.ndarray:
    """Three photos of two by two positions: two of the first class, with concept 1, and one of the third, with 2."""
    found = np.zeros((3, 2, 2, 3), np.float16)
    found[0][0, 1, 0] = 2
    found[1][1, 0, 0] = 4
    found[2][1, 1] = 1, 6, 0
    return found


def described() -> Concepts:
    return describe_concepts(DICTIONARY, maps(), np.array([11, 12, 13]), np.array([1, 1, 3]), 3, readout_weight=0.5)


def test_amounts_and_typical_places_by_hand() -> None:
    found = described()
    # Means over the four positions: 0.5 and 1 of concept 1 in the first class; 0.25 and 1.5 in the third.
    np.testing.assert_allclose(found.amounts, [[0.75, 0], [0, 0], [0.25, 1.5]], atol=1e-6)
    assert found.photos[0].tolist() == [12, 11, 13]
    assert found.places[0].tolist() == [[1, 0], [0, 1], [1, 1]]
    assert found.photos[1][0] == 13
    assert found.places[1][0].tolist() == [1, 1]
    assert found.grid == (2, 2)
    assert len(found) == 2


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = described()
    np.savez_compressed(tmp_path / "concepts.npz", **found.arrays())
    read = load_concepts(tmp_path / "concepts.npz", HEAD)
    np.testing.assert_array_equal(read.dictionary.concepts, DICTIONARY.concepts)
    np.testing.assert_array_equal(read.amounts, found.amounts)
    np.testing.assert_array_equal(read.photos, found.photos)
    np.testing.assert_array_equal(read.places, found.places)
    assert read.grid == (2, 2)
    assert read.readout_weight == 0.5
    np.testing.assert_array_equal(read.dictionary.readout, [[-0.5, 0.5, 0], [0, 0, 0], [0.5, -0.5, 0]])


def test_concepts_of_another_head_are_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "concepts.npz", **described().arrays())
    with pytest.raises(ConceptsError, match="other classes"):
        load_concepts(tmp_path / "concepts.npz", np.ones((3, 4)))


def test_half_precision_keeps_unit_length(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((2, 50))
    dictionary = ConceptDictionary(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    odd = Concepts(dictionary, np.zeros((3, 2), np.float32), np.zeros((2, 1), int), np.zeros((2, 1, 2), int), (8, 8))
    np.savez_compressed(tmp_path / "concepts.npz", **odd.arrays())
    np.testing.assert_allclose(
        load_concepts(tmp_path / "concepts.npz", np.ones((50, 3))).dictionary.concepts, dictionary.concepts, rtol=2e-3
    )


@pytest.mark.parametrize("missing", ["concepts", "amounts", "grid"])
def test_another_file_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    arrays = {name: array for name, array in described().arrays().items() if name != missing}
    np.savez_compressed(tmp_path / "other.npz", **arrays)
    with pytest.raises(ConceptsError, match=r"other\.npz"):
        load_concepts(tmp_path / "other.npz", HEAD)


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Concepts(DICTIONARY, np.zeros((3, 5), np.float32), np.zeros((2, 1), int), np.zeros((2, 1, 2), int), (2, 2))
