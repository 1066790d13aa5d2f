"""Why an answer is refused or undecided."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.identify.why_not_sure import Distance, candidates_of, distance, distance_sentence
from app.resources import session
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import Answer
from flowers_core.inference.prototypes import Prototypes
from tests.app.conftest import html, run
from tests.app.elements.test_words import prediction

Open = Callable[..., AppTest]
TAXONOMY = load_taxonomy()


@pytest.mark.slow
def test_it_is_asked_only_where_the_model_is_not_sure(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    doubt, sure = prediction(rose=0.5, camellia=0.4), prediction(rose=0.99)
    monkeypatch.setattr(session, "answer", lambda _: Answer(doubt, doubt))
    app = open_page(photo="example", ask="Why not sure")
    assert [heading.value for heading in app.subheader] == ["Rose, 50\xa0% probable", "Camellia, 40\xa0% probable"]
    assert "Its likeness to the mean photo of each: rose" in "\n".join(element.value for element in app.markdown)
    assert "Speaks for rose rather than camellia" in html(app)
    assert "Would settle it" in html(app)
    assert html(app).count("the nearest training photo, similarity") == 2
    # Somebody may ask about a flower that is no candidate, and hold all of them against another.
    app.selectbox(key="explain").set_value(54)
    app.selectbox(key="against").set_value(11)
    run(app)
    assert [heading.value.split(",")[0] for heading in app.subheader] == ["Rose", "Camellia", "Sunflower"]
    assert "Speaks for sunflower rather than snapdragon" in html(app)
    assert html(app).count("rather than snapdragon") >= 3
    monkeypatch.setattr(session, "answer", lambda _: Answer(sure, sure))
    run(app)
    assert app.segmented_control(key="ask").value == "Where"
    assert "Why not sure" not in app.segmented_control(key="ask").options


def test_candidates_are_two_at_least_and_three_at_most() -> None:
    two = candidates_of(prediction(rose=0.5, camellia=0.4), 74)
    assert [TAXONOMY[candidate.label].name for candidate in two] == ["rose", "camellia"]
    assert len(candidates_of(prediction(rose=0.3, camellia=0.3, sunflower=0.2, snapdragon=0.15), 74)) == 3


def test_distances_by_hand() -> None:
    prototypes = Prototypes(np.array([[1.0, 0.0], [0.6, 0.8]], np.float32), 0.7)
    found = distance(prototypes, np.array([0.0, 5.0]), 2)
    assert (found.label, found.usual) == (2, 0.7)
    assert found.cosine == pytest.approx(0.8)


def test_distances_in_words() -> None:
    def said(*cosines: float) -> str:
        found = [Distance(label, cosine, 0.5) for label, cosine in enumerate(cosines, start=1)]
        return distance_sentence(found, [1, 2], TAXONOMY)

    one, two = TAXONOMY[1].name, TAXONOMY[2].name
    assert said(0.25, 0.4) == (
        f"Its likeness to the mean photo of each: {one} 0.25 and {two} 0.40. Nearly all known photos reach 0.50 with "
        f"their own flower; this one comes to 0.40 at most, with {two}. It lies far from all that the model knows."
    )
    assert said(0.6, 0.4).endswith(f"and this one only with {one}.")
    assert said(0.6, 0.55).endswith("and this one with 2 flowers: it lies between them.")
