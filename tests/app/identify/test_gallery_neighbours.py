"""A large gallery on *Identify*: what is near in it, and what is said where it cannot be opened."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.identify.gallery_neighbours import count_sentence
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.stores.open_store import create_store
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import drawn_photo, example_bytes, html, run
from tests.fixtures.store_entries import store_entries

Open = Callable[..., AppTest]
SHIPPED = load_bundle(default_models_dir() / DEFAULT_BUNDLE)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Path:
    """The example photo itself, a photo on disk that is just like it, and one that is gone and unlike it."""
    folder = tmp_path_factory.mktemp("galleries")
    kept = folder / "meadow.png"
    Image.fromarray(drawn_photo()).save(kept)
    photo = read_photo(example_bytes())
    seen = model_input(photo.pixels, SHIPPED.crop_rule).pixels[None]
    embedding = Runtime(SHIPPED.path("int8.tflite"), workers=1).forward(seen).embedding
    known = Gallery.load(SHIPPED.path(INDEX_FILE), SHIPPED.path(RECORDS_FILE))
    space = EmbeddingSpace.of(known, SHIPPED.digest("int8.tflite"))
    vectors = space.project(np.concatenate([embedding, embedding, np.roll(embedding, 1, axis=1)]))
    entries = store_entries(
        vectors,
        [photo.sha256, "b" * 64, "c" * 64],
        path=["itself.jpg", str(kept), "s3://bucket/gone.jpg"],
        label=[1, 74, 54],
        name=["pink primrose", "rose", "sunflower"],
        confidence=[0.1, 0.83, 0.4],
    )
    create_store(str(folder / "mine"), space).add(entries)
    return folder / "mine"


def test_the_nearest_of_a_large_gallery_are_offered(open_page: Open, gallery, monkeypatch) -> None:
    assert "Your gallery" not in open_page(photo="example").segmented_control(key="among").options
    monkeypatch.setenv("FLOWERS_GALLERY", str(gallery))
    app = open_page(photo="example", among="Your gallery")
    page = html(app)
    assert page.index("Rose") < page.index("83\xa0% sure, similarity 1.00") < page.index("meadow.png")
    assert page.index("meadow.png") < page.index("gone.jpg")
    assert "itself.jpg" not in page
    assert any("The nearest of **3** photos in your gallery" in text.value for text in app.markdown)
    app.selectbox(key="flower").set_value(54)
    run(app)
    assert "meadow.png" not in html(app)
    assert "gone.jpg" in html(app)


def test_a_photo_of_the_gallery_can_be_looked_at(open_page: Open, gallery, monkeypatch) -> None:
    monkeypatch.setenv("FLOWERS_GALLERY", str(gallery))
    app = open_page(photo=f"gallery:{'b' * 64}:0")
    assert any("meadow.png" in str(image.proto) for image in app.image)


def test_a_gallery_that_cannot_be_opened_is_told(open_page: Open, monkeypatch) -> None:
    monkeypatch.setenv("FLOWERS_GALLERY", "nowhere")
    app = open_page(photo="example")
    assert any("There is no gallery in" in warning.value for warning in app.warning)
    assert "Your gallery" not in app.segmented_control(key="among").options


def test_a_gallery_without_such_photos_says_so() -> None:
    assert count_sentence(1234567, 0) == "None of the **1,234,567** photos in your gallery is of this kind."
