"""Explanations drawn on photos: heat maps, outlines of superpixels, colour bars. Arrays in, arrays out.

Flowers have every colour, so a map over a photo in colour can be hard to see: yellow on yellow. The photo therefore
loses its colour as the map gains opacity, until only the map has colour. The map is transparent where it is near 0.

Two colour maps, both fit for the colour-blind:

- "evidence", for what speaks for a class: plasma (Smith and van der Walt 2015), perceptually uniform, dark purple to
  yellow. Negative values are not drawn.
- "contrast", for what speaks for a class or against it (for another), with 0 in the middle: blues below, oranges above.
  The four colours are of Okabe and Ito's palette ("Color Universal Design", 2008); the stronger of each side is at its
  end.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from flowers_core.explain.explanation import Box, ContrastTarget, Explanation, FloatArray, pixels_inside

Pixels = npt.NDArray[np.uint8]
_TABLES = Path(__file__).with_name("colormaps.json")
#: Names here → names in matplotlib and in the file of tables.
_SEQUENTIAL = {"evidence": "plasma"}
#: Those with a middle, at 0: colours at −1, −½, 0, ½, 1.
_DIVERGING = {"contrast": ((0, 114, 178), (86, 180, 233), (160, 160, 160), (230, 159, 0), (213, 94, 0))}
COLORMAPS = (*_SEQUENTIAL, *_DIVERGING)


def is_diverging(colormap: str) -> bool:
    """Whether the map has its middle at 0 and draws negative values too.

    Raises:
        ValueError: if the name is not one of COLORMAPS.
    """
    if colormap not in COLORMAPS:
        raise ValueError(f"There is no colour map “{colormap}”; there are {', '.join(COLORMAPS)}.")
    return colormap in _DIVERGING


def value_range(heat: FloatArray, colormap: str = "evidence") -> tuple[float, float]:
    """The values at the two ends of the colour scale on which a map is drawn.

    Args:
        heat: (h, w).
        colormap: one of COLORMAPS.

    Returns:
        (0, largest value), 0 if none is positive; for a diverging map (−m, m) with m the largest absolute value.
    """
    if is_diverging(colormap):
        strongest = float(np.abs(heat).max())
        return -strongest, strongest
    return 0.0, max(0.0, float(heat.max()))


def colourise(heat: FloatArray, colormap: str = "evidence", *, limit: float | None = None) -> Pixels:
    """Values to colours.

    Args:
        heat: (h, w).
        colormap: one of COLORMAPS.
        limit: the value of the last colour, > 0; greater values get that colour too. By default the map's largest
            (`value_range`). Maps that are compared need one limit: on its own scale even a faint map is bright.

    Returns:
        (h, w, 4) uint8 RGBA, not premultiplied: wholly transparent at 0 (and below, unless diverging), opaque from half
        of the limit on.

    Raises:
        ValueError: if there is no such colour map or the limit is not positive.
    """
    colours, strength = _table(colormap)
    index = _index(heat, colormap, limit)
    return np.concatenate([colours[index], strength[index][..., None]], axis=-1)


def overlay(
    pixels: Pixels,
    heat: FloatArray,
    opacity: float = 0.75,
    colormap: str = "evidence",
    *,
    limit: float | None = None,
    box: Box | None = None,
) -> Pixels:
    """A heat map over its photo (`draw` does it for an Explanation). With nothing to draw the photo stays as it is.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo.
        heat: (h, w), Explanation.heatmap().
        opacity: 0, the photo as it is, to 1, a grey photo under opaque colours.
        colormap: one of COLORMAPS.
        limit: value of the last colour, see `colourise`.
        box: Explanation.box; if given, what lies outside it is shown as not seen (`dim_outside`).

    Returns:
        (h, w, 3) uint8 RGB.

    Raises:
        ValueError: if map and photo differ in size, opacity is outside 0…1, or `colourise` says so.
    """
    _check_size(heat, pixels)
    if not 0 <= opacity <= 1:
        raise ValueError(f"Opacity must be between 0 and 1, not {opacity}.")
    colours, strength = _table(colormap)
    index = _index(heat, colormap, limit)
    alpha = np.rint(strength * opacity).astype(np.uint8)[index]
    painted = pixels.copy()
    if alpha.any():
        # Pillow blends several times as fast as NumPy, and a slider waits for it.
        photo = Image.fromarray(pixels)
        drained = Image.blend(photo, photo.convert("L").convert("RGB"), opacity)
        paint = Image.fromarray(np.take(colours, index, axis=0))
        painted = np.array(Image.composite(paint, drained, Image.fromarray(alpha)))
    return painted if box is None else dim_outside(painted, box)


def draw(
    pixels: Pixels,
    explanation: Explanation,
    opacity: float = 0.75,
    colormap: str | None = None,
    *,
    limit: float | None = None,
    threshold: float = 0.0,
) -> Pixels:
    """An explanation over its photo. Without `has_positive_evidence` a sequential colour map draws nothing.

    Args:
        pixels: (h, w, 3) uint8 RGB, of the explanation's `photo_size`.
        explanation: any method's.
        opacity: see `overlay`.
        colormap: one of COLORMAPS; by default "contrast" for a contrast and "evidence" for all else.
        limit: value of the last colour, see `colourise`.
        threshold: 0…1; what is weaker than this fraction of the limit (by default, of the strongest value) is left out.

    Returns:
        (h, w, 3) uint8 RGB; what lies outside the explanation's box is shown as not seen.

    Raises:
        ValueError: as `overlay`, or if the threshold is outside 0…1.
    """
    if colormap is None:
        colormap = "contrast" if isinstance(explanation.target, ContrastTarget) else "evidence"
    heat = explanation.heatmap()
    if not is_diverging(colormap) and not explanation.has_positive_evidence:
        heat = np.zeros_like(heat)  # on a scale of its own, noise would be drawn at full colour
    if not 0 <= threshold <= 1:
        raise ValueError(f"The threshold must be between 0 and 1, not {threshold}.")
    if threshold > 0:
        if limit is None:
            limit = value_range(heat, colormap)[1] or None  # of the whole map, so that what remains keeps its colour
        heat = np.where(np.abs(heat) < threshold * (limit or 0.0), 0, heat)
    return overlay(pixels, heat, opacity, colormap, limit=limit, box=explanation.box)


def dim_outside(pixels: Pixels, box: Box) -> Pixels:
    """Show that the model did not see what lies outside `box`: greyer, darker, and hatched.

    It is hatched because a dark area alone could belong to the photo. A pixel is inside if its centre is, as in
    `to_photo`.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        box: left, top, right, bottom in pixels.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    height, width, _ = pixels.shape
    left, top, right, bottom = box
    seen = pixels_inside(height, top, bottom), pixels_inside(width, left, right)
    photo = Image.fromarray(pixels)
    greyer = Image.blend(photo, photo.convert("L").convert("RGB"), 0.5)
    darker = greyer.point([value * 2 // 5 for value in range(256)] * 3)
    lines = greyer.point([value * 2 // 5 + 45 for value in range(256)] * 3)
    stroke = max(1, round(max(height, width) / 400))
    pattern = np.where(np.arange(height + width) // stroke % 8 == 0, 255, 0).astype(np.uint8)
    diagonals = np.lib.stride_tricks.sliding_window_view(pattern, width)[:height]  # [y, x] is pattern[y + x]
    result = np.array(Image.composite(lines, darker, Image.fromarray(np.ascontiguousarray(diagonals))))
    result[seen] = pixels[seen]
    return result


def outline(pixels: Pixels, superpixels: npt.NDArray[np.integer]) -> Pixels:
    """Draw the borders between superpixels: white lines edged in black, so that they show on any flower.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        superpixels: (h, w) label map, Explanation.photo_superpixels(); −1, outside the box, counts as a superpixel.

    Returns:
        (h, w, 3) uint8 RGB. Lines grow with the photo: one white pixel for a longer side of up to 1200 pixels.

    Raises:
        ValueError: if the sizes differ.
    """
    _check_size(superpixels, pixels)
    # Only one side of each border is marked, so the line is one pixel wide (skimage's find_boundaries marks both).
    border = np.zeros(superpixels.shape, bool)
    border[:, 1:] |= superpixels[:, 1:] != superpixels[:, :-1]
    border[1:] |= superpixels[1:] != superpixels[:-1]
    thickness = max(1, round(max(superpixels.shape) / 800))
    line = _widen(border, thickness - 1)
    result = pixels.copy()
    result[_widen(line, thickness)] //= 3
    result[line] = 255
    return result


def legend(colormap: str = "evidence", opacity: float = 1.0, *, width: int = 256, height: int = 12) -> Pixels:
    """A colour bar, lowest value left, with the transparency of the overlay.

    The numbers for its ends are those of `value_range`, or the limit given to `overlay`.

    Args:
        colormap: one of COLORMAPS.
        opacity: 0…1, see `overlay`.
        width: in pixels.
        height: in pixels.

    Returns:
        (height, width, 4) uint8 RGBA.
    """
    low = -1.0 if is_diverging(colormap) else 0.0
    strip = colourise(np.linspace(low, 1, width)[None], colormap, limit=1.0)
    strip[..., 3] = np.rint(strip[..., 3] * opacity)
    return np.repeat(strip, height, axis=0)


@cache
def _table(colormap: str) -> tuple[Pixels, Pixels]:
    """The 256 colours from the lowest value to the highest, (256, 3), and the opacity of each, (256,).

    The middle of a diverging map is entry 128, and entry 0 repeats entry 1, so that both sides have 127 steps.
    """
    steps = np.arange(256)
    if is_diverging(colormap):
        value = np.clip((steps - 128) / 127, -1, 1)
        anchors = np.array(_DIVERGING[colormap])
        colours = np.stack([np.interp(value, (-1, -0.5, 0, 0.5, 1), channel) for channel in anchors.T], axis=1)
    else:
        value = steps / 255
        # Matplotlib's tables from a file: an installation that only serves need not have matplotlib.
        tables = json.loads(_TABLES.read_text(encoding="utf-8"))
        colours = np.array([list(bytes.fromhex(colour)) for colour in tables[_SEQUENTIAL[colormap]].split()])
    # Opacity rises smoothly over the lower half of the scale: faint noise leaves the photo as it is, and strong values
    # are distinguished by colour.
    rise = np.clip(2 * np.abs(value), 0, 1)
    strength = 255 * rise**2 * (3 - 2 * rise)
    return np.rint(colours).astype(np.uint8), np.rint(strength).astype(np.uint8)


def _index(heat: FloatArray, colormap: str, limit: float | None) -> Pixels:
    """Which of the table's 256 colours each value takes, (h, w) uint8."""
    if limit is None:
        limit = value_range(heat, colormap)[1] or 1.0  # nothing to draw: on any scale
    elif not limit > 0:
        raise ValueError(f"The limit of a colour scale must be above 0, not {limit}.")
    if is_diverging(colormap):
        return np.rint(np.clip(heat / limit, -1, 1) * 127 + 128).astype(np.uint8)
    return np.rint(np.clip(heat / limit, 0, 1) * 255).astype(np.uint8)


def _check_size(drawn: npt.NDArray, pixels: Pixels) -> None:
    if drawn.shape != pixels.shape[:2]:
        raise ValueError(f"A map of {drawn.shape} does not fit a photo of {pixels.shape[:2]}.")


def _widen(mask: npt.NDArray[np.bool_], steps: int) -> npt.NDArray[np.bool_]:
    """The mask grown by `steps` pixels up, down, left and right."""
    # Loaded when superpixels are drawn, not when the page opens.
    from scipy.ndimage import binary_dilation

    return binary_dilation(mask, iterations=steps) if steps else mask  # for SciPy 0 means: until nothing changes
