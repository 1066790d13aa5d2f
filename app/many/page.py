"""*Many photos*: a name for each of hundreds of photos or of a folder, to filter, to open and to take away."""

import streamlit as st

from app.elements.model_choice import choose_model
from app.many.naming import MOST, name_uploads
from app.many.results import draw_results
from app.many.rows import forget_rows, rows
from flowers_core.inference.bundle import BundleError

FOLDER, FILES = "A folder", "Photos"

st.title("Many photos")
st.html(
    '<p class="lede">Give a folder of flower photos, or many at once. Each gets its own name; the table below can be '
    "filtered, opened photo by photo, and taken away. What is kept of a photo is a small copy, until you close the "
    "page.</p>"
)
with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
    way = st.segmented_control("Give", [FILES, FOLDER], default=FILES, required=True, key="give")
    st.space("stretch")
    with st.popover("Model", icon=":material/tune:"):
        bundle, numeric_format = choose_model()
files = st.file_uploader(
    "Many photos of flowers",
    accept_multiple_files="directory" if way == FOLDER else True,
    key=f"many-{way}-{st.session_state.get('many-uploads', 0)}",
    label_visibility="collapsed",
)
st.caption(f"Up to {MOST} photos here. On your own machine this line names as many as you have:")
st.code("flowers identify FOLDER --csv names.csv", language=None, width="content", wrap_lines=True)
try:
    name_uploads(files or [], bundle, numeric_format)
except BundleError as error:
    st.error(str(error), icon=":material/error:")
if found := rows():
    draw_results(found)
    st.button("Begin anew", icon=":material/delete:", key="many-forget", on_click=forget_rows)
