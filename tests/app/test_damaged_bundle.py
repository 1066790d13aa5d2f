"""A model of which a file is missing, was altered, or is of a newer version: the page names it, and the rest works."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from flowers_core.inference.bundle import CLASSIFIER_FILE
from flowers_core.inference.manifest import MANIFEST
from tests.app.conftest import html
from tests.fixtures.manifests import linked_copy
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
BUNDLE = TESTED
FILES = sorted(set(BUNDLE.manifest.files) - {CLASSIFIER_FILE})
#: What an answer takes; the other files add to it.
NEEDED = {"int8.tflite"}
#: What *Identify* shows of a model has its place on the page, so it is missed there.
SHOWN = {"int8.tflite", "head.npz", "gallery.faiss", "gallery.npz", "discriminants.npz"}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only model of a machine, with files that may be altered."""
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    return linked_copy(BUNDLE, tmp_path / BUNDLE.name)


def spoil(file: Path, how: str) -> None:
    """Take a file away, or change one byte of it."""
    content = bytearray(file.read_bytes())
    file.unlink()  # a link to the shipped file, which stays as it is
    if how == "altered":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


def errors(app: AppTest) -> str:
    return "\n".join(error.value for error in app.error)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["missing", "altered"])
@pytest.mark.parametrize("name", FILES)
def test_identify_answers_or_names_the_file(open_page: Open, copy: Path, name: str, how: str) -> None:
    spoil(copy / name, how)
    app = open_page(photo="example")  # it fails on anything but a sentence
    assert ('aria-label="Answer"' in html(app)) == (name not in NEEDED)
    assert (name in errors(app)) == (name in SHOWN)
    assert ("is damaged or was changed" if how == "altered" else "is missing") in errors(app) or name not in SHOWN


@pytest.mark.slow
@pytest.mark.parametrize("page", ["confusions", "models", "dataset"])
@pytest.mark.parametrize("how", ["missing", "altered"])
def test_other_pages_stand_when_every_file_is_spoiled(open_page: Open, copy: Path, page: str, how: str) -> None:
    for name in FILES:
        spoil(copy / name, how)
    app = open_page(page)
    assert app.title
    if page == "confusions":
        assert "test_predictions.npz" in errors(app)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["identify", "confusions", "models", "dataset"])
def test_a_newer_model_is_named_and_the_others_work(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    linked_copy(BUNDLE, tmp_path / BUNDLE.name)
    (tmp_path / "from_tomorrow").mkdir()
    record = json.loads((BUNDLE.folder / MANIFEST).read_text(encoding="utf-8"))
    (tmp_path / "from_tomorrow" / MANIFEST).write_text(json.dumps(record | {"schema_version": 99}))
    app = open_page(page, **({"photo": "example"} if page == "identify" else {}))
    said = errors(app)
    assert "from_tomorrow" in said or page == "dataset"
    assert "schema version 99" in said or page == "dataset"
    if page == "identify":
        assert 'aria-label="Answer"' in html(app)


@pytest.mark.slow
def test_a_file_that_is_spoiled_while_the_app_runs_is_named_and_mended_without_a_restart(
    open_page: Open, copy: Path
) -> None:
    spoil(copy / "int8.tflite", "altered")
    assert "int8.tflite" in errors(open_page(photo="example"))
    shutil.copy(BUNDLE.path("int8.tflite"), copy / "int8.tflite")
    app = open_page(photo="example")
    assert not app.error
    assert 'aria-label="Answer"' in html(app)
