"""*Confusions*: where the model goes wrong on the test photos, from the whole matrix down to single photos."""

from html import escape

import streamlit as st

from app.confusions.calibration import draw_calibration
from app.confusions.class_report import draw_class_report, draw_worst_pairs
from app.confusions.matrix import draw_matrix
from app.confusions.mistakes import draw_mistakes
from app.confusions.model_comparison import draw_comparison
from app.confusions.predictions_choice import choose_predictions
from app.elements.localization import offer_record
from app.resources import models, records
from flowers_core.errors import FlowersError
from flowers_core.evaluation.confusion_matrix import confusion_matrix

st.title("Where it goes wrong")
lede = st.empty()
try:
    chosen = choose_predictions()
except FlowersError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

bundle, test_set = chosen.bundle, chosen.test_set
taxonomy = bundle.taxonomy
report = chosen.report
matrix = confusion_matrix(chosen.predictions)
wrong = int(matrix.sum() - matrix.trace())
were = "was" if wrong == 1 else "were"
whose = f"of your own, {escape(test_set.name)}," if test_set else "test photos"
lede.html(
    f'<p class="lede">Of {report.photos:,} {whose} {wrong:,} {were} given a wrong name. '
    f"{100 * report.top1:.1f}&nbsp;% are right, or {100 * report.balanced_accuracy:.1f}&nbsp;% when every class counts "
    "alike. Click a cell, or choose a row of a table, and see the photos behind it.</p>"
)
if test_set and not chosen.are_of_this_model:
    st.warning(
        f"These photos were shown to an earlier version of {bundle.name}; `flowers evaluate {bundle.name} "
        f"--photos {test_set.photos}` asks this one.",
        icon=":material/update:",
    )
confidence = None if test_set else bundle.manifest.confidence
recorded = confidence.figures.get("test", {}) if confidence else {}
localization = None if test_set else records.localization(bundle)
overview, photos = st.columns((8, 5), gap="large")
with overview:
    matrix_tab, pairs_tab, classes_tab, calibration_tab, comparison_tab = st.tabs(
        ["Matrix", "Pairs", "Classes", "How sure", "Compare"], key="view", bind="query-params"
    )
    with matrix_tab:
        draw_matrix(matrix, taxonomy)
    with pairs_tab:
        draw_worst_pairs(matrix, taxonomy, chosen.name, localization)
    with classes_tab:
        draw_class_report(report, taxonomy, chosen.name, localization)
        if localization is None and not test_set:
            offer_record(bundle.name)
    with calibration_tab:
        draw_calibration(chosen.predictions, models.temperature(bundle), chosen.name, recorded)
    with comparison_tab:
        if test_set:
            st.info("Models are compared on the official test split: choose it under Photos.")
        else:
            draw_comparison(bundle, chosen.numeric_format, chosen.predictions, taxonomy)
with photos:
    draw_mistakes(chosen, taxonomy, localization)
