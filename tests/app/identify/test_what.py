"""A score as a sum over patterns, on the page as the library finds it."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.identify.what import share_words, shares_sentence, sum_table
from app.resources import models
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.explain.concepts.shares import ConceptShares, concept_shares
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import CLEAR, clear_bytes, html, run

Open = Callable[..., AppTest]
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
TAXONOMY = load_taxonomy()
ROSE, CAMELLIA = 74, 96


def shares(target: ClassTarget | ContrastTarget, values: list[float], residual: float, bias: float) -> ConceptShares:
    return ConceptShares(target, np.ones((1, 1, len(values))), np.array(values), residual, bias)


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.slow
def test_the_page_shows_the_library_s_shares_and_their_sum(open_page: Open) -> None:
    app = open_page(photo=CLEAR, ask="What")
    head, bias = BUNDLE.head()
    concepts = load_concepts(BUNDLE.path(CONCEPTS_FILE), head)
    seen = model_input(read_photo(clear_bytes()).pixels, BUNDLE.crop_rule).pixels
    forward = Runtime(BUNDLE.path("int8.tflite")).forward(seen[None])
    label = int(forward.logits[0].argmax()) + 1
    found = concept_shares(forward.features[0], concepts.dictionary, head, bias, ClassTarget(label))
    shown = found.strongest(8)
    assert shares_sentence(found, shown, len(concepts), TAXONOMY) in said(app)
    for concept in shown:
        assert share_words(found, concept, TAXONOMY) in html(app)
    table = app.table[0].value
    assert len(table) == len(shown) + 4
    logit = float(forward.features[0].mean(axis=(0, 1), dtype=np.float64) @ head[:, label - 1] + bias[label - 1])
    assert float(table.loc["together", "logits"]) == pytest.approx(logit, abs=0.006)
    # Against another flower.
    app.selectbox(key="against").set_value(ROSE if label != ROSE else CAMELLIA)
    run(app)
    assert "All in all the photo speaks more for" in said(app)


@pytest.mark.slow
def test_a_model_whose_patterns_were_not_looked_for_says_so(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "concepts", lambda _: None)
    app = open_page(photo="example", ask="What")
    assert any(f"`flowers fit_concepts {DEFAULT_BUNDLE}`" in info.value for info in app.info)


def test_shares_in_words() -> None:
    one = shares(ClassTarget(ROSE), [3.0, -0.5, 1.0], 0.75, -0.25)
    assert one.value == 4
    assert share_words(one, 0, TAXONOMY) == "75\xa0% of the score"
    assert share_words(one, 1, TAXONOMY) == "12\xa0% of the score against it"
    assert shares_sentence(one, [0, 2], 128, TAXONOMY) == (
        "The model tells 128 patterns apart. In this photo these 2 matter most: 100\xa0% of the score for rose."
    )
    weak = shares(ClassTarget(ROSE), [0.5, -1.0], 0.0, 0.0)
    assert share_words(weak, 1, TAXONOMY) == "−1.0 logits"
    assert "hardly speaks for rose" in shares_sentence(weak, [1, 0], 128, TAXONOMY)
    gap = shares(ContrastTarget(ROSE, CAMELLIA), [1.0, -1.5], -0.25, 0.0)
    assert share_words(gap, 1, TAXONOMY) == "1.5 logits for camellia"
    assert "speaks more for camellia, by 0.8 logits" in shares_sentence(gap, [1, 0], 128, TAXONOMY)


def test_the_sum_has_a_row_for_each_term() -> None:
    table = sum_table(shares(ClassTarget(ROSE), [3.0, -0.5, 1.0], 0.75, -0.25), [0, 2])
    assert dict(zip(table["what"], table["logits"], strict=True)) == {
        "pattern 1": 3.0,
        "pattern 3": 1.0,
        "all other patterns": -0.5,
        "what no pattern explains": 0.75,
        "constant of the name": -0.25,
        "together": 4.0,
    }
