"""The part of *Identify* that shows why: which class to explain, by which method, and the map itself."""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import resources
from app.elements.heatmap import draw_heatmap, reading
from app.elements.method_readings import READINGS
from app.elements.words import listed
from app.identify.answer import close_rival
from app.identify.downloads import offer_files
from app.identify.faithfulness import draw_trust
from app.identify.side_by_side import draw_side_by_side
from app.identify.superpixel_choice import choose_pieces, chosen_pieces, draw_pieces
from app.resources import Look
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Explanation, NeighbourTarget, Target
from flowers_core.explain.methods import METHODS, Method, Needs
from flowers_core.explain.records.methods import default_method
from flowers_core.explain.subject import Subject
from flowers_core.inference.prediction import Prediction
from flowers_core.reports.default_method import default_sentence

CLOSED_FORM = METHODS["cam"]
_INSTALL = "pip install -r requirements.txt"
# Fewer looks than this take no longer than the page does.
AT_ONCE_LOOKS = 16


@st.fragment
def draw_why(look: Look, prediction: Prediction, photo_id: int | None) -> None:
    """Choices, map and how to read it. Only this part runs again when one of its controls moves.

    photo_id: the photo's own, when it is of the data set.
    """
    taxonomy = resources.taxonomy()
    _begin_with_the_answer(look, prediction)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        label = _choose_class(prediction, taxonomy)
        rival_place = st.container(width=250)
        method = _choose_method(look)
        opacity = st.slider("Opacity of the map", 0, 100, 70, 5, format="%d %%", key="opacity", width=140)
        threshold = st.slider(
            "Hide the weakest",
            0,
            100,
            0,
            5,
            format="%d %%",
            key="threshold",
            width=140,
            help="Leaves out what is weaker than this share of the strongest spot.",
        )
    with rival_place:
        rival = _choose_rival(prediction, taxonomy, label, disabled=not method.contrasts)
    target = _target(label, rival if method.contrasts else None)
    if method.name == "lime":
        choose_pieces()
    explanation = _quick(look, method, target) if _is_quick(method) else _slow(look, method, target)
    if explanation is None:
        return
    outlines = explanation.superpixels is not None and st.toggle("Outline the pieces", value=True, key="outlines")
    draw_heatmap(resources.shown_pixels(look.photo), explanation, taxonomy, opacity / 100, threshold / 100, outlines)
    st.markdown(reading(explanation, taxonomy))
    record = resources.evaluated_methods(look.bundle)
    if record is not None and method.name == default_method(record):
        st.caption(f"{default_sentence(record)} *Models* has the table.")
    known = _known(look, target)
    draw_trust(look, _subject(look), explanation, known, photo_id)
    draw_side_by_side(resources.shown_pixels(look.photo), known, opacity / 100, threshold / 100)
    offer_files(look.photo, explanation, opacity / 100, threshold / 100)


def _begin_with_the_answer(look: Look, prediction: Prediction) -> None:
    """For another photo or model the answer is explained, not the class that was chosen for the one before: alone, or
    against the flower that the answer is undecided about."""
    subject = (look.photo.sha256, look.model_digest)
    before, rival = st.session_state.get("explained"), close_rival(prediction)
    if before is not None and before != subject:
        st.session_state["explain"] = prediction.candidates[0].label
        st.session_state["against"] = rival
    elif before is None and rival is not None and not {"explain", "against"} & {*st.query_params, *st.session_state}:
        st.session_state["against"] = rival
    st.session_state["explained"] = subject


def _choose_class(prediction: Prediction, taxonomy: Taxonomy) -> int:
    first = [candidate.label for candidate in prediction.top(5)]
    rest = sorted(set(range(1, len(taxonomy) + 1)) - set(first), key=lambda label: taxonomy[label].name)
    chosen = st.selectbox(
        "What speaks for",
        first + rest,
        format_func=lambda label: taxonomy[label].name,
        key="explain",
        bind="query-params",
        filter_mode="contains",
        help="The five most probable flowers come first, then all others. Type to search.",
        width=250,
    )
    return chosen or first[0]


def _choose_rival(prediction: Prediction, taxonomy: Taxonomy, label: int, *, disabled: bool) -> int | None:
    rivals = [candidate.label for candidate in prediction.candidates if candidate.label != label]
    return st.selectbox(
        "Rather than",
        rivals,
        index=None,
        format_func=lambda rival: taxonomy[rival].name,
        key="against",
        bind="query-params",
        placeholder="any other flower",
        filter_mode="contains",
        help="Choose a second flower to see what tells the two apart. Some methods explain one flower at a time.",
        disabled=disabled,
        width=250,
    )


def _choose_method(look: Look) -> Method:
    has_keras = look.bundle.has("classifier.keras")
    kept = [method for method in METHODS.values() if has_keras or method.needs is not Needs.KERAS]
    methods = {method.title: method for method in kept if resources.is_installed(_package(method))}
    missing = [method.title for method in kept if method.title not in methods]
    first = METHODS[default_method(resources.evaluated_methods(look.bundle))]
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


def _target(label: int, rival: int | None) -> ClassTarget | ContrastTarget:
    return ClassTarget(label) if rival is None or rival == label else ContrastTarget(label, rival)


def _subject(look: Look) -> Subject:
    runtime = resources.runtime(look.bundle, look.precision)
    return Subject(
        pixels=look.seen.pixels,
        box=look.seen.box,
        photo_size=(look.photo.width, look.photo.height),
        features=look.forward.features[0],
        head=resources.head(look.bundle),
        logits=runtime.logits,
        feature_maps=runtime.features,
        forward=runtime.forward,
        temperature=resources.temperature(look.bundle),
        gradients=resources.gradients(look.bundle),
        segmentation=chosen_pieces(),
    )


def _key(look: Look, method: Method, target: Target) -> tuple[str, ...]:
    pieces = (str(chosen_pieces()),) if method.name == "lime" else ()
    return (method.name, look.photo.sha256, look.model_digest, str(target), *pieces)


def _known(look: Look, target: Target) -> list[Explanation]:
    """The maps of this photo and target that are there, that of the closed form always among them."""
    found = [resources.remembered(_key(look, method, target)) for method in METHODS.values()]
    return [CLOSED_FORM.explain(_subject(look), target), *(explanation for explanation in found if explanation)]


def _is_quick(method: Method) -> bool:
    return method.needs is not Needs.KERAS and method.forward_passes <= AT_ONCE_LOOKS


def _quick(look: Look, method: Method, target: Target) -> Explanation:
    """A map that nobody has to ask for. The closed form's costs less than to remember it."""
    if method is CLOSED_FORM:
        return method.explain(_subject(look), target)
    return resources.remember(_key(look, method, target), lambda: method.explain(_subject(look), target))


def _slow(look: Look, method: Method, target: Target) -> Explanation | None:
    """The map when it is known or asked for now; else a button: nobody should spend time unasked."""
    key = _key(look, method, target)
    found = resources.remembered(key)
    if found is not None:
        return found
    place = st.empty()
    with place.container():
        st.markdown(f"{READINGS[method.name]} {_how_slow(look, method)}")
        if method.name == "lime":
            draw_pieces(look)
        name = resources.taxonomy()[target.label].name if not isinstance(target, NeighbourTarget) else ""
        if not st.button(f"Run {method.title} for {name}", icon=":material/play_arrow:", key=f"run-{method.name}"):
            return None
    explanation = resources.remember(key, lambda: _run(look, method, target, place))
    place.empty()
    return explanation


def _how_slow(look: Look, method: Method) -> str:
    """What the method costs, from the latencies that were measured for this model."""
    paths = look.bundle.latency.paths
    timing = paths.get("keras tf.function" if method.needs is Needs.KERAS else f"{look.precision}, 1 thread")
    passes = method.forward_passes
    words = f"It takes up to {passes} looks at the photo" if passes > 3 else "It takes a moment"
    if method.name == "lime":
        words += " (more where there are over 32 pieces)"  # a balanced block of them
    seconds = passes * (timing.median_ms if timing else 0.0) / 1e3
    if seconds >= 1:
        words += f", about {seconds:.0f} s on the machine that was measured"
    return words + ("; the first time TensorFlow is loaded, some 10 s more." if method.needs is Needs.KERAS else ".")


def _run(look: Look, method: Method, target: Target, place: DeltaGenerator) -> Explanation:
    with place.container():
        bar = st.progress(0.0, f"{method.title}: getting ready …")
        # A click on anything ends the run; this is the thing to click on.
        st.button("Stop", icon=":material/stop:", key=f"stop-{method.name}")
    at_most = "at most " if method.name == "lime" else ""  # it ends once the strongest pieces are settled
    started = time.monotonic()

    def show_progress(done: int, total: int) -> None:
        if done:
            left = (time.monotonic() - started) / done * (total - done)
            looks = f"{done} of {at_most}{total} looks at the photo"
            bar.progress(done / total, f"{method.title}: {looks}, {at_most}{left:.0f} s left")

    return method.explain(_subject(look), target, progress=show_progress)
