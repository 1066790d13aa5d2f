"""The prototypes of a shipped bundle, and where they come from."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.prototypes import REJECTED_FRACTION
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.paths import default_models_dir


def test_a_shipped_bundle_has_a_mean_for_every_class(tiny_bundle: Path) -> None:
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    found = prototypes_of(bundle)
    assert found is not None
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(np.ones(102))
    gallery = Gallery.load(bundle.path("gallery.faiss"), bundle.path("gallery.npz"))
    learnt = np.flatnonzero(gallery.splits == "train")
    passed = [
        found.within_threshold(gallery.vector(int(gallery.ids[row]))[None], int(gallery.labels[row]))[0]
        for row in learnt
    ]
    assert np.mean(passed) == pytest.approx(1 - REJECTED_FRACTION, abs=0.002)
    assert prototypes_of(load_bundle(tiny_bundle)) is None
