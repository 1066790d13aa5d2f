"""The offer to download the data set, in place where its photos are missing; nothing is fetched before the click.

The download runs in the background for all visitors. Each sees how far it is, goes on meanwhile, and may stop it.
"""

from pathlib import Path

import streamlit as st

from app.resources.data import data_set, photos_here
from app.resources.dataset_download import dataset_download
from flowers_core.data.download.background import BackgroundDownload
from flowers_core.data.photo_ref import OXFORD, PhotoSet

# Seconds between two looks at a download that is under way.
EVERY = 1.0
# After so many photos more the page is drawn anew, with those that have come.
_PHOTOS_A_DRAWING = 1000
_DRAWN = "photos-drawn"


def offer_download(key: str, reason: str, photo_set: PhotoSet = OXFORD) -> None:
    """Say why photos are missing and offer to download them, or show how far that is.

    Only Oxford's can be downloaded, and not in the place of another data set. Else a sentence says whose photos are
    missing.

    Args:
        key: makes the offer's button one of a kind on its page.
        reason: the sentence that says what is missing.
        photo_set: the photos that are missing.
    """
    found = data_set()
    if photo_set != OXFORD or (found.flowers is not None and not photos_here(OXFORD)):
        st.info(
            f"{reason} They are those of the data set that the model learnt from; `FLOWERS_DATA_DIR` names the data "
            "set whose photos are shown.",
            icon=":material/photo_library:",
        )
        return
    if found.problem:
        st.error(found.problem, icon=":material/error:")
    download = dataset_download(found.root)
    with st.container(border=True, key=f"offer-{key}"):
        if download.state.running:
            st.markdown(f"{reason} They are on their way, for everybody who uses this page.")
            st.fragment(_watch, run_every=EVERY)(download, key)
            return
        st.markdown(
            f"{reason} They come from the University of Oxford’s Visual Geometry Group, 345 MB in all, "
            f"and go to `{_told(found.root)}`. You can go on meanwhile. Broken off, the download goes on from there "
            "the next time."
        )
        if download.state.problem:
            st.error(download.state.problem, icon=":material/cloud_off:")
        st.button("Download the photos", icon=":material/download:", key=f"download-{key}", on_click=download.start)


def _told(folder: Path) -> str:
    """A folder as people write it: what lies below their home begins with ~."""
    home = Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)


def _watch(download: BackgroundDownload, key: str) -> None:
    """A bar and a button to stop; draws the whole page anew when photos have come, and at the end."""
    state = download.state
    if not state.running:
        st.rerun()
    progress = state.progress
    st.progress(progress.fraction if progress else 0.0, progress.sentence if progress else "Asking Oxford …")
    st.button("Stop the download", icon=":material/stop:", key=f"stop-download-{key}", on_click=download.stop)
    if progress and progress.step == "unpacking":
        come = progress.done // _PHOTOS_A_DRAWING
        if come > st.session_state.get(_DRAWN, 0):
            st.session_state[_DRAWN] = come
            st.rerun()
