"""The model's own pictures: always told apart from photos, and in their place where they are missing."""

from app.elements.model_picture import picture_html
from app.resources.model_pictures import class_picture, concept_picture
from flowers_core.inference.bundle import load_bundle
from flowers_core.storage.paths import default_models_dir


def test_a_picture_is_html_that_says_what_it_is() -> None:
    found = picture_html(b"\x00\xff", 'of "Rose" & co')
    assert found.count("<img") == 1
    assert 'src="data:image/webp;base64,AP8="' in found
    assert 'alt="of &quot;Rose&quot; &amp; co"' in found


def test_a_model_without_pictures_shows_none() -> None:
    other = load_bundle(default_models_dir() / "inception_v3")
    assert class_picture(other, 1) is None
    assert concept_picture(other, 0) is None
