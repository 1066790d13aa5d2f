"""The offer to download the data set, in place where its photos are missing; nothing is fetched before the click."""

import streamlit as st

from app.resources.data import data_set


def offer_download(key: str, reason: str) -> None:
    """Say why photos are missing and offer to download them.

    Args:
        key: makes the offer's button one of a kind on its page.
        reason: the sentence that says what is missing.
    """
    problem = data_set().problem
    if problem:
        st.error(problem, icon=":material/error:")
    with st.container(border=True, key=f"offer-{key}"):
        st.markdown(
            f"{reason} They come from the University of Oxford’s Visual Geometry Group, 345 MB in all, "
            f"and go to `{data_set().root}`. Broken off, the download goes on from there the next time."
        )
        if st.button("Download the photos", icon=":material/download:", key=f"download-{key}"):
            _download()


def _download() -> None:
    from flowers_core.data.download.oxford import DownloadError, Progress, download_dataset

    bar = st.progress(0.0, "Asking Oxford …")

    def show(now: Progress) -> None:
        bar.progress(now.fraction, now.sentence)

    try:
        download_dataset(data_set().root, progress=show)
    except DownloadError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return
    st.rerun()
