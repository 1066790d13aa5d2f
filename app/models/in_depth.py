"""One model in depth: a part of the page *Models* for each question about it."""

import pandas as pd
import streamlit as st

from app.elements.localization import record_sentence, segmentation_note
from app.elements.metrics_table import (
    definition_list,
    draw_figures,
    duplicate_table,
    near_copy_rules,
    recipe,
    speed_table,
)
from app.models.learning_curve import learning_curve
from app.models.method_table import draw_method_table, draw_methods
from app.resources import records
from flowers_core.inference.archive import describe_origin
from flowers_core.inference.bundle import Bundle


def draw_accuracy(bundle: Bundle, table: pd.DataFrame) -> None:
    """Every numeric format of a model, and the figures without duplicates.

    Args:
        bundle: the model.
        table: of all models, as `metrics_table.figure_table` gives it.
    """
    draw_figures(table[table["model"] == bundle.name], f"Size, accuracy and speed of {bundle.name} in each precision")
    duplicates = duplicate_table((bundle,))
    if duplicates.empty:
        return
    st.subheader("With and without duplicates")
    st.markdown(
        "Some test photos are byte for byte among the training or validation photos as well, and of some there is a "
        f"near copy. Without them the figures are these. {near_copy_rules((bundle,))}"
    )
    draw_figures(duplicates, "Accuracy with and without test photos of which a copy or near copy is in another split")


def draw_speed(bundle: Bundle) -> None:
    """Every way to run a model that was timed."""
    speeds = speed_table(bundle.latency)
    if speeds.empty:
        st.info(f"The speed of {bundle.name} was not measured.")
        return
    st.markdown(f"One photo at a time, measured in turns on: {bundle.latency.processor}.")
    draw_figures(speeds, f"Time that {bundle.name} takes for one photo, by the way it is run")
    for latency in bundle.manifest.latency_elsewhere.values():
        st.markdown(f"The same on another kind of processor: {latency.processor}.")
        draw_figures(speed_table(latency), f"Time that {bundle.name} takes on {latency.processor}")


def draw_training(bundle: Bundle) -> None:
    """How the accuracy grew from epoch to epoch."""
    history = records.history(bundle)
    chart = learning_curve(history) if history else None
    if chart is None:
        st.info(f"{bundle.name} comes without a record of its epochs.")
        return
    st.altair_chart(chart, alt=f"Accuracy and learning rate of {bundle.name}, epoch by epoch")
    st.caption("The recipe is under *Card*.")


def draw_explanations(bundle: Bundle) -> None:
    """Which map of a model to trust, and how much of its evidence lies on the flower."""
    methods, localized = records.evaluated_methods(bundle), records.localization(bundle)
    if methods is not None:
        draw_methods(bundle.name, methods)
    off_centre = records.evaluated_methods(bundle, off_centre=True)
    if off_centre is not None:
        st.subheader("Flowers off the centre")
        st.markdown(
            f"{off_centre.photos} test photos, cut so that their middle lies near a corner, and with it most flowers. "
            "A map of the photo’s middle is of little use there."
        )
        draw_method_table(bundle.name, off_centre)
    if localized is not None:
        st.subheader("How much of the evidence is on the flower")
        st.markdown(f"{record_sentence(localized)} {segmentation_note(localized)}")
    if methods is None and localized is None:
        st.info(f"The maps of {bundle.name} were not measured.")


def draw_card(bundle: Bundle) -> None:
    """From which data and with which versions a model was made, and how, choice by choice."""
    st.markdown(describe_origin(bundle.manifest))
    st.html(definition_list(recipe(bundle)))
