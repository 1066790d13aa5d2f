"""How far to trust a map, and the other maps beside it."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.identify.faithfulness import deletion_sentence, verdict
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.metrics.agreement import agreement
from flowers_core.explain.metrics.faithfulness import measure
from flowers_core.explain.metrics.input_noise import with_input_noise
from flowers_core.inference.runtime import Runtime
from tests.app.conftest import CLEAR, clear_bytes, images, run
from tests.fixtures.shipped import DEFAULT
from tests.fixtures.subjects import subject

Open = Callable[..., AppTest]
TRUST = "How far to trust it"


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def captions(app: AppTest) -> str:
    return "\n".join(element.value for element in app.caption)


@pytest.mark.slow
def test_grad_cam_runs_with_the_keras_model(open_page: Open) -> None:
    app = open_page(photo="example", method="Grad-CAM", ask=TRUST)
    app.button(key="run-grad_cam").click()
    run(app)
    app.button(key="trust").click()
    run(app)
    # At the last layer it is the closed form, but for what eight bits change.
    agreed = re.search(r"with Evidence (\d\.\d\d) ", captions(app))
    assert agreed
    assert float(agreed[1]) >= 0.97


@pytest.mark.slow
def test_the_trust_in_a_map_is_what_the_library_measures(open_page: Open) -> None:
    app = open_page(photo=CLEAR, method="Evidence", ask=TRUST)
    assert "random" not in said(app)
    app.button(key="trust").click()
    run(app)

    bundle = DEFAULT
    photo = read_photo(clear_bytes())
    seen = model_input(photo.pixels, bundle.crop_rule)
    runtime = Runtime(bundle.path("int8.tflite"))
    forward = runtime.forward(seen.pixels[None])
    label = int(np.argmax(forward.logits[0])) + 1
    explained = class_evidence(
        forward.features[0], bundle.head()[0], label, box=seen.box, photo_size=(photo.width, photo.height)
    )
    assert explained.target == ClassTarget(label)
    assert bundle.calibration
    found = measure(subject(seen.pixels, runtime.logits, temperature=bundle.calibration.temperature), explained)
    assert deletion_sentence(found, load_taxonomy()[label].name) in said(app)
    assert verdict(found) in said(app)
    assert f"{found.curves.deletion_auc:.2f}" in str(app.table[0].value)
    noisy = with_input_noise(seen.pixels, seed=1)
    again = class_evidence(
        runtime.forward(noisy[None]).features[0], bundle.head()[0], label, box=seen.box, photo_size=(1000, 1000)
    )
    alike = agreement(explained, again, len(seen.pixels))
    assert alike.rank_correlation > 0.9
    assert f"keeps {100 * alike.overlap:.0f} % of its brightest fifth (rank correlation" in said(app)
    assert "Run another method" in captions(app)
    # It stays, and another map of the same target is tested against the same baselines.
    app.selectbox(key="against").set_value(None)
    run(app)
    assert verdict(found) in said(app)
    assert not any(button.key == "trust" for button in app.button)


@pytest.mark.slow
def test_maps_of_one_target_are_compared(open_page: Open) -> None:
    app = open_page(photo="example", method="Occlusion", ask=TRUST)
    app.button(key="run-occlusion").click()
    run(app)
    app.button(key="trust").click()
    run(app)
    assert re.search(
        r"Rank correlation with Evidence -?\d\.\d\d \(of the brightest fifth \d+ % in common", captions(app)
    )


@pytest.mark.slow
def test_maps_stand_side_by_side_on_request(open_page: Open) -> None:
    app = open_page(photo="example", method="Occlusion", ask=TRUST)
    assert not any(toggle.key == "side-by-side" for toggle in app.toggle)
    app.button(key="run-occlusion").click()
    run(app)
    before = len(images(app))
    app.toggle(key="side-by-side").set_value(True)
    run(app)
    assert len(images(app)) == before + 2
    shown = [caption for image in images(app) for caption in image.captions]
    assert [caption.split(" · ")[0] for caption in shown[-2:]] == ["Evidence", "Occlusion"]
