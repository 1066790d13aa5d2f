"""*Confusions*: where the model goes wrong on the test photos, from the whole matrix down to single photos."""

from html import escape

import streamlit as st

from app import resources
from app.confusions.calibration import draw_certainty
from app.confusions.class_report import draw_class_report, draw_worst_pairs
from app.confusions.matrix import draw_matrix
from app.confusions.mistakes import draw_mistakes
from app.confusions.model_comparison import draw_against
from app.confusions.predictions_choice import choose_answers
from app.elements.localization import offer_record
from app.elements.words import percent
from flowers_core.evaluation.report import PredictionsError, confusion_matrix
from flowers_core.inference.bundle import Bundle, BundleError
from flowers_core.retrieval.gallery import Gallery, GalleryError


def _gallery(bundle: Bundle) -> Gallery | None:
    try:
        return resources.gallery(bundle)
    except (BundleError, GalleryError):
        return None  # the mistakes stand without what resembles them


st.title("Where it goes wrong")
lede = st.empty()
try:
    answers = choose_answers()
except (BundleError, PredictionsError) as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

bundle, precision, predictions = answers.bundle, answers.precision, answers.predictions
taxonomy = resources.taxonomy()
report = answers.report
matrix = confusion_matrix(predictions)
wrong = int(matrix.sum() - matrix.trace())
whose = f"of your own, {escape(answers.own.name)}," if answers.own else "test photos"
lede.html(
    f'<p class="lede">Of {report.photos:,} {whose} {wrong:,} were given a wrong name. '
    f"{percent(report.top1)} are right, or {percent(report.balanced_accuracy)} when every class counts alike. "
    "Click a cell, or choose a row of a table, and see the photos behind it.</p>"
)
if answers.own and not answers.are_of_this_model:
    st.warning(
        f"These photos were shown to an earlier version of {bundle.name}; `python -m scripts.evaluate {bundle.name} "
        f"--photos {answers.own.photos}` asks this one.",
        icon=":material/update:",
    )
shares = None if answers.own else resources.flower_shares(bundle)
overview, photos = st.columns((8, 5), gap="large")
with overview:
    matrix_tab, pairs_tab, classes_tab, certainty_tab, against_tab = st.tabs(
        ["Matrix", "Pairs", "Classes", "How sure", "Compare"], key="view", bind="query-params"
    )
    with matrix_tab:
        draw_matrix(matrix, taxonomy)
    with pairs_tab:
        draw_worst_pairs(matrix, taxonomy, answers.name, shares)
    with classes_tab:
        draw_class_report(report, taxonomy, answers.name, shares)
        if shares is None and not answers.own:
            offer_record(bundle.name)
    with certainty_tab:
        draw_certainty(predictions, resources.temperature(bundle), answers.name)
    with against_tab:
        if answers.own:
            st.info("Models are compared on the official test split: choose it under Photos.")
        else:
            draw_against(bundle, precision, predictions, taxonomy)
with photos:
    draw_mistakes(bundle, precision, predictions, taxonomy, None if answers.own else _gallery(bundle), shares)
