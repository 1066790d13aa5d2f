"""What two flowers share, on the page of their confusions."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.words import percent
from flowers_core.explain.concepts.classes import worth
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from tests.app.conftest import html
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
ROSE, CAMELLIA = 74, 96


@pytest.mark.slow
def test_a_pair_says_what_it_shares(open_page: Open) -> None:
    bundle = TESTED
    head = bundle.head()[0]
    worths = worth(load_concepts(bundle.path(CONCEPTS_FILE), head), head)
    rose, camellia = worths[ROSE - 1], worths[CAMELLIA - 1]
    common = np.clip(np.minimum(rose, camellia), 0, None)
    app = open_page("confusions", true="camellia", called="rose")
    part = percent(float(common.sum() / np.clip(camellia, 0, None).sum()))
    said = "\n".join(element.value for element in app.markdown)
    assert f"{part} of what speaks for camellia in its training photos speaks as much for rose." in said
    assert html(app).count("logits in common") == min(3, (common > 0).sum())
    assert html(app).count("logits more") == 4


@pytest.mark.slow
def test_without_a_pair_there_is_nothing_to_share(open_page: Open) -> None:
    app = open_page("confusions", true="camellia")
    assert "logits in common" not in html(app)
