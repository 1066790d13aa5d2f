"""What is asked about on *Identify*: a flower, perhaps against a second one, and by which method of drawing maps."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.elements.choices import choose_flower
from app.elements.method_readings import READINGS
from app.elements.words import listed
from app.identify.answer import close_rival
from app.identify.explaining import CLOSED_FORM, ClassOrContrast
from app.identify.identified import Identified
from app.resources import models, records
from app.resources.session import Inference
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.methods import METHODS, Method, Needs
from flowers_core.explain.records.methods import default_method
from flowers_core.inference.prediction import Prediction

# The flower that is asked about, and the one that it is held against: in the session's state and in the address.
EXPLAIN, AGAINST = "explain", "against"
_EXPLAINED = "explained"
_INSTALL = "pip install -r requirements.txt"


@dataclass(frozen=True, eq=False)
class Asked:
    """What a question is about.

    Attributes:
        identified: the photo and its answer.
        label: the flower that is asked about, from 1; the answer unless somebody chose another.
        rival: the flower that it is held against, from 1; None for none.
        method: how a map is drawn, where the question shows one.
    """

    identified: Identified
    label: int
    rival: int | None
    method: Method

    @property
    def target(self) -> ClassOrContrast:
        """The same, as methods take it."""
        return ClassTarget(self.label) if self.rival is None else ContrastTarget(self.label, self.rival)

    @property
    def likely_rival(self) -> int:
        """The flower that it is held against: the chosen one, or else the most probable of all others."""
        candidates = self.identified.prediction.candidates
        return self.rival or next(found.label for found in candidates if found.label != self.label)


def choose_target(identified: Identified, *, with_map: bool) -> Asked:
    """The flower to ask about, the one to hold it against, and for a map the method.

    Args:
        identified: the photo and its answer.
        with_map: whether the question shows a map.
    """
    inference, prediction = identified.inference, identified.prediction
    taxonomy = inference.bundle.taxonomy
    _begin_with_the_answer(identified)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        label = _choose_class(prediction, taxonomy)
        rival_place = st.container(width=250)
        method = _choose_method(inference) if with_map else CLOSED_FORM
    with rival_place:
        rival = _choose_rival(prediction, taxonomy, label, disabled=not method.contrasts)
    return Asked(identified, label, rival if method.contrasts and rival != label else None, method)


def _begin_with_the_answer(identified: Identified) -> None:
    """For another photo or model the answer is explained, not the class that was chosen for the one before: alone, or
    against the flower that the answer is undecided about."""
    subject = (identified.inference.photo.sha256, identified.inference.model_digest)
    before, rival = st.session_state.get(_EXPLAINED), close_rival(identified.prediction)
    if before is not None and before != subject:
        st.session_state[EXPLAIN] = identified.label
        st.session_state[AGAINST] = rival
    elif before is None and rival is not None and not {EXPLAIN, AGAINST} & {*st.query_params, *st.session_state}:
        st.session_state[AGAINST] = rival
    st.session_state[_EXPLAINED] = subject


def _choose_class(prediction: Prediction, taxonomy: Taxonomy) -> int:
    first = [candidate.label for candidate in prediction.top(5)]
    rest = sorted(set(range(1, len(taxonomy) + 1)) - set(first), key=lambda label: taxonomy[label].name)
    help_text = "The five most probable flowers come first, then all others. Type to search."
    chosen = choose_flower("What speaks for", first + rest, taxonomy, EXPLAIN, help=help_text, width=250)
    return chosen or first[0]


def _choose_rival(prediction: Prediction, taxonomy: Taxonomy, label: int, *, disabled: bool) -> int | None:
    return choose_flower(
        "Rather than",
        [candidate.label for candidate in prediction.candidates if candidate.label != label],
        taxonomy,
        AGAINST,
        anything="any other flower",
        help="Choose a second flower to see what tells the two apart. Some methods explain one flower at a time.",
        disabled=disabled,
        width=250,
    )


def _choose_method(inference: Inference) -> Method:
    has_keras = inference.bundle.has(models.CLASSIFIER_FILE)
    kept = [method for method in METHODS.values() if has_keras or method.needs is not Needs.KERAS]
    methods = {method.title: method for method in kept if models.is_installed(_package(method))}
    missing = [method.title for method in kept if method.title not in methods]
    first = METHODS[default_method(records.evaluated_methods(models.tested(inference.bundle)))]
    words = [f"**{method.title}**: {READINGS[method.name]}" for method in methods.values()]
    if missing:
        words.append(f"{listed(missing, 'and')} need packages that are not installed here: `{_INSTALL}` adds them.")
    chosen = st.selectbox(
        "Method",
        list(methods),
        index=list(methods).index(first.title),
        key="method",
        bind="query-params",
        filter_mode="contains",
        help="  \n".join(words),
        width=180,
    )
    return methods[chosen] if chosen else CLOSED_FORM


def _package(method: Method) -> str:
    """The package that a method needs beyond what serves; NumPy where it needs none."""
    return "tensorflow" if method.needs is Needs.KERAS else "lime" if method.name == "lime_reference" else "numpy"
