from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.storage.typed_json import JsonValueError
from tests.fixtures.manifests import metrics

RULE = CropRule(64, 0.875)


def start(folder: Path, name: str = "tiny") -> BundleWriter:
    return BundleWriter.create(folder, name=name, backbone="none", crop_rule=RULE, classes=["rose", "tulip"])


HEAD = {"W": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), "b": np.array([0.5, -0.5])}


def test_a_run_that_dies_while_replacing_a_file_leaves_no_false_promise(tmp_path: Path) -> None:
    writer = start(tmp_path)
    writer.add_bytes("int8.tflite", b"model")

    def die(path: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BundleWriter.open(tmp_path).add_file("int8.tflite", die)
    assert not load_bundle(tmp_path).has("int8.tflite")


def test_sweeping_removes_only_what_the_manifest_does_not_name(tmp_path: Path) -> None:
    (tmp_path / "float32.tflite").write_bytes(b"of an older bundle")
    writer = start(tmp_path)
    writer.add_npz("head.npz", **HEAD)
    writer.sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.json", "head.npz"]


def test_removing_a_file_keeps_the_figures(tmp_path: Path) -> None:
    writer = start(tmp_path)
    writer.add_bytes("float32.tflite", b"model")
    writer.set_metrics("float32", "test", metrics(top1=0.5))
    writer.remove_file("float32.tflite")
    bundle = load_bundle(tmp_path)
    assert bundle.precisions == ()
    assert not (tmp_path / "float32.tflite").exists()
    assert bundle.metrics["float32"]["test"].top1 == 0.5


def test_runs_on_one_bundle_at_a_time_keep_each_other_s_entries(tmp_path: Path) -> None:
    start(tmp_path).add_bytes("int8.tflite", b"model")
    runs = [BundleWriter.open(tmp_path) for _ in range(4)]  # all know the same, earlier manifest

    def add(number: int) -> None:
        for step in range(10):
            runs[number].add_bytes(f"{number}-{step}.json", b"{}")
        runs[number].set_metrics(f"float{16 * number}", "test", metrics(top1=0.25 * number))

    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(add, range(len(runs))))
    bundle = load_bundle(tmp_path)
    assert set(bundle.manifest.files) == {"int8.tflite"} | {f"{n}-{s}.json" for n in range(4) for s in range(10)}
    assert {name: found["test"].top1 for name, found in bundle.metrics.items()} == {
        "float0": 0,
        "float16": 0.25,
        "float32": 0.5,
        "float48": 0.75,
    }


@pytest.mark.parametrize("name", ["", "../up", "Über", "a b", ".hidden"])
def test_names_that_are_no_folder_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="cannot name a model"):
        start(tmp_path, name)


def test_figures_that_are_not_numbers_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(JsonValueError, match=r"metrics\.int8\.test\.top1 is nan: JSON holds finite numbers only"):
        start(tmp_path).set_metrics("int8", "test", metrics(top1=float("nan")))
