"""A rerun of *Identify* computes each thing once."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.identify import explaining
from flowers_core.inference.answerer import Answer, Answerer
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.retrieval import user_photos
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.neighbour import Neighbour
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import drawn_photo, html, images, run

Open = Callable[..., AppTest]
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often what costs time is computed, by name."""
    counted: Counter[str] = Counter()
    answer, search = Answerer.answer, Gallery.search

    def count_answer(answerer: Answerer, *args: Any, **how: Any) -> Answer:
        counted["answer"] += 1
        return answer(answerer, *args, **how)

    def count_search(gallery: Gallery, *args: Any, **how: Any) -> list[Neighbour]:
        counted["search, k-NN" if how["splits"] == ("train",) else "search"] += 1
        return search(gallery, *args, **how)

    monkeypatch.setattr(Answerer, "answer", count_answer)
    monkeypatch.setattr(explaining, "Subject", _counting(explaining.Subject, counted, "subject"))
    monkeypatch.setattr(Gallery, "search", count_search)
    return counted


def _counting(made: Callable[..., Any], counted: Counter[str], name: str) -> Callable[..., Any]:
    def count(*args: Any, **how: Any) -> Any:
        counted[name] += 1
        return made(*args, **how)

    return count


@pytest.mark.slow
def test_a_rerun_computes_each_thing_once(open_page: Open, calls: Counter[str]) -> None:
    assert BUNDLE.manifest.knn is not None
    app = open_page(photo="example")
    for key, value in (("opacity", 20), ("threshold", 30)):
        # The map and the neighbours are both on the page.
        calls.clear()
        app.slider(key=key).set_value(value)
        run(app)
        # All looks are remembered.
        assert calls["answer"] == 0
        assert calls["subject"] == 1
        assert calls["search, k-NN"] == 1
        assert calls["search"] == 1


@pytest.mark.slow
def test_user_photos_are_read_once_until_they_change(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERS_OWN_DIR", str(tmp_path / "own"))
    reads: list[Path] = []
    load = user_photos.load_user_photos

    def counted(path: Path, model: str) -> user_photos.UserPhotos:
        reads.append(path)
        return load(path, model)

    monkeypatch.setattr(user_photos, "load_user_photos", counted)
    photo = tmp_path / "meadow.png"
    Image.fromarray(drawn_photo()).save(photo)
    file = user_photos.user_photos_file(BUNDLE.name)
    model = BUNDLE.digest("int8.tflite")
    assert model is not None
    gallery = Gallery.load(BUNDLE.path("gallery.faiss"), BUNDLE.path("gallery.npz"))
    mine = load(file, model).with_added([photo], [74], ["a" * 64], gallery.vector(3)[None])
    mine.save(file)
    app = open_page(photo="example")
    run(app)
    assert reads == [file]
    mine.with_added([tmp_path / "gone.jpg"], [None], ["b" * 64], np.roll(gallery.vector(3), 1)[None]).save(file)
    app.segmented_control(key="among").set_value("user")
    run(app)
    assert reads == [file, file]
    assert "meadow.png" in html(app)
    assert "gone.jpg" in html(app)
    # It has an address, under which it is not its own neighbour.
    opened = open_page(photo=f"user:{BUNDLE.name}:1", among="Yours")
    assert not opened.warning
    assert "meadow.png" in images(opened)[0].captions[0]
    assert "one of your own photos" in images(opened)[0].captions[0]
    assert "meadow.png" not in html(opened)
    assert any("This is one of your own photos, which is left out." in text.value for text in opened.markdown)
