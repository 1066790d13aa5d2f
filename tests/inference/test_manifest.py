import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle import list_bundles
from flowers_core.inference.manifest import FileEntry, Manifest, ManifestError, read_manifest, write_manifest
from flowers_core.inference.records.latency import Latency, Timing, kept_elsewhere
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.manifests import metrics, training

MANIFEST = Manifest(
    "made",
    "tiny",
    CropRule(64, 0.875),
    ("rose", "tulip"),
    {"head.npz": FileEntry(3, 64 * "0")},
    training=training("python -m scripts.train --epochs 3"),
    metrics={"int8": {"test": metrics(0.5)}},
)


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_manifest(MANIFEST, tmp_path / "bundle.json")
    assert read_manifest(tmp_path / "bundle.json") == MANIFEST
    stored = json.loads((tmp_path / "bundle.json").read_text())
    assert list(stored)[:2] == ["schema_version", "name"]
    assert "knn" not in stored  # what is not known takes no room


@pytest.mark.parametrize(
    ("keys", "value", "sentence"),
    [
        (("training", "photos"), "many", "training.photos should be a whole number, not 'many'."),
        (("training", "splits"), "train", "training.splits should be a list, not 'train'."),
        (("metrics", "int8", "test", "top1"), None, "metrics.int8.test.top1 should be a number, not None."),
        (("metrics", "int8", "test", "per_class"), 0.5, "metrics.int8.test.per_class is no key that this version"),
        (("files", "head.npz", "sha256"), "0", "files.head.npz is malformed: a file has a size and the 64 hexadec"),
        (("input", "size"), 0, "input is malformed: A crop rule's size is a whole number"),
        (("schema_version",), 3, "It has schema version 3; this version reads 1 and 2."),
    ],
)
def test_what_is_wrong_is_told_by_file_and_key(
    tmp_path: Path, keys: tuple[str, ...], value: Any, sentence: str
) -> None:
    path = tmp_path / "bundle.json"
    write_manifest(MANIFEST, path)
    values = json.loads(path.read_text())
    entry = values
    for key in keys[:-1]:
        entry = entry[key]
    entry[keys[-1]] = value
    path.write_text(json.dumps(values))
    with pytest.raises(ManifestError) as refused:
        read_manifest(path)
    assert str(refused.value).startswith(f"{path} is malformed: {sentence}")


def test_infinities_are_refused_by_the_file_that_holds_them(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    write_manifest(MANIFEST, path)
    path.write_text(path.read_text().replace('"top1": 0.5', '"top1": Infinity'))
    with pytest.raises(ManifestError, match="Infinity is not a number that JSON knows"):
        read_manifest(path)


def test_each_shipped_manifest_is_of_schema_2_and_comes_back(tmp_path: Path) -> None:
    for bundle in list_bundles(default_models_dir()):
        assert json.loads((bundle.folder / "bundle.json").read_text())["schema_version"] == 2
        write_manifest(bundle.manifest, tmp_path / "bundle.json")
        assert (tmp_path / "bundle.json").read_bytes() == (bundle.folder / "bundle.json").read_bytes()
        found = [figures for splits in bundle.metrics.values() for figures in splits.values()]
        assert all(map(dataclasses.is_dataclass, found))


def test_timings_on_other_kinds_of_processors_are_kept() -> None:
    row = {"int8, 1 thread": Timing(3.0, 4.0, 1.0)}
    unknown, avx2 = Latency(paths=row), Latency(paths=row, instructions="AVX2")
    vnni = Latency(paths=row, instructions="AVX2, VNNI")
    assert kept_elsewhere(Latency(), avx2, {}) == {}
    assert kept_elsewhere(unknown, avx2, {}) == {"not recorded": unknown}
    assert kept_elsewhere(avx2, vnni, {"not recorded": unknown}) == {"not recorded": unknown, "AVX2": avx2}
    # Timed again on the first kind: its older timings go.
    assert kept_elsewhere(vnni, avx2, {"AVX2": avx2}) == {"AVX2, VNNI": vnni}
