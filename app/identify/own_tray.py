"""The visitor's last photos in this session: one click to look at one again, one to hold it against the one at hand."""

import streamlit as st

from app.elements.words import plain
from app.identify.photo_choice import Chosen, forget_all, open_own
from app.resources.own_photos import OwnPhoto, own_photo, own_photos

_COMPARED = "compared-with"


def draw_tray(chosen: Chosen | None) -> None:
    """The own photos but for the one at hand, where there are any.

    Args:
        chosen: the photo at hand.
    """
    current = chosen.own if chosen else None
    others = [own for own in reversed(own_photos()) if own is not current]
    if not others:
        return
    with st.expander(f"Your last photos ({len(others)})", icon=":material/history:"):
        grid = st.grid(key="photos-own", min_column_width=120, gap="small")
        for own in others:
            with grid.cell():
                st.image(own.small, width="stretch", alt=f"Given before: {own.name}")
                st.caption(plain(own.name))
                key = own.sha256[:12]
                with st.container(horizontal=True, gap="small"):
                    st.button("Open", key=f"open-{key}", type="tertiary", on_click=open_own, args=(own.sha256,))
                    if chosen is not None:
                        st.button(
                            "Compare", key=f"compare-{key}", type="tertiary", on_click=_compare, args=(own.sha256,)
                        )
        st.caption("They are kept until you close this page, as small copies in the server’s memory.")
        st.button("Forget my photos", icon=":material/delete:", key="forget-own", on_click=forget_all)


def compared_with(chosen: Chosen) -> OwnPhoto | None:
    """The own photo to hold against the one at hand."""
    other = own_photo(st.session_state.get(_COMPARED))
    return None if other is None or other is chosen.own else other


def stop_comparing() -> None:
    """Hold the photo at hand against none. Only in callbacks."""
    st.session_state.pop(_COMPARED, None)


def _compare(sha256: str) -> None:
    st.session_state[_COMPARED] = sha256
