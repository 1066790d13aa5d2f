"""*Models*: what each model weighs, how often it is right, how fast it is and how it was made. All from its record."""

import streamlit as st

from app import resources
from app.widgets.accuracy_chart import accuracy_chart
from app.widgets.figures import definition_list, duplicate_table, figure_table, recipe
from app.widgets.model_choice import NO_MODEL

st.title("The models")
shelf = resources.shelf()
for problem in shelf.problems:
    st.error(problem, icon=":material/error:")
if not shelf.bundles:
    st.info(NO_MODEL)
    st.stop()

st.html(
    '<p class="lede">Every figure is read from the record that travels with the model. Accuracies are those on the '
    "official test photos; top-1 counts every photo alike, the mean per class every class.</p>"
)
table = figure_table(shelf.bundles)
st.dataframe(
    table,
    hide_index=True,
    column_config={
        "model": st.column_config.TextColumn(pinned=True),
        "megabytes": st.column_config.NumberColumn("MB", format="%.1f", help="Size of the model’s file"),
        "top-1": st.column_config.NumberColumn(
            help="Share of test photos whose first answer is right", format="percent"
        ),
        "mean per class": st.column_config.NumberColumn(
            help="The same for each class, then averaged", format="percent"
        ),
        "top-5": st.column_config.NumberColumn(
            help="Share with the right answer among the first five", format="percent"
        ),
        "calibration error": st.column_config.NumberColumn(
            help="How far stated probabilities are from how often they come true, on average", format="percent"
        ),
        "milliseconds": st.column_config.NumberColumn("ms a photo", format="%.1f", help="On the machine named below"),
        "training photos": st.column_config.NumberColumn(help="Photos whose labels the model was fitted to"),
    },
    alt="Size, accuracy and speed of each model at each precision",
)
for bundle in shelf.bundles:
    machine = bundle.latency.get("machine")
    if machine:
        st.caption(f"{bundle.name}: milliseconds measured on {machine}.")

chart = accuracy_chart(table)
if chart is not None:
    st.header("Accuracy against size")
    st.altair_chart(
        chart, alt="Top-1 accuracy of each model over the size of its file; the table above holds the figures"
    )

twins = duplicate_table(shelf.bundles)
if not twins.empty:
    st.header("With and without duplicates")
    st.markdown(
        "Some test photos are byte for byte in the training or validation photos as well. "
        "Left out, the figures change by this much."
    )
    st.dataframe(
        twins,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="percent") for name in twins.columns if "top-1" in name
        }
        | {name: st.column_config.NumberColumn(format="percent") for name in twins.columns if "class" in name},
        alt="Accuracy with and without test photos that are also in another split",
    )

st.header("How they were made")
for bundle in shelf.bundles:
    with st.expander(bundle.name, expanded=len(shelf.bundles) == 1, icon=":material/science:"):
        st.html(definition_list(recipe(bundle)))
