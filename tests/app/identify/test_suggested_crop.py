"""The part that is suggested where the answer about the whole photo is not sure."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.elements.words import capital, percent
from app.identify.suggested_crop import Suggestion, describe
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.multi_crop import suggest_crop
from flowers_core.inference.prediction import Candidate, predict
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import example_bytes, html, run
from tests.app.identify.test_page import bars

Open = Callable[..., AppTest]
TAXONOMY = load_taxonomy()


def suggestion(app: AppTest) -> str | None:
    """The sentence about the part; None where there is none."""
    said = [element.value for element in app.markdown if "A part of the photo says" in element.value]
    assert len(said) == any(button.key == "look-closer" for button in app.button)
    return said[0] if said else None


def test_a_part_is_suggested_and_its_own_page_says_what_was_said_of_it(open_page: Open) -> None:
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0")
    assert bundle.calibration is not None
    photo, runtime = read_photo(example_bytes()), Runtime(bundle.path("int8.tflite"))
    means = prototypes_of(bundle)
    found = suggest_crop(photo.pixels, runtime, bundle.crop_rule, bundle.calibration.temperature, means)
    assert found is not None
    app = open_page(photo="example")
    said = suggestion(app)
    assert said is not None
    name = capital(TAXONOMY[found.label].name)
    assert f"**{name}**" in said
    assert f"Of the {found.crops} parts that were tried, {found.agreeing} are named so." in said
    app.button(key="look-closer").click()
    run(app)
    part = [int(number) for number in app.query_params["part"].split(",")]
    for per_cent, edge, length in zip(part, found.box, (photo.width, photo.height) * 2, strict=True):
        assert per_cent == pytest.approx(100 * edge / length, abs=1)
    assert "of the whole photo the model says" in html(app)
    first, probability = bars(app)[0]
    assert first == name
    assert f"**{name}**, {probability} probable" in said
    assert suggestion(app) is None  # a part is not taken apart again


@pytest.mark.parametrize(("label", "words"), [(1, "says the same, and is surer of it"), (2, "says something else")])
def test_the_words_tell_whether_the_part_says_the_same(label: int, words: str) -> None:
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0")
    assert bundle.calibration is not None
    logits = [0.0] * 102
    logits[0] = 1.0
    prediction = predict(logits, bundle.calibration, TAXONOMY)
    photo = read_photo(example_bytes())
    suggested = Suggestion((0, 0, 50, 50), photo, Candidate(label, 0.93), 5, 38)
    said = describe(suggested, prediction, TAXONOMY)
    assert words in said
    assert f"**{capital(TAXONOMY[label].name)}**, {percent(0.93)} probable" in said
    assert "Of the 38 parts that were tried, 5 are named so." in said
