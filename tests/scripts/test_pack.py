"""`flowers pack` and `flowers unpack` as a person calls them."""

import sys
from pathlib import Path

import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.inference.archive import ArchiveError
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from scripts import pack, unpack


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch):
    def call(verb, *words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["flowers", *map(str, words)])
        verb.main()

    return call


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    writer = BundleWriter.create(folder, name="tiny", backbone="none", crop_rule=CropRule(64), classes=["a", "b"])
    writer.add_bytes("int8.tflite", b"model")
    return folder


def test_there_and_back(call, tiny: Path, tmp_path: Path, capsys) -> None:
    call(pack, tiny, tmp_path)
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'tiny.zip'}: 0.0 MB. Made from data")
    call(unpack, tmp_path / "tiny.zip", "--models", tmp_path / "models")
    assert "2 classes. Made from data" in capsys.readouterr().out
    assert load_bundle(tmp_path / "models" / "tiny").path("int8.tflite").read_bytes() == b"model"


def test_nothing_is_overwritten_unasked(call, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.zip").write_text("mine")
    with pytest.raises(SystemExit):
        call(pack, tiny, tmp_path / "tiny.zip")
    assert (tmp_path / "tiny.zip").read_text() == "mine"
    call(pack, tiny, tmp_path / "tiny.zip", "--override")
    with pytest.raises(ArchiveError, match="--override` replaces it"):
        call(unpack, tmp_path / "tiny.zip", "--models", tmp_path)
    call(unpack, tmp_path / "tiny.zip", "--models", tmp_path, "--override")


def test_a_file_that_is_not_there_is_a_usage_error(call, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        call(unpack, tmp_path / "nowhere.zip")
    assert "there is no file" in capsys.readouterr().err
