"""How near a picture lies to a class, by hand in two dimensions."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.prototypes import FARTHER, ClassMeans, class_means_of, fit_class_means
from flowers_core.retrieval.gallery import Gallery
from flowers_core.storage.paths import default_models_dir


@pytest.fixture
def gallery() -> Gallery:
    """Class 1: (1, 0) and (0.6, 0.8), whose mean points to (2, 1). Class 3: (0, 1) twice. Another split: far."""
    return Gallery.build(
        [[1, 0], [0.6, 0.8], [0, 1], [0, 2], [-1, 0]],
        ids=[1, 2, 3, 4, 5],
        labels=[1, 1, 3, 3, 1],
        splits=["train", "train", "train", "validation", "test"],
    )


def test_means_and_bar_by_hand(gallery: Gallery) -> None:
    found = fit_class_means(gallery, ["train", "validation"], classes=3)
    # One byte a value: a 255th of the range −1 … 1 at most.
    assert found.means == pytest.approx(np.array([[0.894, 0.447], [0, 0], [0, 1]]), abs=0.01)
    # Cosines 0.894, 0.894, 1, 1 with the means: 98 % of them are at least the smaller.
    assert found.bar == pytest.approx(0.894, abs=0.01)


def test_what_is_as_near_as_the_photos_are_passes() -> None:
    means = ClassMeans(np.array([[0.8, 0.6], [0, 0]], np.float32), 0.9)
    # Cosines with (0.8, 0.6): 1, 0.8, 0.96, 0.28; the length of an embedding does not matter.
    embeddings = [[4, 3], [0.01, 0], [0.6, 0.8], [-0.28, 0.96]]
    assert means.near(embeddings, 1).tolist() == [True, False, True, False]
    assert not means.near(embeddings, 2).any()


def test_some_photos_of_other_splits_alone_are_no_training_photos(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="no photos of the splits odd"):
        fit_class_means(gallery, ["odd"], classes=3)


def test_a_shipped_bundle_has_a_mean_for_every_class(tiny_bundle: Path) -> None:
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    found = class_means_of(bundle)
    assert found is not None
    assert np.linalg.norm(found.means, axis=1) == pytest.approx(np.ones(102))
    gallery = Gallery.load(bundle.path("gallery.faiss"), bundle.path("gallery.npz"))
    learnt = np.flatnonzero(gallery.splits == "train")
    passed = [found.near(gallery.vector(int(gallery.ids[row]))[None], int(gallery.labels[row]))[0] for row in learnt]
    assert np.mean(passed) == pytest.approx(1 - FARTHER, abs=0.002)
    assert class_means_of(load_bundle(tiny_bundle)) is None
