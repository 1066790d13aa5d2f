"""Whose answers are looked at: a model, its precision, and the photos it was asked about; in the page's address."""

from dataclasses import dataclass, replace

import streamlit as st

from app import resources
from app.elements.model_choice import choose_model
from flowers_core.evaluation.custom import OwnEvaluation
from flowers_core.evaluation.report import Predictions, Report, report
from flowers_core.inference.bundle import Bundle, model_file

OFFICIAL = "official test split"


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's answers to one set of photos. own: the photos of one's own that were asked about, if they were."""

    bundle: Bundle
    precision: str
    predictions: Predictions
    own: OwnEvaluation | None

    @property
    def name(self) -> str:
        """For the names of files made of it."""
        return f"{self.own.name if self.own else self.bundle.name}-{self.precision}"

    @property
    def report(self) -> Report:
        """The figures; of one's own photos, the classes that have any."""
        if self.own is None:
            return resources.report(self.bundle, self.precision)
        found = report(self.predictions, resources.temperature(self.bundle))
        return replace(found, rows=tuple(row for row in found.rows if row.support))

    @property
    def are_of_this_model(self) -> bool:
        """Whether the file that answered is the one the bundle holds now, as far as can be told."""
        now = self.bundle.digest(model_file(self.precision))
        return self.own is None or now is None or self.own.models.get(self.precision, now) == now


def choose_answers() -> Answers:
    """Model, photos where there are any but the official ones, and precision.

    Raises BundleError or PredictionsError where what was chosen cannot be read.
    """
    chosen: list[OwnEvaluation | None] = []

    def precisions_of(bundle: Bundle) -> tuple[str, ...]:
        chosen.append(_choose_photos(bundle))
        return chosen[0].precisions if chosen[0] else resources.evaluated_precisions(bundle)

    bundle, precision = choose_model(precisions_of)
    own = chosen[0]
    st.session_state[resources.LOOKED_AT] = own
    predictions = own.predictions(precision) if own else resources.predictions(bundle, precision)
    return Answers(bundle, precision, predictions, own)


def _choose_photos(bundle: Bundle) -> OwnEvaluation | None:
    evaluations = {evaluation.name: evaluation for evaluation in resources.evaluations(bundle)}
    if not evaluations:
        return None
    name = st.selectbox(
        "Photos",
        [OFFICIAL, *evaluations],
        key="photos",
        bind="query-params",
        width=280,
        help="Photos of your own are here once `python -m scripts.evaluate MODEL --photos DIR` has asked about them.",
        on_change=_first_page,
    )
    return evaluations.get(name or OFFICIAL)


def _first_page() -> None:
    st.session_state["page"] = 1
