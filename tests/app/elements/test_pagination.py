import pytest
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from app.elements.pagination import choose_page, first_page

    for name, count in (("few", 3), ("mistakes", 25), ("outliers", 14)):
        st.markdown(f"{name}: {list(choose_page(name, range(count), 10))}")
    st.button("again", on_click=first_page, args=("mistakes",))


def _shown(app: AppTest) -> dict[str, str]:
    return dict(text.value.split(": ") for text in app.markdown)


@pytest.mark.slow
def test_each_list_has_a_page_number_of_its_own() -> None:
    app = AppTest.from_function(_page).run()
    assert _shown(app) == {"few": str([0, 1, 2]), "mistakes": str([*range(10)]), "outliers": str([*range(10)])}
    app.pagination(key="mistakes-page").select(3)
    app.run()
    assert _shown(app)["mistakes"] == str([*range(20, 25)])
    assert _shown(app)["outliers"] == str([*range(10)])
    app.button[0].click()
    app.run()
    assert _shown(app)["mistakes"] == str([*range(10)])


def test_the_page_has_an_address() -> None:
    app = AppTest.from_function(_page)
    app.query_params["mistakes-page"] = "2"
    app.run()
    assert _shown(app)["mistakes"] == str([*range(10, 20)])
    assert _shown(app)["outliers"] == str([*range(10)])


def test_a_page_beyond_the_last_becomes_the_last() -> None:
    app = AppTest.from_function(_page)
    app.session_state["outliers-page"] = 7
    app.run()
    assert _shown(app)["outliers"] == str([*range(10, 14)])
