"""*Models*: what each model weighs and how often it is right; then one of them in depth. All from its record."""

import streamlit as st

from app.elements.metrics_table import draw_figures, figure_table
from app.elements.model_choice import NO_MODEL, choose_among
from app.elements.sibling_note import draw_tested
from app.models.accuracy_chart import accuracy_chart
from app.models.disagreements import draw_disagreements
from app.models.in_depth import draw_accuracy, draw_card, draw_explanations, draw_speed, draw_training
from app.models.unknown import draw_unknown
from app.models.upload import draw_upload
from app.resources import bundle_files, models
from flowers_core.data.photo_ref import OXFORD

TABS = ["Accuracy", "Unknown", "Speed", "Training", "Maps", "Compare", "Card"]

st.title("The models")
found = models.model_list()
for problem in found.problems:
    st.error(problem, icon=":material/error:")
if not found.bundles:
    st.info(NO_MODEL)
    st.stop()

st.html(
    '<p class="lede">Every figure is read from the record that travels with the model. Accuracies are those on the '
    "test photos of the model's data set; top-1 counts every photo alike, the mean per class every class.</p>"
)
table = figure_table(found.bundles)
shipped = table[table["precision"] == bundle_files.PREFERRED_FORMAT]
draw_figures(shipped if len(shipped) else table, "Size, accuracy and speed of each model as it is shipped")
for model in found.bundles:
    draw_tested(model)
chart = accuracy_chart(table, published=any(bundle.photo_set == OXFORD for bundle in found.bundles))
if chart is not None:
    st.subheader("Accuracy against size")
    st.altair_chart(chart, alt="Top-1 accuracy of each model over the size of its file; the tables hold the figures")

draw_upload()

st.header("One model in depth")
bundle = choose_among(found.bundles)
accuracy, unknown, speed, training, explanations, disagreements, card = st.tabs(TABS, key="depth", bind="query-params")
with accuracy:
    draw_accuracy(draw_tested(bundle), table)
with unknown:
    draw_unknown(draw_tested(bundle))
with speed:
    draw_speed(bundle)
with training:
    draw_training(bundle)
with explanations:
    draw_explanations(draw_tested(bundle))
with disagreements:
    draw_disagreements(draw_tested(bundle))
with card:
    draw_card(bundle)
