"""How a map comes about on *Identify*: at once where it is quick, on a click where it is not, and then remembered."""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.elements.method_readings import READINGS
from app.elements.turn import turn
from app.identify.superpixel_choice import draw_superpixels
from app.resources import bundle_files, models, session
from app.resources.session import Inference
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Explanation
from flowers_core.explain.lime.superpixels import Segmentation
from flowers_core.explain.methods import METHODS, Method, Needs
from flowers_core.explain.subject import Subject

ClassOrContrast = ClassTarget | ContrastTarget
CLOSED_FORM = METHODS["cam"]
# Fewer forward passes than this take no longer than the page does.
AT_ONCE = 16


def subject_of(inference: Inference, segmentation: Segmentation) -> Subject:
    """The photo and the model as the methods take them.

    Args:
        inference: the photo and what the model makes of it.
        segmentation: how LIME cuts the photo into superpixels.
    """
    runtime = models.runtime(inference.bundle, inference.numeric_format)
    return Subject(
        pixels=inference.seen.pixels,
        box=inference.seen.box,
        photo_size=(inference.photo.width, inference.photo.height),
        features=inference.forward.features[0],
        head=bundle_files.head(inference.bundle),
        logits=runtime.logits,
        feature_maps=runtime.features,
        forward=runtime.forward,
        temperature=models.temperature(inference.bundle),
        gradients=models.gradients(inference.bundle),
        segmentation=segmentation,
    )


def explain(
    inference: Inference, subject: Subject, method: Method, target: ClassOrContrast, taxonomy: Taxonomy
) -> Explanation | None:
    """The map of a photo by one method.

    Args:
        inference: the photo and what the model makes of it.
        subject: the photo and the model, as the methods take them.
        method: how to explain.
        target: the class, or the two classes, to explain.
        taxonomy: the classes' names.

    Returns:
        The map; None for a slow method, with a button on the page, until somebody asks for it.
    """
    if method is CLOSED_FORM:
        return method.explain(subject, target)  # costs less than to remember it
    key = _key(inference, subject, method, target)
    if method.needs is not Needs.KERAS and method.forward_passes <= AT_ONCE:
        return session.remember(key, lambda: method.explain(subject, target))
    found: Explanation | None = session.remembered(key)
    if found is not None:
        return found
    place = st.empty()
    with place.container():
        st.markdown(f"{READINGS[method.name]} {_how_slow(inference, method)}")
        if method.name == "lime":
            draw_superpixels(inference)
        title = f"Run {method.title} for {taxonomy[target.label].name}"
        if not st.button(title, icon=":material/play_arrow:", key=f"run-{method.name}"):
            return None
    found = session.remember(key, lambda: _run(subject, method, target, place))
    place.empty()
    return found


def known_explanations(inference: Inference, subject: Subject, target: ClassOrContrast) -> list[Explanation]:
    """The maps of this photo and target that have been computed, always with that of the closed form.

    Args:
        inference: the photo and what the model makes of it.
        subject: the photo and the model, as the methods take them.
        target: the class, or the two classes, to explain.
    """
    found = [session.remembered(_key(inference, subject, method, target)) for method in METHODS.values()]
    return [CLOSED_FORM.explain(subject, target), *(explanation for explanation in found if explanation)]


def _key(inference: Inference, subject: Subject, method: Method, target: ClassOrContrast) -> tuple[str, ...]:
    superpixels = (str(subject.segmentation),) if method.name == "lime" else ()
    return (method.name, inference.photo.sha256, inference.model_digest, str(target), *superpixels)


def _how_slow(inference: Inference, method: Method) -> str:
    """What the method costs, from the latencies that were measured for this model."""
    path = "keras tf.function" if method.needs is Needs.KERAS else f"{inference.numeric_format}, 1 thread"
    timing, passes = inference.bundle.latency.paths.get(path), method.forward_passes
    words = f"It takes up to {passes} looks at the photo" if passes > 3 else "It takes a moment"
    if method.name == "lime":
        words += " (more where there are over 32 pieces)"  # a balanced block of them
    seconds = passes * (timing.median_ms if timing else 0.0) / 1e3
    if seconds >= 1:
        words += f", about {seconds:.0f} s on the machine that was measured"
    return words + ("; the first time TensorFlow is loaded, some 10 s more." if method.needs is Needs.KERAS else ".")


def _run(subject: Subject, method: Method, target: ClassOrContrast, place: DeltaGenerator) -> Explanation:
    with place.container():
        bar = st.progress(0.0, f"{method.title}: getting ready …")
        # A click on anything ends the run; this is the thing to click on.
        st.button("Stop", icon=":material/stop:", key=f"stop-{method.name}")
    at_most = "at most " if method.name == "lime" else ""  # it ends once the strongest superpixels have converged
    with turn(bar, method.title):
        started = time.monotonic()

        def show_progress(done: int, total: int) -> None:
            if done:
                left = (time.monotonic() - started) / done * (total - done)
                looks = f"{done} of {at_most}{total} looks at the photo"
                bar.progress(done / total, f"{method.title}: {looks}, {at_most}{left:.0f} s left")

        return method.explain(subject, target, progress=show_progress)
