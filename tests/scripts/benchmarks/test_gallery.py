"""The benchmark of galleries, on small ones."""

import json
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.synthetic_vectors import SyntheticVectors
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.gallery_indexes import exact_neighbours
from tests.fixtures.galleries import random_gallery


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return random_gallery()


def test_the_truth_is_a_plain_sort(gallery: Gallery) -> None:
    source = SyntheticVectors(gallery)
    asked = source.queries(5)
    where, milliseconds = exact_neighbours(source, 12_000, asked)
    everything = np.concatenate(list(source.blocks(12_000)))
    expected = np.argsort(-(asked @ everything.T), axis=1)[:, :10]
    for found, right in zip(where, expected, strict=True):
        assert set(found.tolist()) == set(right.tolist())
    assert milliseconds > 0


def test_every_index_is_in_the_table(gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = BundleWriter.create(
        tmp_path / "seer", name="seer", backbone="none", crop_rule=CropRule(32), classes=["a"] * 102
    )
    writer.add_bytes(INDEX_FILE, gallery.index_bytes())
    writer.add_npz(RECORDS_FILE, compressed=True, **gallery.record_arrays())
    out = tmp_path / "figures.json"
    arguments = ["gallery", str(tmp_path / "seer"), "--sizes", "20000", "--queries", "20", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])
    before = faiss.omp_get_max_threads()
    main()
    assert faiss.omp_get_max_threads() == before
    rows = {row["index"]: row for row in json.loads(out.read_text())["rows"]}
    assert len(rows) == 4
    assert rows["FAISS Flat, float32"]["recall_at_10"] >= 0.99
    assert rows["FAISS Flat, float32"]["bytes"] == pytest.approx(160, abs=1)
    assert rows["FAISS SQ8, one byte a value"]["bytes"] == pytest.approx(40, abs=1)
    assert all(row["milliseconds"] > 0 for row in rows.values())
