"""The dashboard's entry: page settings and navigation. Started with `streamlit run app/main.py`."""

import os
import sys
from pathlib import Path

# OpenBLAS reads it when NumPy is loaded, which no page has done yet. Its threads would wake for products that one of
# them makes sooner, and spin meanwhile on the cores that answer the next visitor.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import streamlit as st

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    # Streamlit adds only the folder of this file. So a checkout that was not installed is found from any folder, too.
    sys.path.insert(0, str(HERE.parent))

from app.elements.told import told  # noqa: E402
from app.resources import server_settings  # noqa: E402

st.set_page_config(
    page_title="Flowers",
    # A file of our own: Streamlit would fetch a Material icon for the tab from the network.
    page_icon=str(HERE / "favicon.svg"),
    layout="wide",
    # One entry is enough for the menu, and with it the choice of light or dark, to be there.
    menu_items={"About": "Names the flower in a photo and shows why. Photos stay on the machine that runs this page."},
)
st.html(HERE / "style.css")

# Where no browser has asked there is no server either: tests run the page without one.
if st.context.headers and (unlike := server_settings.unlike_project()):
    st.error(server_settings.refusal(unlike), icon=":material/lock:")
    st.stop()
server_settings.keep_uploads_in_memory()
server_settings.say_nothing_of_uploads()
server_settings.give_back_memory()
server_settings.spare_loaded_modules()

page = st.navigation(
    [
        st.Page("identify/page.py", title="Identify", icon=":material/local_florist:", default=True),
        st.Page("many/page.py", title="Many photos", icon=":material/photo_library:", url_path="many"),
        st.Page("confusions/page.py", title="Confusions", icon=":material/grid_on:", url_path="confusions"),
        st.Page("patterns/page.py", title="Patterns", icon=":material/interests:", url_path="patterns"),
        st.Page("models/page.py", title="Models", icon=":material/speed:", url_path="models"),
        st.Page("dataset/page.py", title="Dataset", icon=":material/database:", url_path="dataset"),
        st.Page("selftest/page.py", title="Test yourself", icon=":material/quiz:", url_path="test-yourself"),
    ],
    position="top",
)
with told():
    page.run()
