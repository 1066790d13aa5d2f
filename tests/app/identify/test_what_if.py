"""The exchange with a photo of another flower, on the page as the library finds it."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.identify import what_if
from app.identify.what_if import EXCHANGE, odds
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo, read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.explain.counterfactual import least_exchange
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import CLEAR, clear_bytes, drawn_photo, images, run

Open = Callable[..., AppTest]
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.slow
def test_without_the_data_set_it_offers_to_fetch_it(open_page: Open) -> None:
    app = open_page(photo="example", ask="What if", change=EXCHANGE)
    assert "This needs training photos of" in said(app)
    assert app.button(key="download-what-if").label == "Download the photos"


@pytest.mark.slow
def test_the_exchange_is_the_library_s(open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.fromarray(drawn_photo()).save(other)
    monkeypatch.setattr(what_if, "photo_file", lambda _: other)
    runtime = Runtime(BUNDLE.path("int8.tflite"))
    mine = model_input(read_photo(clear_bytes()).pixels, BUNDLE.crop_rule).pixels
    theirs = model_input(open_photo(other).pixels, BUNDLE.crop_rule).pixels
    features = runtime.features(np.stack([mine, theirs]))
    rival = int(runtime.logits(theirs[None])[0].argmax()) + 1
    exchange = least_exchange(features[0], features[1], *BUNDLE.head(), rival)
    assert exchange is not None
    name = load_taxonomy()[rival].name
    app = open_page(photo=CLEAR, ask="What if", change=EXCHANGE, against=name)
    count = len(exchange.pairs)
    assert f"If **{count} of the 64 places" in said(app)
    assert f"would say {name} rather than {load_taxonomy()[exchange.label].name}" in said(app)
    shown = [caption for image in images(app) for caption in image.captions]
    assert any("Your photo: these places" in caption for caption in shown)
    assert any(caption.endswith(name) for caption in shown)
    # To ask what speaks for the other flower is to ask what would make it that one.
    app.selectbox(key="explain").set_value(rival)
    app.selectbox(key="against").set_value(None)
    run(app)
    assert f"If **{count} of the 64 places" in said(app)


def test_odds_in_words() -> None:
    assert odds(-math.log(12), "rose", "camellia", 1.0) == "rose is 12 times as probable as camellia"
    assert odds(2 * math.log(2.5), "rose", "camellia", 2.0) == "camellia is 2.5 times as probable as rose"
    assert odds(0.05, "rose", "camellia", 1.0) == "camellia is as probable as rose"
    assert odds(-50, "rose", "camellia", 1.0) == "rose is over 999 times as probable as camellia"
