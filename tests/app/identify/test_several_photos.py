"""Several photos at once: one plant or different ones, the last photos of the session, and two of them compared."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.identify.examples import FOLDER
from app.identify.several_photos import together_words
from app.resources.own_photos import Seen
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.prediction import predict
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.runtime import Runtime
from flowers_core.inference.several_photos import answer_plant
from tests.app.conftest import drawn_photo, html, run
from tests.app.identify.test_page import BUNDLE, bars, encoded
from tests.app.identify.test_photo_choice import caption

Open = Callable[..., AppTest]
TAXONOMY = load_taxonomy()
FILES = [
    (name, (FOLDER / f"{name}.jpg").read_bytes(), "image/jpeg") for name in ("purple-daisy", "dahlia", "osteospermum")
]


def give(app: AppTest, files: list[tuple[str, bytes, str]]) -> AppTest:
    app.file_uploader[0].set_value(files)
    return run(app)


@pytest.mark.slow
def test_photos_of_one_plant_are_answered_together(open_page: Open) -> None:
    app = give(open_page(), FILES)
    runtime = Runtime(BUNDLE.path("int8.tflite"), workers=1)
    logits = [
        runtime.logits(model_input(read_photo(content).pixels, BUNDLE.crop_rule).pixels[None])[0]
        for _, content, _ in FILES
    ]
    expected = answer_plant(logits, BUNDLE.require_calibration(), TAXONOMY)
    name = TAXONOMY[expected.prediction.candidates[0].label].name
    assert name.lower() in html(app).lower().split("<h2>")[1].split("</h2>")[0]
    assert next(header.value for header in app.header) == "Photo 1 of 3 alone"
    assert all(name in html(app) for name, _, _ in FILES)
    # Another of the three, then each for itself.
    app.button(key=f"closer-{read_photo(FILES[1][1]).sha256[:12]}").click()
    run(app)
    assert next(header.value for header in app.header) == "Photo 2 of 3 alone"
    answers = html(app).count('aria-label="Answer"')
    app.segmented_control(key="several").set_value("different")
    assert html(run(app)).count('aria-label="Answer"') == answers - 1


@pytest.mark.slow
def test_the_last_photos_stay_and_two_are_compared(open_page: Open) -> None:
    app = open_page()
    for name, colour in (("first", 0), ("second", 40)):
        picture = drawn_photo()
        picture[:20] = colour
        give(app, [(f"{name}.png", encoded(picture, "PNG"), "image/png")])
    assert "second.png" in caption(app)
    mine = bars(app)
    key = next(button.key for button in app.button if button.key.startswith("open-"))
    app.button(key=key.replace("open", "compare")).click()
    run(app)
    assert "Beside your other photo" in [header.value for header in app.header]
    app.button(key="stop-comparing").click()
    run(app)
    app.button(key=key).click()
    run(app)
    assert "first.png" in caption(app)
    other = next(button.key for button in app.button if button.key.startswith("open-"))
    app.button(key=other).click()
    run(app)
    assert "second.png" in caption(app)
    assert bars(app) == mine  # as small copies, and answered as before


@pytest.mark.slow
def test_what_is_no_photo_is_named_and_the_others_are_taken(open_page: Open) -> None:
    app = give(open_page(), [("notes", b"no photo", "text/plain"), FILES[0]])
    assert [error.value for error in app.error] == [
        "notes: This is a text file, not a photo. Choose a JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC photo."
    ]
    assert "purple-daisy" in caption(app)


def seen(label: int, probability: float) -> Seen:
    logits = np.full(102, -30.0, np.float32)
    logits[label - 1], logits[101] = np.log(probability), np.log(1 - probability)
    calibration = Calibration(1.0, 0.98, 0.9, 0.8)
    return Seen(predict(logits, calibration, TAXONOMY), logits, np.zeros(4, np.float32))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ((5, 5), "All 2 photos say so."),
        ((5, 5, 5, 9), "The photo “d.jpg” seems to show something else: monkshood."),
        ((5, 9), "The two photos speak for different flowers"),
    ],
)
def test_how_the_photos_agree(labels: tuple[int, ...], said: str) -> None:
    found = [seen(label, 0.99) for label in labels]
    plant = answer_plant([each.logits for each in found], Calibration(1.0, 0.98, 0.9, 0.8), TAXONOMY)
    words = together_words(plant, found, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"][: len(labels)], TAXONOMY)
    assert words.startswith(said)
