"""Where the embeddings of a lesson come from."""

import numpy as np
import pytest

from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.retrieval.gallery import INDEX_FILE
from flowers_core.retrieval.lesson_photos import answered_photos, embed, embedding_norms, stored_photos
from flowers_core.retrieval.teaching import Head, TeachingError


def test_stored_photos_are_those_that_were_learnt_from(two_axes: Bundle) -> None:
    known = stored_photos(two_axes, 3.0)
    assert known.columns.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(np.linalg.norm(known.embeddings, axis=1), 3)
    np.testing.assert_allclose(known.embeddings[0], [2.993, 0.2], atol=0.02)


def test_a_bundle_without_a_gallery_cannot_be_taught(two_axes: Bundle) -> None:
    BundleWriter.open(two_axes.folder).remove_file(INDEX_FILE)
    with pytest.raises(TeachingError, match="has no gallery to teach with"):
        stored_photos(load_bundle(two_axes.folder), 3.0)


def test_the_embeddings_of_answered_photos_have_their_lengths(two_axes: Bundle) -> None:
    head = Head(2 * np.eye(2), np.array([0.25, 0.75]))
    photos = np.array([[5.0, 1.0], [0.1, 3.0]])
    found = answered_photos(two_axes, [5, 3], head.logits(photos), head)
    np.testing.assert_allclose(found, photos, atol=0.03)


def test_no_photos_are_a_sentence(two_axes: Bundle) -> None:
    with pytest.raises(TeachingError, match="no photos to learn from"):
        embed(two_axes, [])


def test_lengths_come_back_from_logits() -> None:
    head = Head(np.eye(2), np.array([1.0, -1.0]))
    np.testing.assert_allclose(embedding_norms([[0.6, 0.8]], [[4.0, 3.0]], head), [5])
