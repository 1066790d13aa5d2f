"""The training photos that decided: on the page as the library finds them."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.identify.whence import likeness_sentence
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.representers import representers_of, strongest
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.runtime import open_runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import CLEAR, clear_bytes, html

Open = Callable[..., AppTest]
ROSE, SUNFLOWER = 74, 54


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.slow
def test_the_photos_and_their_sum_are_the_library_s(open_page: Open) -> None:
    bundle = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    learnt = np.isin(gallery.splits, bundle.fitted_splits)
    found = representers_of(
        gallery.ids[learnt], gallery.labels[learnt], gallery.vectors(bundle.fitted_splits), bundle.head()[0]
    )
    pixels = model_input(read_photo(clear_bytes()).pixels, bundle.crop_rule).pixels
    logits = open_runtime(bundle, "int8").logits(pixels[None])[0]
    label = int(logits.argmax()) + 1

    app = open_page(photo=CLEAR, ask="Whence")
    contributions = found.contributions(logits, ClassTarget(label))
    assert f"The model learnt from {len(found):,} photos" in said(app)
    assert f"**{logits[label - 1] - logits.mean():+.1f}** in all" in said(app)
    speaks_for, against = strongest(contributions, 6)
    for at in (*speaks_for, *against):
        assert f"training photo {found.ids[at]}</span>" in html(app)
    assert "The training photos are not on this machine" in said(app)


def test_one_flower_against_another(open_page: Open) -> None:
    bundle = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
    app = open_page(photo=CLEAR, ask="Whence", explain="rose", against="sunflower")
    assert "Those for rose come to" in said(app)
    assert "those for sunflower to" in said(app)
    pixels = model_input(read_photo(clear_bytes()).pixels, bundle.crop_rule).pixels
    logits = open_runtime(bundle, "int8").logits(pixels[None])[0]
    target = ContrastTarget(ROSE, SUNFLOWER)
    assert f"**{logits[target.label - 1] - logits[target.rival - 1]:+.1f}** in all" in said(app)


def test_how_many_of_them_it_also_resembles() -> None:
    assert likeness_sentence(np.array([4, 5, 6]), {5: 1, 9: 2}).startswith("1 of these 3 is among the 2 training")
    assert likeness_sentence(np.array([4, 5]), {}).startswith("None of these 2 are")
