"""A table as a file to download."""

import pandas as pd
import streamlit as st


def offer_csv(table: pd.DataFrame, file_name: str) -> None:
    """A button that saves a table.

    Args:
        table: what is saved.
        file_name: of the CSV; also the button's key.
    """
    st.download_button(
        "Download as CSV",
        as_csv(table),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"csv-{file_name}",
    )


def as_csv(table: pd.DataFrame) -> bytes:
    """The table in UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    return table.to_csv(index=False).encode("utf-8-sig")
