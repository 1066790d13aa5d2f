import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.projection import PROJECTION_FILE, ProjectionError, load_projection, project
from scripts.project_embeddings import main


def _drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(1, 6), 24)
    vectors = np.maximum(rng.normal(size=(6, 40))[labels] * 2 + rng.normal(size=(120, 40)) * 0.4, 0)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_classes_stay_together_and_the_same_seed_gives_the_same_map() -> None:
    vectors, labels = _drawn()
    ids = np.arange(120) * 3
    found = project(vectors, ids, seed=1)
    nearest = NearestNeighbors(n_neighbors=4).fit(found.points).kneighbors(found.points, return_distance=False)[:, 1:]
    assert (labels[nearest] == labels[:, None]).mean() > 0.98
    assert found.trustworthiness > 0.9
    assert np.abs(found.points).max() == pytest.approx(1)
    np.testing.assert_allclose(found.points.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_array_equal(project(vectors, ids, seed=1).points, found.points)
    np.testing.assert_array_equal(found.ids, ids)


def test_few_photos_and_wrong_ones() -> None:
    vectors, _ = _drawn()
    assert project(vectors[:4], [1, 2, 3, 4]).points.shape == (4, 2)
    with pytest.raises(ValueError, match="at least four"):
        project(vectors[:3], [1, 2, 3])


def test_the_script_and_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = _drawn()
    gallery = Gallery.build(vectors, np.arange(1, 121), labels, ["train"] * 120)
    writer = BundleWriter.create(
        tmp_path / "seer", name="seer", backbone="none", crop_rule=CropRule(32), classes=["a"] * 102
    )
    writer.save()
    monkeypatch.setattr(sys, "argv", ["project", str(tmp_path / "seer")])
    with pytest.raises(BundleError, match="no gallery yet"):
        main()
    writer.add_bytes(INDEX_FILE, gallery.index_bytes())
    writer.add_npz(RECORDS_FILE, compressed=True, **gallery.record_arrays())
    main()
    path = load_bundle(tmp_path / "seer").path(PROJECTION_FILE)
    found = load_projection(path)
    np.testing.assert_array_equal(found.ids, gallery.ids)
    assert found.points.shape == (120, 2)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ProjectionError, match="flowers project_embeddings"):
        load_projection(path)
