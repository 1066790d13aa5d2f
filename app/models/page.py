"""*Models*: what each model weighs, how often it is right, how fast it is and how it was made. All from its record."""

import streamlit as st

from app.elements.localization import record_sentence, segmentation_note
from app.elements.metrics_table import (
    definition_list,
    draw_figures,
    duplicate_table,
    figure_table,
    near_copy_rules,
    recipe,
    speed_table,
)
from app.elements.model_choice import NO_MODEL
from app.models.accuracy_chart import accuracy_chart
from app.models.disagreements import draw_disagreements
from app.models.method_table import draw_methods
from app.resources import models, records

st.title("The models")
found = models.model_list()
for problem in found.problems:
    st.error(problem, icon=":material/error:")
if not found.bundles:
    st.info(NO_MODEL)
    st.stop()

st.html(
    '<p class="lede">Every figure is read from the record that travels with the model. Accuracies are those on the '
    "official test photos; top-1 counts every photo alike, the mean per class every class.</p>"
)
table = figure_table(found.bundles)
draw_figures(table, "Size, accuracy and speed of each model at each precision")
chart = accuracy_chart(table)
if chart is not None:
    st.header("Accuracy against size")
    st.altair_chart(chart, alt="Top-1 accuracy of each model over the size of its file; the table holds the figures")

duplicates = duplicate_table(found.bundles)
if not duplicates.empty:
    st.header("With and without duplicates")
    st.markdown(
        "Some test photos are byte for byte among the training or validation photos as well, and of some there is a "
        f"near copy. Without them the figures are these. {' '.join(near_copy_rules(found.bundles))}"
    )
    draw_figures(duplicates, "Accuracy with and without test photos of which a copy or near copy is in another split")

for bundle in found.bundles:
    speeds = speed_table(bundle)
    if speeds.empty:
        continue
    st.header(f"Speed of {bundle.name}")
    st.markdown(
        f"One photo at a time, measured in turns on: {bundle.latency.machine or 'a machine that was not noted'}."
    )
    draw_figures(speeds, f"Time that {bundle.name} takes for one photo, by the way it is run")

for bundle in found.bundles:
    methods = records.evaluated_methods(bundle)
    if methods is not None:
        st.header(f"Which map of {bundle.name} to trust")
        draw_methods(bundle.name, methods)

measured = {bundle.name: shares for bundle in found.bundles if (shares := records.localization(bundle))}
if measured:
    st.header("How much of the evidence is on the flower")
    for name, shares in measured.items():
        st.markdown(f"**{name}**: {record_sentence(shares)} {segmentation_note(shares)}")

st.header("Where two of them disagree")
st.markdown("The same test photo, two models or two precisions of one, two names: what each saw in it.")
draw_disagreements()

st.header("How they were made")
for bundle in found.bundles:
    with st.expander(bundle.name, expanded=len(found.bundles) == 1, icon=":material/science:"):
        st.html(definition_list(recipe(bundle)))
