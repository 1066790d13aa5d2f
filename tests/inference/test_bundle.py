import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowers_core.inference.bundle import DEFAULT_BUNDLE, BundleError, list_bundles, load_bundle
from flowers_core.inference.manifest import FileEntry
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.metrics import Counterpart
from flowers_core.storage.files import LOCK_FILE, sha256_of
from flowers_core.storage.npz import NpzError
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.manifests import linked_copy, metrics
from tests.inference.test_bundle_writer import HEAD, RULE, start


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    writer = start(tmp_path)
    writer.add_npz("head.npz", **HEAD)
    writer.add_bytes("int8.tflite", b"model")
    writer.add_json("history.json", {"epochs": [1, 2.5]})
    calibration = Calibration(1.5, 0.95, 0.8, 0.6)
    writer.update(calibration=calibration)
    writer.set_metrics("int8", "test", metrics(top1=0.5))

    bundle = load_bundle(tmp_path)
    assert (bundle.name, bundle.class_names, bundle.crop_rule) == ("tiny", ("rose", "tulip"), RULE)
    assert bundle.calibration == calibration
    assert bundle.precisions == ("int8",)
    assert bundle.metrics["int8"]["test"].top1 == 0.5
    assert json.loads(bundle.path("history.json").read_text()) == {"epochs": [1, 2.5]}
    W, b = bundle.head()
    assert W.dtype == b.dtype == np.float32
    np.testing.assert_array_equal(W, [[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(b, [0.5, -0.5])
    assert bundle.manifest.files["int8.tflite"] == FileEntry(5, sha256_of(tmp_path / "int8.tflite"))
    assert bundle.digest("int8.tflite") == sha256_of(tmp_path / "int8.tflite")
    assert bundle.digest("float32.tflite") is None


@pytest.mark.parametrize("damage", [b"Model", b"model and more"])
def test_a_changed_file_is_refused_by_name(tmp_path: Path, damage: bytes) -> None:
    start(tmp_path).add_bytes("int8.tflite", b"model")
    (tmp_path / "int8.tflite").write_bytes(damage)
    with pytest.raises(BundleError, match=r"int8\.tflite is damaged or was changed"):
        load_bundle(tmp_path).path("int8.tflite")


def test_a_missing_file_and_an_unknown_one_are_told_apart(tmp_path: Path) -> None:
    start(tmp_path).add_bytes("int8.tflite", b"model")
    (tmp_path / "int8.tflite").unlink()
    bundle = load_bundle(tmp_path)
    with pytest.raises(BundleError, match="is missing"):
        bundle.path("int8.tflite")
    with pytest.raises(BundleError, match=r"comes without float32\.tflite"):
        bundle.path("float32.tflite")


def test_a_pickle_in_the_head_is_not_opened(tmp_path: Path) -> None:
    writer = start(tmp_path)
    writer.add_file("head.npz", lambda path: np.savez(path, W=np.array([{"a": 1}], dtype=object), b=np.zeros(1)))
    with pytest.raises(NpzError, match="allow_pickle"):
        load_bundle(tmp_path).head()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "does not describe a model"),
        ('{"schema_version": 1}', "lacks name, backbone, input, classes, files"),
        ('{"schema_version": 9, "name": "a", "backbone": "b", "input": {}, "classes": [], "files": {}}', "version 9"),
        ('{"schema_version": 1, "name": "a", "backbone": "b", "input": {}, "classes": [], "files": {}}', "malformed"),
        (
            '{"schema_version": 1, "name": "a", "backbone": "b", "input": {"size": 9, "crop_fraction": 1}, '
            f'"classes": [], "files": {{"../x": {{"bytes": 1, "sha256": "{64 * "0"}"}}}}}}',
            "outside its folder",
        ),
    ],
)
def test_a_bad_manifest_is_told_in_a_sentence(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bundle.json").write_text(content)
    with pytest.raises(BundleError, match=message):
        load_bundle(tmp_path)


def test_an_empty_folder_holds_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="There is no model in"):
        load_bundle(tmp_path)
    assert list_bundles(tmp_path) == []


def test_the_default_bundle_is_listed_first(tmp_path: Path) -> None:
    for name in ("zinnia", DEFAULT_BUNDLE, "aster"):
        start(tmp_path / name, name).save()
    assert [bundle.name for bundle in list_bundles(tmp_path)] == [DEFAULT_BUNDLE, "aster", "zinnia"]


def test_every_shipped_bundle_vouches_for_all_its_files() -> None:
    bundles = list_bundles(default_models_dir())
    assert bundles[0].name == DEFAULT_BUNDLE
    for bundle in bundles:
        assert bundle.folder.name == bundle.name
        assert len(bundle.class_names) == 102
        for name in bundle.manifest.files:
            assert bundle.path(name).is_file()
        on_disk = {path.name for path in bundle.folder.iterdir()} - {"bundle.json", LOCK_FILE}
        assert on_disk == set(json.loads((bundle.folder / "bundle.json").read_text())["files"])


def test_a_bundle_that_learnt_the_test_photos_is_tested_by_its_sibling(tmp_path: Path) -> None:
    before = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    assert before.sibling is None
    assert before.tested_metrics == before.metrics
    before.require_unseen("test")
    counterpart = Counterpart(before.name, before.training.photos, before.metrics)
    everything = replace(before.training, splits=("train", "validation", "test"))
    folder = linked_copy(before, tmp_path / "all", training=everything, metrics={}, counterpart=counterpart)
    bundle = load_bundle(folder)
    assert bundle.sibling == before.name
    assert bundle.tested_metrics == before.metrics
    with pytest.raises(BundleError, match=f"learnt from the test photos: .* '{before.name}' is tested in its place"):
        bundle.require_unseen("test")
    # What learnt one half of them has the other half for validation.
    half = replace(everything, held_out_half=0)
    found = load_bundle(linked_copy(before, tmp_path / "half", training=half, counterpart=counterpart))
    assert (found.fitted_splits, found.sibling) == (("train",), None)
