"""What is fitted to a gallery comes from photos that the model has not learnt from."""

import hashlib

import numpy as np
import pytest

from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.gallery_fits import class_similarity_of, knn_rule_of
from flowers_core.retrieval.knn import fit_knn_rule
from flowers_core.retrieval.similarity import fit_class_similarity

SPLITS = np.repeat(["train", "validation", "test"], 20)
LABELS = np.tile([5, 6], 30)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    vectors = np.random.default_rng(0).random((60, 16)).astype(np.float32) + 0.01
    digests = [hashlib.sha256(bytes([number])).hexdigest() for number in range(60)]
    return Gallery.build(vectors, np.arange(1, 61), LABELS, SPLITS.tolist(), digests)


@pytest.mark.parametrize(
    ("fitted", "counted"),
    [(("train",), SPLITS != "train"), (("train", "validation", "test"), SPLITS != "")],
)
def test_similarities_are_those_of_photos_not_learnt_from(
    gallery: Gallery, fitted: tuple[str, ...], counted: np.ndarray
) -> None:
    assert gallery.digests is not None
    digests = [row.tobytes() for row in gallery.digests[counted]]
    wanted = fit_class_similarity(gallery.vectors()[counted], LABELS[counted], digests=digests).arrays()
    found = class_similarity_of(gallery, fitted).arrays()
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)


def test_the_rule_is_chosen_on_validation_photos_or_not_at_all(gallery: Gallery) -> None:
    ask, voters = SPLITS == "validation", SPLITS == "train"
    vectors = gallery.vectors()
    wanted = fit_knn_rule(
        vectors[ask], LABELS[ask], vectors[voters], LABELS[voters], splits=("train",), classes=int(LABELS.max())
    )
    assert knn_rule_of(gallery, ("train",)) == wanted
    assert knn_rule_of(gallery, ("train", "validation")) is None
