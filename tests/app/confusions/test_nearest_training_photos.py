from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.confusions.nearest_training_photos import PER_PAGE, beside, beside_sentence
from flowers_core.data.photo_ref import oxford
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.evaluation.report import Mistake, mistakes
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.neighbour import Neighbour
from tests.app.conftest import missing_photos, run
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
BUNDLE = TESTED
TAXONOMY = load_taxonomy()


@pytest.fixture(scope="module")
def found() -> list[Mistake]:
    assert BUNDLE.calibration is not None
    return mistakes(load_predictions(BUNDLE.path("test_predictions.npz"), "int8"), BUNDLE.calibration.temperature)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery.load(BUNDLE.path(INDEX_FILE), BUNDLE.path(RECORDS_FILE))


def test_the_neighbours_are_numpys(gallery: Gallery, found: list[Mistake]) -> None:
    vectors = gallery.vectors().astype(np.float64)
    for mistake in found[:5]:
        cosines = vectors @ gallery.vector(mistake.photo_id).astype(np.float64)
        for label, neighbours in zip(
            (mistake.true_label, mistake.predicted_label), beside(gallery, mistake, 3), strict=True
        ):
            allowed = np.flatnonzero((gallery.splits == "train") & (gallery.labels == label))
            expected = gallery.ids[allowed[np.argsort(-cosines[allowed], kind="stable")[:3]]]
            assert [neighbour.photo_id for neighbour in neighbours] == expected.tolist()


@pytest.mark.slow
def test_a_mistake_stands_beside_training_photos_of_both_classes(
    open_page: Open, gallery: Gallery, found: list[Mistake]
) -> None:
    app = open_page("confusions", precision="int8")
    app.toggle(key="beside").set_value(True)
    run(app)
    expected = []
    for mistake in found[:PER_PAGE]:
        of_true, of_called = beside(gallery, mistake)
        expected += [mistake.photo_id, *(neighbour.photo_id for neighbour in (*of_true, *of_called))]
    assert missing_photos(app) == expected
    opened = open_page("confusions", precision="int8", beside="true")
    assert opened.toggle(key="beside").value


def test_sentences() -> None:
    mistake = Mistake(oxford(1), 74, 54, 0.9, 0.05)
    near, far = Neighbour(oxford(7), 54, "train", 0.8), Neighbour(oxford(8), 74, "train", 0.6)
    assert beside_sentence([far], [near], mistake, TAXONOMY) == (
        "To the model it is more like a training photo of **sunflower** (0.80) than any of rose (0.60)."
    )
    assert "still decided otherwise" in beside_sentence([near], [far], mistake, TAXONOMY)
    assert beside_sentence([], [near], mistake, TAXONOMY) == ""
