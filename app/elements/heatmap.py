"""A heat map over its photo, with a legend and a sentence that says how to read it."""

from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.elements.map_words import map_words
from app.elements.method_readings import READINGS
from app.elements.photo_grid import draw_photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import Box, ClassTarget, ContrastTarget, Explanation
from flowers_core.explain.overlay import dim_outside, draw, legend, outline

Pixels = NDArray[np.uint8]
# How much is shown around what the model saw, as a share of its side. A photo of 3 : 2 is shown whole.
MARGIN = 0.25
TALLEST = 600


def around(pixels: Pixels, box: Box, photo_size: tuple[int, int]) -> tuple[Pixels, Box]:
    """The part of a photo that is worth showing: what the model saw, and MARGIN around it.

    The rest of a panorama or of a tall photo would only make the map small.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo at any size.
        box: left, top, right, bottom of what the model saw, in pixels of the photo at its own size.
        photo_size: (width, height) of the photo at its own size.

    Returns:
        The part, and the box in its pixels.
    """
    height, width = pixels.shape[:2]
    across, down = width / photo_size[0], height / photo_size[1]
    left, top, right, bottom = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    margin = MARGIN * min(right - left, bottom - top)
    x0, y0 = max(0, round(left - margin)), max(0, round(top - margin))
    x1, y1 = min(width, round(right + margin)), min(height, round(bottom + margin))
    return pixels[y0:y1, x0:x1], (left - x0, top - y0, right - x0, bottom - y0)


def close_up(pixels: Pixels, explanation: Explanation) -> tuple[Pixels, Explanation]:
    """As `around`, with the map in the part's frame.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo at any size.
        explanation: the map.
    """
    part, box = around(pixels, explanation.box, explanation.photo_size)
    return part, replace(explanation, box=box, photo_size=(part.shape[1], part.shape[0]))


def draw_heatmap(
    pixels: Pixels, explanation: Explanation, taxonomy: Taxonomy, opacity: float, threshold: float, outlines: bool
) -> None:
    """The photo beside itself with the map laid over.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo as shown.
        explanation: the map.
        taxonomy: the classes' names.
        opacity: of the map, 0…1.
        threshold: 0…1; what is weaker than this fraction of the map's strongest is left out.
        outlines: whether to draw the borders of superpixels.
    """
    pixels, explanation = close_up(pixels, explanation)
    whole = _sees_all(explanation)
    plain = pixels if whole else dim_outside(pixels, explanation.box)
    painted = draw(pixels, explanation, opacity, threshold=threshold)
    superpixels = explanation.photo_superpixels()
    if outlines and superpixels is not None:
        plain, painted = outline(plain, superpixels), outline(painted, superpixels)
    subject = _subject(explanation, taxonomy)
    left, right = st.columns(2, gap="small")
    with left:
        caption = "Your photo" if whole else "Your photo; the model sees only the square"
        draw_photo(plain, caption, "The photo without the map", TALLEST)
    with right:
        words = "; ".join(filter(None, (subject, map_words(explanation, taxonomy))))
        draw_photo(painted, subject, f"The photo with a heat map laid over it: {words}", TALLEST)
    _draw_legend(explanation, opacity, taxonomy)


def reading(explanation: Explanation, taxonomy: Taxonomy) -> str:
    """One sentence on what the colours say.

    Args:
        explanation: the map.
        taxonomy: the classes' names.
    """
    target = explanation.target
    if isinstance(target, ContrastTarget):
        one, other = taxonomy[target.label].name, taxonomy[target.rival].name
        ahead = one if explanation.value > 0 else other
        colours = f"Orange speaks for {one}, blue for {other}."
        if explanation.unit != "logit":
            return colours
        return f"{colours} All in all the photo speaks more for {ahead}, by {abs(explanation.value):.1f} logits."
    assert isinstance(target, ClassTarget)
    name = taxonomy[target.label].name
    if not explanation.has_positive_evidence:
        return f"Nothing in this photo speaks for {name}, so there is nothing to draw."
    if explanation.method == "lime":
        settings = explanation.settings
        return (
            f"The brighter a piece, the more it raises the odds of {name} when it is shown rather than hidden. "
            f"Learned from {settings['samples']} partly hidden copies of the photo in {explanation.seconds:.1f} s; "
            f"this simple model accounts for {100 * max(0.0, float(settings['r2_left_out'])):.0f} % "
            "of what the real one did."
        )
    if explanation.method == "cam":
        return f"The brighter a spot, the more of the evidence for {name} comes from it."
    if explanation.method == "zoomed_cam":
        return (
            f"The brighter a spot, the more it speaks for {name} rather than for its rivals, in the whole photo and in "
            f"{explanation.settings['parts']} enlarged parts of it."
        )
    return f"{READINGS[explanation.method]} This is about {name}; it took {explanation.seconds:.1f} s."


def _subject(explanation: Explanation, taxonomy: Taxonomy) -> str:
    target = explanation.target
    if isinstance(target, ContrastTarget):
        return f"What speaks for {taxonomy[target.label].name} rather than {taxonomy[target.rival].name}"
    assert isinstance(target, ClassTarget)
    return f"What speaks for {taxonomy[target.label].name}"


def _sees_all(explanation: Explanation) -> bool:
    """Whether hardly anything of the photo lies outside what the model saw."""
    left, top, right, bottom = explanation.box
    width, height = explanation.photo_size
    return (right - left) * (bottom - top) > 0.98 * width * height


def _draw_legend(explanation: Explanation, opacity: float, taxonomy: Taxonomy) -> None:
    target = explanation.target
    if isinstance(target, ContrastTarget):
        colormap = "contrast"
        low, high = f"for {taxonomy[target.rival].name}", f"for {taxonomy[target.label].name}"
    elif explanation.has_positive_evidence:
        colormap = "evidence"
        low, high = "none", "most evidence"
    else:
        return
    stops = ", ".join(
        f"rgba({r}, {g}, {b}, {a / 255:.3f})"
        for r, g, b, a in legend(colormap, max(opacity, 0.35), width=16, height=1)[0]
    )
    low, high = escape(low), escape(high)
    st.html(
        f'<p class="ramp" role="img" aria-label="Colours run from {low} to {high}"><span>{low}</span>'
        f'<span class="strip" style="background: linear-gradient(90deg, {stops})"></span><span>{high}</span></p>'
    )
