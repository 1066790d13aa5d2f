"""The benchmark of galleries, on small ones."""

import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.reports.large_galleries import load_large_galleries
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.stores.quick_index import PROBES
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.synthetic_vectors import SyntheticVectors
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.gallery_stores import PROBED, Nearest, measure_projection
from tests.fixtures.galleries import random_gallery


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return random_gallery()


def test_the_truth_is_a_plain_sort(gallery: Gallery) -> None:
    source = SyntheticVectors(gallery)
    asked = source.queries(5)
    nearest = Nearest(asked)
    for block in source.blocks(12_000):
        nearest.look_at(block)
    everything = np.concatenate(list(source.blocks(12_000)))
    expected = np.argsort(-(asked @ everything.T), axis=1)[:, :10]
    for found, right in zip(nearest.rows, expected, strict=True):
        assert set(found.tolist()) == set(right.tolist())
    assert nearest.milliseconds > 0


def test_a_projection_on_all_axes_loses_nothing(gallery: Gallery) -> None:
    kept = measure_projection(gallery, EmbeddingSpace.of(gallery, "model", gallery.dimension))
    assert kept["recall_at_10"] > 0.99
    assert kept["same_class_whole"] == pytest.approx(kept["same_class_projected"], abs=0.01)
    assert measure_projection(gallery, EmbeddingSpace.of(gallery, "model", 2))["recall_at_10"] < 0.5


@pytest.mark.slow
def test_every_store_is_in_the_table(gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = BundleWriter.create(
        tmp_path / "seer", name="seer", backbone="none", crop_rule=CropRule(32), classes=["a"] * 102
    )
    writer.add_bytes(INDEX_FILE, gallery.index_bytes())
    writer.add_npz(RECORDS_FILE, compressed=True, **gallery.record_arrays())
    arguments = ["gallery", str(tmp_path / "seer"), "--sizes", "12000", "--queries", "20", "--dimension", "24"]
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments, "--models", str(tmp_path)])
    main()
    figures = load_large_galleries(tmp_path).galleries["12000"]
    rows = {row.store: row for row in figures.stores}
    assert figures.duplicates_seconds > 0
    assert list(rows) == [
        "NumPy scan, float32",
        "FAISS SQ8, a scan",
        *(f"FAISS IVF-SQ8, {probes} groups a query" for probes in PROBED),
        "LanceDB, its own index",
    ]
    assert rows["FAISS SQ8, a scan"].bytes == pytest.approx(24, abs=1)
    assert rows[f"FAISS IVF-SQ8, {PROBES} groups a query"].bytes == pytest.approx(24 + 8, abs=4)
    assert all(row.milliseconds > 0 and row.recall_at_10 > 0.9 for row in rows.values())
