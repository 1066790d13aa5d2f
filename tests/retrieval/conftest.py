from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.commands import Command
from flowers_core.inference.records.training import Training
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery


@pytest.fixture
def two_axes(tmp_path: Path) -> Bundle:
    """Two classes along the two axes of embeddings of two values; its graph is never run."""
    writer = BundleWriter.create(
        tmp_path / "tiny", name="tiny", backbone="none", crop_rule=CropRule(64), classes=["rose", "tulip"]
    )
    writer.add_npz("head.npz", W=2 * np.eye(2), b=np.array([0.25, 0.75]))
    writer.add_bytes("int8.tflite", b"model")
    embeddings = np.array([[3.0, 0.2], [2.8, 0.1], [0.1, 3.0], [0.2, 3.2], [5.0, 1.0]])
    splits = ["train", "train", "train", "train", "validation"]
    gallery = Gallery.build(embeddings, [1, 2, 3, 4, 5], [1, 1, 2, 2, 1], splits, ["ab" * 32] * 5)
    writer.add_bytes(INDEX_FILE, gallery.index_bytes())
    writer.add_npz(RECORDS_FILE, **gallery.record_arrays())
    writer.update(training=Training("by hand", ("train",), 4, Command("scripts.train")))
    return load_bundle(tmp_path / "tiny")
