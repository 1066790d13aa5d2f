"""What the pages read of a bundle, and that two sessions may read it at once."""

import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st

from app.resources import bundle_files, models
from flowers_core.data.model_input import CropRule
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import DEFAULT_BUNDLE, BundleError, list_bundles, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.teaching import TaughtClass
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.manifests import linked_copy

ROOT = Path(__file__).resolve().parents[3]
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)

OVERLAPPING = """
import os, sys, threading
from app.resources import models
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.manifests import linked_copy

path = load_bundle(default_models_dir() / DEFAULT_BUNDLE).path(models.CLASSIFIER_FILE)
begin, loaded = threading.Barrier(2), []

def load():
    begin.wait()
    loaded.append(models._load_gradients(path))

def streams():
    files = [(found.st_dev, found.st_ino) for found in map(os.fstat, (1, 2))]
    return files, id(sys.stdout), id(sys.stderr)

threads = [threading.Thread(target=load) for _ in range(2)]
before, seen = streams(), []
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    seen.append(streams())
    threads[0].join(0.01)
assert len(loaded) == 2
assert all(found == before for found in [*seen, streams()])
os.write(1, b"to standard output\\n")
os.write(2, b"to standard error\\n")
"""


@pytest.mark.slow
def test_two_sessions_that_load_a_gradient_method_leave_the_streams_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OVERLAPPING], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("to standard output\n")
    assert done.stderr.endswith("to standard error\n")


def test_a_taught_bundle_is_listed_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    for name, taught in (("plain", ()), ("taught", (TaughtClass("edelweiss", 3, 1.0),))):
        writer = BundleWriter.create(
            tmp_path / name, name=name, backbone="none", crop_rule=CropRule(64), classes=["rose", "edelweiss"]
        )
        writer.folder.mkdir()
        writer.update(taught=taught)
    found = models.model_list()
    assert [bundle.name for bundle in found.bundles] == ["plain", "taught"]
    assert found.problems == ()


def test_a_file_is_read_once_for_each_content(tmp_path: Path) -> None:
    st.cache_resource.clear()
    writer = BundleWriter.create(
        tmp_path / "seer", name="seer", backbone="none", crop_rule=BUNDLE.crop_rule, classes=["a"] * 102
    )
    writer.add_bytes("note.txt", b"one")
    reads = []

    def load(path: Path) -> str:
        reads.append(path.read_text())
        return reads[-1].upper()

    for _ in range(2):
        bundle = load_bundle(tmp_path / "seer")
        assert bundle_files.bundle_file(bundle, "note.txt", load) == "ONE"
        assert bundle_files.optional_file(bundle, "note.txt", load) == "ONE"
    assert bundle_files.bundle_file(bundle, "note.txt", lambda path: path.stat().st_size, what="size") == 3
    assert reads == ["one"]
    writer.add_bytes("note.txt", b"two")
    changed = load_bundle(tmp_path / "seer")
    assert bundle_files.bundle_file(changed, "note.txt", load) == "TWO"
    assert reads == ["one", "two"]


def test_what_is_missing_or_damaged_is_told_or_done_without(tmp_path: Path) -> None:
    # A copy outside the folder of the shipped models, whose files are read once for all tests.
    bundle = load_bundle(linked_copy(BUNDLE, tmp_path / BUNDLE.name))
    st.cache_resource.clear()

    def refuse(path: Path) -> str:
        raise FlowersError(f"{path.name} is damaged.")

    assert bundle_files.optional_file(bundle, "history.json", refuse) is None
    assert bundle_files.optional_file(bundle, "history.json", refuse, "nothing") == "nothing"
    assert bundle_files.optional_file(bundle, "absent.npz", refuse, "nothing") == "nothing"
    with pytest.raises(FlowersError, match=r"history\.json is damaged"):
        bundle_files.bundle_file(bundle, "history.json", refuse)
    with pytest.raises(BundleError, match=r"comes without absent\.npz"):
        bundle_files.bundle_file(bundle, "absent.npz", refuse)


def test_the_list_is_that_of_the_core_without_what_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [bundle.name for bundle in models.model_list().bundles] == [
        bundle.name for bundle in list_bundles(default_models_dir())
    ]
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "bundle.json").write_text("{")
    found = models.model_list()
    assert found.bundles == ()
    assert len(found.problems) == 1
    assert "broken" in found.problems[0]
