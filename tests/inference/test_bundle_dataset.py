"""A bundle is asked about photos of its own classes."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter


def table(folder: Path, names: tuple[str, ...]) -> Path:
    folder.mkdir()
    rows = []
    for number, name in enumerate(names):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / f"{number}.png")
        rows.append((f"{number}.png", name, "train"))
    with (folder / "photos.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    return folder / "photos.csv"


def bundle_of(folder: Path, names: tuple[str, ...]) -> Bundle:
    writer = BundleWriter.create(folder, name="garden", backbone="tiny", crop_rule=CropRule(32), classes=names)
    writer.add_bytes("head.npz", b"")
    return load_bundle(folder)


def test_photos_of_the_same_classes_are_taken(tmp_path: Path) -> None:
    photos = table(tmp_path / "photos", ("rose", "iris"))
    assert len(dataset_of(bundle_of(tmp_path / "garden", ("iris", "rose")), photos)) == 2
    assert len(dataset_of(bundle_of(tmp_path / "taught", ("iris", "rose", "tulip")), photos)) == 2


def test_photos_of_others_are_refused(tmp_path: Path) -> None:
    photos = table(tmp_path / "photos", ("rose", "iris"))
    for names in (("iris", "lily"), ("iris",), ("rose", "iris")):
        with pytest.raises(BundleError, match=r"'garden' knows \d classes \('.*' …\), and .* holds 2 classes \('iris'"):
            dataset_of(bundle_of(tmp_path / "garden", names), photos)
