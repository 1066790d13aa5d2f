"""How far to trust the map on screen: what the model itself does when the brightest parts are taken away."""

import time
from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.elements.localization import draw_share
from app.elements.turn import turn
from app.identify.identified import Identified
from app.resources import models, session
from app.resources.session import Inference
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ContrastTarget, Explanation, NeighbourTarget
from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.agreement import Agreement, agreement
from flowers_core.explain.metrics.faithfulness import Baselines, Faithfulness, measure
from flowers_core.explain.metrics.input_noise import with_input_noise
from flowers_core.explain.subject import Subject

LOOKS = 400
# A slower method is not run a second time: nobody asked for the wait.
MOST_LOOKS_AGAIN = 500
# Of the random maps, or the map is no better than chance (as at a level of 5 %).
LEAST_BEATEN = 0.95


def draw_trust(
    identified: Identified, subject: Subject, explanation: Explanation, known: Sequence[Explanation]
) -> None:
    """How far the map is to be trusted.

    A button that tests the map, or what the test found; how far other maps of the same target agree; and how much of
    the map lies on the flower.

    Args:
        identified: the photo, the model's answer and the neighbours.
        subject: the photo and the model, as the methods take them.
        explanation: the map.
        known: maps of the same photo and target; this one may be among them.
    """
    if not explanation.has_positive_evidence:
        return
    _draw_test(identified.inference, subject, explanation, known)
    if identified.photo is not None and identified.photo.source == "oxford":
        draw_share(
            identified.inference,
            explanation,
            identified.photo.id,
            _name(explanation, identified.inference.bundle.taxonomy),
        )


def deletion_sentence(found: Faithfulness, name: str) -> str:
    """What removing the brightest tenth does to the answer.

    Args:
        found: what the test found.
        name: of the flower.
    """
    whole, without, random = found.tenth
    # Chosen by the numbers as they are shown: "drops from 3 % to 3 %" would be odd.
    before, after = round(100 * whole), round(100 * without)
    if before == after:
        change = f"leaves “{name}” at {before} %"
    else:
        change = f"{'drops' if after < before else 'raises'} “{name}” from {before} % to {after} %"
    return f"Removing the 10 % brightest area {change}; random areas: {100 * random:.0f} %."


def verdict(found: Faithfulness) -> str:
    """How the map fares against random maps and the middle."""
    of = len(found.baselines.random)
    beaten = round(min(found.deletion_beats, found.insertion_beats) * of)
    if beaten < LEAST_BEATEN * of:
        return f"Do not lean on this map: it beats only {beaten} of {of} random maps."
    if not any(found.beats_centre):
        return f"It beats {beaten} of {of} random maps, but a map that only says “the middle” does as well."
    if not all(found.beats_centre):
        respect = "putting back" if found.beats_centre[0] else "taking away"
        return f"It beats {beaten} of {of} random maps, but for {respect} “the middle” would do as well."
    return f"It beats {beaten} of {of} random maps, and a map that only says “the middle”."


def _draw_test(inference: Inference, subject: Subject, explanation: Explanation, known: Sequence[Explanation]) -> None:
    key = ("trust", explanation.method, inference.photo.sha256, inference.model_digest, str(explanation.target))
    found: Faithfulness | None = session.remembered(key)
    if found is None:
        place = st.empty()
        if not place.button(
            "How far to trust this map?",
            icon=":material/fact_check:",
            key="trust",
            help=f"Takes the brightest parts of your photo away, and puts them into a blurred one, and watches the "
            f"model; then the same for maps that know nothing. About {LOOKS} looks at the photo.",
        ):
            return
        found = _measure(inference, subject, explanation, key, place.progress(0.0, "Taking the photo apart …"))
        place.empty()
    _draw_found(found, explanation, session.remembered((*key, "again")), inference.bundle.taxonomy)
    _draw_agreement(subject, explanation, known)


def _measure(
    inference: Inference, subject: Subject, explanation: Explanation, key: tuple[str, ...], bar: DeltaGenerator
) -> Faithfulness:
    """Measure the map, run its method again, and remember what was found of both under the key."""
    baselines_key = ("baselines", inference.photo.sha256, inference.model_digest, str(explanation.target))
    baselines: Baselines | None = session.remembered(baselines_key)
    with turn(bar, "The test of the map"):
        started = time.monotonic()

        def show_progress(done: int, total: int) -> None:
            left = (time.monotonic() - started) / max(1, done) * (total - done)
            bar.progress(done / total, f"{done} of {total} looks at the photo, {left:.0f} s left")

        found = session.remember(
            key, lambda: measure(subject, explanation, baselines=baselines, progress=show_progress)
        )
        session.remember(baselines_key, lambda: found.baselines)
        bar.progress(1.0, "Running the method again …")
        session.remember((*key, "again"), lambda: _run_again(inference, subject, explanation))
    return found


def _run_again(inference: Inference, subject: Subject, explanation: Explanation) -> Agreement | None:
    """The map's agreement with a second run on the photo with invisible noise; None where that would take too long."""
    method = METHODS[explanation.method]
    if method.forward_passes > MOST_LOOKS_AGAIN:
        return None
    noisy = with_input_noise(subject.pixels, seed=1)
    features = models.runtime(inference.bundle, inference.numeric_format).forward(noisy[None]).features[0]
    second = method.explain(subject.with_pixels(noisy, features), explanation.target, seed=1)
    return agreement(explanation, second, subject.pixels.shape[0])


def _draw_found(found: Faithfulness, explanation: Explanation, again: Agreement | None, taxonomy: Taxonomy) -> None:
    stable = ""
    if again is not None:
        stable = (
            " Run again on the photo with noise that no eye sees, it keeps "
            f"{100 * again.overlap:.0f} % of its brightest fifth (rank correlation {again.rank_correlation:.2f})."
        )
    st.markdown(f"{deletion_sentence(found, _name(explanation, taxonomy))} {verdict(found)}{stable}")
    random = found.baselines.random
    rows = {
        "this map": (found.curves.deletion_auc, found.curves.insertion_auc),
        "20 random maps, mean": (
            sum(curves.deletion_auc for curves in random) / len(random),
            sum(curves.insertion_auc for curves in random) / len(random),
        ),
        "a map of the middle": (found.baselines.centre.deletion_auc, found.baselines.centre.insertion_auc),
    }
    with st.expander("The numbers"):
        st.markdown(
            "The photo is taken away, brightest parts of the map first, and put into a blurred copy in the same order. "
            "What is shown is the mean probability on the way: low is good while it goes, high while it comes."
        )
        st.table(pd.DataFrame(rows, index=["while it goes", "while it comes"]).T.map("{:.2f}".format))


def _draw_agreement(subject: Subject, explanation: Explanation, known: Sequence[Explanation]) -> None:
    others = [other for other in known if other.method != explanation.method and other.has_positive_evidence]
    if not others:
        st.caption("Run another method, and it says here how far the two agree.")
        return
    said = []
    for other in others:
        alike = agreement(explanation, other, subject.pixels.shape[0])
        said.append(
            f"with {METHODS[other.method].title} {alike.rank_correlation:.2f} "
            f"(of the brightest fifth {100 * alike.overlap:.0f} % in common, 20 % by chance)"
        )
    st.caption(f"Rank correlation {'; '.join(said)}.")


def _name(explanation: Explanation, taxonomy: Taxonomy) -> str:
    target = explanation.target
    assert not isinstance(target, NeighbourTarget)
    name = taxonomy[target.label].name
    return f"{name} rather than {taxonomy[target.rival].name}" if isinstance(target, ContrastTarget) else name
