"""*Dataset*: the classes, how many photos each has in each split, and the photos of a class."""

import streamlit as st

from app.dataset.class_counts import SPLITS, TITLES, count_chart, count_table
from app.dataset.class_photos import CLASS, PHOTOS, draw_class_photos
from app.elements.choices import choose_one
from app.elements.csv_button import offer_csv
from app.elements.dataset_offer import offer_download
from app.elements.pagination import first_page
from app.elements.words import capital
from app.resources.data import data_set, labelled_photos
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.oxford import DESCRIPTION

st.title("What the models learned from")
own = isinstance(data_set().flowers, FolderDataset)
st.html(
    f'<p class="lede">{"Photos of your own, as their folders or their table name them." if own else DESCRIPTION}</p>'
)

photos = labelled_photos()
if photos is None:
    st.info("Neither the data set nor a model’s gallery is on this machine, so there is nothing to count yet.")
    offer_download("dataset", "The photos of the data set are not on this machine.")
    st.stop()

ids, labels, splits, taxonomy = photos.ids, photos.labels, photos.splits, photos.taxonomy
sizes = {split: int((splits == split).sum()) for split in SPLITS}
grid = st.grid(columns=6, min_column_width=140, gap="small")
grid.metric("Photos", f"{len(ids):,}")
grid.metric("Classes", len(taxonomy))
grid.metric("Families", len({taxon.known_family for taxon in taxonomy} - {None}))
for split in SPLITS:
    grid.metric(capital(TITLES[split]), f"{sizes[split]:,}")
if sizes["test"] > sizes["train"] > 0:
    st.warning(
        f"Mind the split: there are {sizes['test'] / sizes['train']:.0f} times as many test photos as training photos. "
        "Published results that train on the larger part are not comparable with those here.",
        icon=":material/balance:",
    )
if data_set().flowers is None:
    offer_download(
        "dataset",
        "The photos are not on this machine; the counts below come from the model’s own records.",
        photos.photo_set,
    )

VIEWS = {"classes": "The classes", "map": "Map", "state": "State of the data"}
view = choose_one("Show", VIEWS, "show")
if view == "map":
    from app.dataset.embedding_map import draw_map

    draw_map(photos)
    st.stop()
if view == "state":
    from app.dataset.audit import draw_audit

    draw_audit(photos)
    st.stop()


def _take_class() -> None:
    rows = st.session_state["counts"]["selection"]["rows"]
    if rows:
        st.session_state[CLASS] = int(table.loc[rows[0], "number"])
        first_page(PHOTOS)


st.header("Classes")
table = count_table(labels, splits, taxonomy)
st.altair_chart(
    count_chart(table), alt="Number of photos of each class by split, largest class first; the table holds the counts"
)
st.dataframe(
    table,
    hide_index=True,
    height=380 if len(table) > 9 else "content",
    key="counts",
    on_select=_take_class,
    selection_mode="single-row",
    column_config={
        "number": st.column_config.NumberColumn("no.", width="small"),
        "class": st.column_config.TextColumn(pinned=True),
        **{TITLES[split]: st.column_config.NumberColumn(width="small") for split in SPLITS},
        "all": st.column_config.NumberColumn("in all", width="small"),
    },
    alt="The classes with their botanical names and numbers of photos",
)
offer_csv(table, "classes.csv")

st.header("Photos of a class")
draw_class_photos(photos)
