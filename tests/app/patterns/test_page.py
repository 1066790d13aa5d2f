"""Patterns by flower, and flowers by pattern."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.words import capital
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.explain.concepts.classes import worth
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import html, run

Open = Callable[..., AppTest]
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
HEAD = BUNDLE.head()[0]
WORTHS = worth(load_concepts(BUNDLE.path(CONCEPTS_FILE), HEAD), HEAD)
ROSE = 74


@pytest.mark.slow
def test_a_flower_has_an_address_and_its_patterns(open_page: Open) -> None:
    app = open_page("patterns", of="rose")
    assert app.selectbox(key="of").value == ROSE
    own = WORTHS[ROSE - 1]
    for concept in np.argsort(-own)[:8]:
        if own[concept] > 0:
            assert f"pattern {concept + 1}</span>" in html(app)
    assert app.button(key="download-patterns")


@pytest.mark.slow
def test_a_pattern_has_an_address_and_its_flowers(open_page: Open) -> None:
    app = open_page("patterns", by="By pattern", number="5")
    first = load_taxonomy()[int(WORTHS[:, 4].argmax()) + 1].name
    assert app.dataframe[0].value["flower"].iloc[0] == capital(first)
    app.number_input(key="number").set_value(6)
    run(app)
    first = load_taxonomy()[int(WORTHS[:, 5].argmax()) + 1].name
    assert app.dataframe[0].value["flower"].iloc[0] == capital(first)
