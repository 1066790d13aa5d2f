"""The model's own pictures: always told apart from photos, and in their place where they are missing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.model_picture import HOW, class_alt, picture_html
from app.resources.model_pictures import class_picture, concept_picture
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.explain.feature_visualization.pictures import (
    CLASS_PICTURES_FILE,
    CONCEPT_PICTURES_FILE,
    ModelPictures,
    as_webp,
)
from flowers_core.explain.feature_visualization.visualize import Visualization
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.manifest import MANIFEST
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import html
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
CLASSES, CONCEPTS = 102, 20


@pytest.fixture
def pictured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A shipped model alone, with a plain picture of each flower and of its first patterns, each of another grey."""
    shipped, folder = TESTED.folder, tmp_path / "models" / TESTED.name
    folder.mkdir(parents=True)
    for name in load_bundle(shipped).manifest.files:
        (folder / name).symlink_to(shipped / name)
    shutil.copyfile(shipped / MANIFEST, folder / MANIFEST)
    for name, count, opacity in ((CLASS_PICTURES_FILE, CLASSES, 1), (CONCEPT_PICTURES_FILE, CONCEPTS, 0.5)):
        plain = [np.full((8, 8, 3), 2 * index, np.uint8) for index in range(count)]
        seen = np.full((8, 8), opacity, np.float32)
        files = {index: as_webp(Visualization(pixels, seen)) for index, pixels in enumerate(plain)}
        made = ModelPictures("made here", files, dict.fromkeys(files, 1.0))
        BundleWriter.open(folder).add_npz(name, compressed=False, **made.arrays())
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(folder.parent))
    return load_bundle(folder)


def test_a_picture_is_html_that_says_what_it_is() -> None:
    found = picture_html(b"\x00\xff", 'of "Rose" & co')
    assert found.count("<img") == 1
    assert 'src="data:image/webp;base64,AP8="' in found
    assert 'alt="of &quot;Rose&quot; &amp; co"' in found


def test_flowers_and_patterns_have_their_own_and_others_none(pictured: Bundle) -> None:
    files = {class_picture(pictured, label) for label in range(1, CLASSES + 1)}
    assert len(files) == CLASSES
    assert concept_picture(pictured, 0) not in files | {None}
    assert class_picture(pictured, CLASSES + 1) is None
    assert concept_picture(pictured, CONCEPTS) is None


def test_a_model_without_pictures_shows_none() -> None:
    other = load_bundle(default_models_dir() / "inception_v3")
    assert class_picture(other, 1) is None
    assert concept_picture(other, 0) is None


@pytest.mark.slow
def test_patterns_show_what_the_model_looks_for(pictured: Bundle, open_page: Open) -> None:
    shown = html(open_page("patterns", of="rose"))
    assert picture_html(class_picture(pictured, 74), class_alt(load_taxonomy()[74].name)) in shown
    shown = html(open_page("patterns", by="By pattern", number="5"))
    assert picture_html(concept_picture(pictured, 4), "The model’s own picture of pattern 5, not a photo") in shown
    assert HOW in shown


@pytest.mark.slow
def test_where_photos_are_missing_pictures_stand_in_for_them_and_say_so(pictured: Bundle, open_page: Open) -> None:
    app = open_page(photo="example")
    stand_ins = html(app).count("<span>The model’s own picture of the flower, not a photo</span>")
    assert 1 <= stand_ins <= 4  # one for each flower among the neighbours, and numbers for the rest
    assert 'class="no-photo"' in html(app)
    assert any(box.label.startswith("What the model looks for in") for box in app.expander)


@pytest.mark.slow
def test_among_mistakes_a_picture_stands_in_once_and_numbers_for_the_rest(pictured: Bundle, open_page: Open) -> None:
    shown = html(open_page("confusions", true="petunia"))
    assert shown.count("<span>The model’s own picture of the flower, not a photo</span>") == 1
    assert shown.count('class="no-photo"') == 11
    source = picture_html(class_picture(pictured, 51), "").removesuffix(' alt="">')
    assert source in shown
    assert "Petunia, called " in shown.split(source)[1][:60]
