"""How much of a visitor's photos stays in memory."""

from streamlit.testing.v1 import AppTest

from app.resources.session import RECENT_PHOTOS
from tests.app.conftest import run


def test_of_many_photos_only_the_last_are_kept() -> None:
    def page() -> None:
        import gc
        import weakref

        import numpy as np
        import streamlit as st

        from app.resources import models, session
        from tests.fixtures.pictures import encoded, four_corners

        bundle = models.model_list().bundles[0]
        alive, answers = [], []
        for width in range(96, 101):
            photo = session.photo(encoded(four_corners(width), "PNG"))
            session.shown_pixels(photo)
            answers.append(session.infer(photo, bundle, "int8").forward.logits)
            alive.append(weakref.ref(photo))
        again = session.infer(session.photo(encoded(four_corners(96), "PNG")), bundle, "int8")
        assert np.array_equal(again.forward.logits, answers[0])
        assert again.forward.logits is answers[0], "no second pass over a photo that comes back"
        del photo, again
        gc.collect()
        st.write(sum(one() is not None for one in alive))

    app = run(AppTest.from_function(page, default_timeout=60))
    assert RECENT_PHOTOS == 2
    # Of the five the last one; the first was read anew when it came back.
    assert app.markdown[0].value.strip("`") == "1"
