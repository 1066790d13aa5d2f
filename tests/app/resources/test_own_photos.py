"""What is kept of a visitor's photos, and that the small copies answer as the photos did."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.identify.examples import FOLDER
from app.resources.own_photos import MOST, QUALITY, as_jpeg
from flowers_core.data.photos import read_photo
from tests.app.conftest import run


def test_the_last_are_kept_in_order_and_given_again() -> None:
    def page() -> None:
        import streamlit as st

        from app.resources import own_photos
        from tests.fixtures.pictures import encoded, four_corners

        taken = [
            own_photos.take(f"{width}.png", encoded(four_corners(width), "PNG"))
            for width in range(40, 40 + own_photos.MOST + 2)
        ]
        own_photos.take("again.png", encoded(four_corners(44), "PNG"))
        names = [own.name for own in own_photos.own_photos()]
        own_photos.give(taken[-2:])
        given, together = own_photos.given(), own_photos.given_together()
        opened = own_photos.own_photos()[0].open()
        st.session_state["found"] = (names, given.name, [own.name for own in together], opened.format, opened.sha256)
        st.session_state["wanted"] = own_photos.own_photos()[0].sha256
        own_photos.forget_own_photos()
        st.session_state["left"] = (own_photos.own_photos(), own_photos.given(), own_photos.given_together())

    app = run(AppTest.from_function(page, default_timeout=60))
    names, given, together, kind, sha256 = app.session_state["found"]
    assert names == [*(f"{width}.png" for width in range(42, 42 + MOST) if width != 44), "again.png"]
    assert (given, together) == ("52.png", ["52.png", "53.png"])
    assert (kind, sha256) == ("PNG", app.session_state["wanted"])  # of the file, not of the copy
    assert app.session_state["left"] == ((), None, [])


@pytest.mark.slow
def test_a_photo_that_is_opened_again_gets_the_answer_that_it_got() -> None:
    def page() -> None:
        import numpy as np
        import streamlit as st

        from app.identify.examples import FOLDER
        from app.resources import models, own_photos, session
        from tests.fixtures.pictures import encoded, four_corners

        bundle = models.model_list().bundles[0]
        first = own_photos.take("poppies.jpg", (FOLDER / "poppies.jpg").read_bytes())
        before = own_photos.seen(first, bundle, "int8")
        for width in range(40, 40 + own_photos.MOST - 1):
            own_photos.seen(own_photos.take("x.png", encoded(four_corners(width), "PNG")), bundle, "int8")
        again = own_photos.own_photos()[0]
        logits = session.infer(again.open(), bundle, "int8").forward.logits[0]
        st.session_state["same"] = again is first and np.array_equal(logits, before.logits)

    assert run(AppTest.from_function(page, default_timeout=120)).session_state["same"]


def test_to_the_eye_the_copy_is_the_photo() -> None:
    for name in ("dahlia", "poppies", "coffee"):
        photo = read_photo((FOLDER / f"{name}.jpg").read_bytes())
        copy = as_jpeg(photo, None, QUALITY)
        assert len(copy) < photo.pixels.nbytes / 3
        assert np.abs(read_photo(copy).pixels.astype(int) - photo.pixels).mean() < 1.5
