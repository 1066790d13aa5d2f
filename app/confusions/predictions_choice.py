"""Whose predictions are looked at: a model, its photos, and a numeric format; kept in the page's address."""

from dataclasses import dataclass, replace

import streamlit as st

from app.confusions.pair_choice import MISTAKES
from app.elements.model_choice import choose_bundle, choose_format
from app.elements.pagination import first_page
from app.elements.sibling_note import draw_tested
from app.resources import data, models, records
from flowers_core.evaluation.custom import CustomTestSet
from flowers_core.evaluation.predictions import Predictions
from flowers_core.evaluation.report import Report, report
from flowers_core.inference.bundle import Bundle, model_file

OFFICIAL = "official test split"


@dataclass(frozen=True, eq=False)
class ChosenPredictions:
    """A model's predictions for one set of photos.

    Attributes:
        bundle: the model.
        numeric_format: its format.
        predictions: for these photos.
        test_set: the custom test set that the photos are from; None for the official test photos.
    """

    bundle: Bundle
    numeric_format: str
    predictions: Predictions
    test_set: CustomTestSet | None

    @property
    def name(self) -> str:
        """For the names of files made of it."""
        return f"{self.test_set.name if self.test_set else self.bundle.name}-{self.numeric_format}"

    @property
    def report(self) -> Report:
        """The figures; of a custom test set, those of the classes that have any photos."""
        if self.test_set is None:
            return records.report(self.bundle, self.numeric_format)
        found = report(self.predictions, models.temperature(self.bundle))
        return replace(found, rows=tuple(row for row in found.rows if row.support))

    @property
    def are_of_this_model(self) -> bool:
        """Whether the file that predicted is the one that the bundle holds now, as far as can be told."""
        if self.test_set is None or not self.bundle.has(model_file(self.numeric_format)):
            return True
        now = models.model_digest(self.bundle, self.numeric_format)
        return self.test_set.models.get(self.numeric_format, now) == now


def choose_predictions() -> ChosenPredictions:
    """Model, photos where there are any but the official ones, and numeric format.

    Raises:
        FlowersError: where what was chosen cannot be read.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = choose_bundle()
        test_set = _choose_test_set(chosen)
        bundle = chosen if test_set else models.tested(chosen)
        formats = test_set.precisions if test_set else records.evaluated_formats(bundle)
        if not formats and "test" in bundle.fitted_splits:
            st.info(f"{bundle.name} has learnt from the test photos, which therefore cannot test it.")
            st.stop()
        numeric_format = choose_format(bundle, formats)
    if not test_set:
        draw_tested(chosen)
    predictions = test_set.predictions(numeric_format) if test_set else records.predictions(bundle, numeric_format)
    return ChosenPredictions(bundle, numeric_format, predictions, test_set)


def _choose_test_set(bundle: Bundle) -> CustomTestSet | None:
    test_sets = {found.name: found for found in data.custom_test_sets() if found.bundle == bundle.name}
    if not test_sets:
        return None
    name = st.selectbox(
        "Photos",
        [OFFICIAL, *test_sets],
        key="photos",
        bind="query-params",
        width=280,
        help="Photos of your own are here once `flowers evaluate MODEL --photos DIR` has asked about them.",
        on_change=first_page,
        args=(MISTAKES,),
    )
    return test_sets.get(name or OFFICIAL)
