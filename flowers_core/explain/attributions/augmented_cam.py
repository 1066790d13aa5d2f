"""The closed form, finer: what speaks for a class against its rivals, averaged over looks at the photo moved a little.

Two things make it another map than `cam`:

- What is split is not the class's logit but the log-odds of the class against all others, log(p / (1 − p)), to first
  order: its direction in the features is W_k − Σ_j q_j W_j over the rivals j, with q_j their shares of what probability
  the class leaves them. A logit alone says nothing: the same number added to all of them changes no answer, yet moves
  evidence about. Like every gradient at the last feature map it is a Grad-CAM (Selvaraju et al. 2017, arXiv
  1610.02391), of the log-odds rather than of the logit. Of a class against another the direction is W_k − W_m.
- The last feature map is coarse, a cell for every 32 pixels. Moved by a part of a cell, the photo falls onto the cells
  in another way; each look's map is moved back, and their mean is finer than any of them. (Averages over small changes
  of the input are SmoothGrad's idea too, Smilkov et al. 2017, arXiv 1706.03825, there with noise.)
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from flowers_core.explain.explanation import (
    Box,
    ContrastTarget,
    Explanation,
    FloatArray,
    NeighbourTarget,
    Target,
    to_photo,
)
from flowers_core.explain.perturbation import Logits, Pixels

METHOD = "shifted_cam"
#: (n, s, s, 3) uint8 → (n, h, w, c), such as Runtime.features.
Features = Callable[[Pixels], npt.NDArray[np.floating]]
#: Moves as shares of a cell, in both directions: with none, three by three looks.
SHIFT = 3 / 8


def explain_shifted_cam(
    features: Features,
    logits: Logits,
    pixels: Pixels,
    head: FloatArray,
    target: Target,
    *,
    box: Box,
    photo_size: tuple[int, int],
    shift: float = SHIFT,
    temperature: float = 1.0,
) -> Explanation:
    """Which places speak for a class against its rivals, or against one of them.

    Args:
        features: the model's last feature maps, such as Runtime.features.
        logits: the model's answers, such as Runtime.logits.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        head: (c, classes), the linear layer's weights.
        target: a class, or a class against another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        shift: how far the photo is moved, as a share of a cell of the feature map, at least 0 and below 1.
        temperature: of the softmax that shares the probability out among the rivals.

    Returns:
        Explanation in "logit", as fine as the model's input. `value` is the direction's product with the embedding, in
        the mean over the looks; the parts sum to it but for what was moved out of the frame.

    Raises:
        ValueError: where shift or target cannot be.
    """
    started = time.perf_counter()
    if not 0 <= shift < 1:
        raise ValueError("The photo is moved by 0 or more of a cell, and by less than a whole one.")
    size = pixels.shape[0]
    direction = evidence_direction(head, target, lambda: logits(pixels[None])[0], temperature)
    cells = features(pixels[None])[0].astype(np.float64) @ direction
    step = round(shift * size / len(cells))
    moves = [(down, right) for down in (-step, 0, step) for right in (-step, 0, step)] if step else [(0, 0)]
    others = [move for move in moves if move != (0, 0)]
    maps = {(0, 0): cells}
    if others:
        looks = np.stack([moved(pixels, *move) for move in others])
        maps |= dict(zip(others, features(looks).astype(np.float64) @ direction, strict=True))
    total, seen = np.zeros((size, size)), np.zeros((size, size))
    frame = (0.0, 0.0, float(size), float(size))
    for (down, right), found in maps.items():
        fine = to_photo(found.astype(np.float32), frame, (size, size))
        # A look at a photo moved down by n shows its row y at y + n.
        into = _overlap(size, -down), _overlap(size, -right)
        total[into] += fine[_overlap(size, down), _overlap(size, right)]
        seen[into] += 1
    value = float(np.mean([found.mean() for found in maps.values()]))
    return Explanation(
        method=METHOD,
        target=target,
        contributions=(total / seen / size**2).astype(np.float32),
        value=value,
        unit="logit",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={"looks": len(maps), "shift": step, "temperature": temperature},
    )


def evidence_direction(
    head: FloatArray, target: Target, logits: Callable[[], FloatArray], temperature: float
) -> npt.NDArray[np.float64]:
    """The direction in the embedding in which the target gains most: (c,) float64.

    Args:
        head: (c, classes); column j is label j + 1.
        target: a class, whose log-odds are meant, or a class against another.
        logits: gives the answer (classes,) to the photo, or (n, classes) to versions of it, over which the rivals'
            shares are averaged; asked for a class only.
        temperature: of the softmax over the rivals, > 0.

    Raises:
        ValueError: where there is no such label, or the target is a neighbour.
    """
    weights = head.astype(np.float64)
    if isinstance(target, NeighbourTarget):
        raise ValueError("Here a class is explained, or a class against another.")
    labels = [target.label, target.rival] if isinstance(target, ContrastTarget) else [target.label]
    if not all(1 <= label <= weights.shape[1] for label in labels):
        raise ValueError(f"There is no label {max(labels)}: this model knows 1…{weights.shape[1]}.")
    own = weights[:, target.label - 1]
    if isinstance(target, ContrastTarget):
        return own - weights[:, target.rival - 1]
    answer = np.array(logits(), np.float64) / temperature
    answer[..., target.label - 1] = -np.inf
    return own - weights @ np.atleast_2d(softmax(answer, axis=-1)).mean(axis=0)


def moved(pixels: Pixels, down: int, right: int) -> Pixels:
    """The photo moved by so many pixels, (s, s, 3); what comes into the frame repeats its edge."""
    margin = max(abs(down), abs(right))
    size = len(pixels)
    wide = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    top, left = margin - down, margin - right
    return np.ascontiguousarray(wide[top : top + size, left : left + size])


def _overlap(size: int, by: int) -> slice:
    """Along one side, the pixels of a picture moved by `by` that still show the photo."""
    return slice(max(0, by), size + min(0, by))
