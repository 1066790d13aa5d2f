"""The part of *Identify* that shows why: which class to explain, by which method, and the map itself."""

import streamlit as st

from app.elements.choices import choose_flower
from app.elements.heatmap import draw_heatmap, reading
from app.elements.method_readings import READINGS
from app.elements.words import listed
from app.identify.answer import close_rival
from app.identify.downloads import offer_files
from app.identify.explaining import CLOSED_FORM, explain, known_explanations, subject_of
from app.identify.faithfulness import draw_trust
from app.identify.identified import Identified
from app.identify.side_by_side import draw_side_by_side
from app.identify.superpixel_choice import choose_superpixels, chosen_superpixels
from app.resources import models, records, session
from app.resources.session import Inference
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.methods import METHODS, Method, Needs
from flowers_core.explain.records.methods import default_method
from flowers_core.inference.prediction import Prediction
from flowers_core.reports.default_method import default_sentence

# The flower that is explained, and the one that it is held against: in the session's state and in the address.
EXPLAIN, AGAINST = "explain", "against"
_EXPLAINED = "explained"
_INSTALL = "pip install -r requirements.txt"


@st.fragment
def draw_why(identified: Identified) -> None:
    """Choices, map and how to read it. Only this part runs again when one of its controls moves."""
    inference, prediction, taxonomy = identified.inference, identified.prediction, models.taxonomy()
    _begin_with_the_answer(identified)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        label = _choose_class(prediction, taxonomy)
        rival_place = st.container(width=250)
        method = _choose_method(inference)
        opacity = _choose_share("Opacity of the map", 70, "opacity")
        threshold = _choose_share(
            "Hide the weakest", 0, "threshold", "Leaves out what is weaker than this share of the strongest spot."
        )
    with rival_place:
        rival = _choose_rival(prediction, taxonomy, label, disabled=not method.contrasts)
    target = _target(label, rival if method.contrasts else None)
    if method.name == "lime":
        choose_superpixels()
    subject = subject_of(inference, chosen_superpixels())
    explanation = explain(inference, subject, method, target, taxonomy)
    if explanation is None:
        return
    outlines = explanation.superpixels is not None and st.toggle("Outline the pieces", value=True, key="outlines")
    pixels = session.shown_pixels(inference.photo)
    draw_heatmap(pixels, explanation, taxonomy, opacity, threshold, outlines)
    st.markdown(reading(explanation, taxonomy))
    record = records.evaluated_methods(inference.bundle)
    if record is not None and method.name == default_method(record):
        st.caption(f"{default_sentence(record)} *Models* has the table.")
    known = known_explanations(inference, subject, target)
    draw_trust(identified, subject, explanation, known)
    draw_side_by_side(pixels, known, opacity, threshold)
    offer_files(inference.photo, explanation, opacity, threshold)


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
    first = METHODS[default_method(records.evaluated_methods(inference.bundle))]
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


def _choose_share(label: str, default: int, key: str, help_text: str | None = None) -> float:
    """A slider in per cent; returns a fraction in [0, 1]."""
    return st.slider(label, 0, 100, default, 5, format="%d %%", key=key, width=140, help=help_text) / 100


def _target(label: int, rival: int | None) -> ClassTarget | ContrastTarget:
    return ClassTarget(label) if rival is None or rival == label else ContrastTarget(label, rival)
