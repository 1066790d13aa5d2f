"""A packed model is added on *Models*, where the owner allows it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from flowers_core.inference.archive import pack_bundle
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import run
from tests.fixtures.manifests import linked_copy

Open = Callable[..., AppTest]
BUNDLE = load_bundle(default_models_dir() / "efficientnet_lite0_small")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server of one model, whose owner lets visitors add others."""
    linked_copy(BUNDLE, tmp_path / "models" / BUNDLE.name)
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("FLOWERS_KEEP_MODELS", "1")
    return tmp_path / "models"


def add(app: AppTest, content: bytes) -> str:
    app.file_uploader(key="packed-0").set_value(("model.zip", content, "application/zip"))
    run(app)
    return "\n".join(element.value for element in app.info).replace("\\", "")


@pytest.mark.slow
def test_nobody_adds_a_model_unless_the_owner_allows_it(open_page: Open, server: Path, monkeypatch) -> None:
    monkeypatch.delenv("FLOWERS_KEEP_MODELS")
    assert not open_page("models").file_uploader


@pytest.mark.slow
def test_a_packed_model_is_added_and_chosen(open_page: Open, server: Path, tmp_path: Path) -> None:
    writer = BundleWriter.create(
        tmp_path / "garden", name="garden", backbone="none", crop_rule=BUNDLE.crop_rule, classes=["rose", "tulip"]
    )
    writer.add_npz("head.npz", W=[[1.0, 2.0]], b=[0.0, 0.0])
    pack_bundle(load_bundle(tmp_path / "garden"), tmp_path / "garden.zip")
    app = open_page("models")
    said = add(app, (tmp_path / "garden.zip").read_bytes())
    assert "garden is here for everybody. Made from data that it does not name" in said
    assert app.selectbox(key="bundle").value == "garden"
    assert load_bundle(server / "garden").class_names == ("rose", "tulip")


@pytest.mark.slow
def test_what_is_no_packed_model_is_refused_in_a_sentence(open_page: Open, server: Path) -> None:
    assert "is damaged, or no packed bundle" in add(open_page("models"), b"PK but no more")
    assert [path.name for path in server.iterdir() if not path.name.startswith(".")] == [BUNDLE.name]
