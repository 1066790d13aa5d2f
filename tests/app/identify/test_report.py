"""The report of *Identify*: what the page says, in a file of its own."""

from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from app.elements.words import percent
from app.identify.examples import FOLDER
from app.identify.report import trust_figures
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import load_bundle
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import run
from tests.app.identify.test_page import BUNDLE, expected


@pytest.mark.slow
def test_the_report_says_what_the_page_says() -> None:
    def page() -> None:
        import streamlit as st

        from app.identify.examples import FOLDER
        from app.identify.identified import Identified
        from app.identify.report import report_maker
        from app.resources import models, session

        photo = session.photo((FOLDER / "dahlia.jpg").read_bytes())
        inference = session.infer(photo, models.model_list().bundles[0], "int8")
        identified = Identified(inference, session.answer(inference).prediction, None)
        name = "<b>mine</b>.jpg"
        st.session_state["make"] = report_maker(identified, name, f"{name} · 640 × 427", inference.bundle.taxonomy)

    app = run(AppTest.from_function(page, default_timeout=120))
    # Where it is called there is no session, as in the thread that serves a download.
    html = app.session_state["make"]().decode()
    prediction, _ = expected((FOLDER / "dahlia.jpg").read_bytes())
    taxonomy = load_taxonomy()
    for candidate in prediction.top(5):
        assert taxonomy[candidate.label].name in html.lower() or taxonomy[candidate.label].name in html
        assert percent(candidate.probability) in unescape(html)
    assert "<b>mine" not in html
    assert html.count("data:image/jpeg;base64,") == 2  # the photo and the map; of the data set's photos none
    assert "training photo" in html
    assert BUNDLE.name in html
    for what, figure in trust_figures(BUNDLE, "int8"):
        assert what in html
        assert figure in unescape(html)


@pytest.mark.parametrize("name", ["inception_v3", "efficientnet_lite0_small"])
def test_the_figures_are_those_on_record(name: str) -> None:
    bundle = load_bundle(default_models_dir() / name)
    rows = dict(trust_figures(bundle, "int8"))
    test = bundle.metrics["int8"]["test"]
    assert rows[f"right names among {test.photos} test photos"] == percent(test.top1)
    assert any("sure" in what for what in rows) == (bundle.manifest.confidence is not None)
    assert trust_figures(bundle, "float31") == [] or bundle.manifest.confidence is not None
