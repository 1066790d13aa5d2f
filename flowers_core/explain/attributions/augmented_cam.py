"""Augmented Grad-CAM: the closed form's map, averaged over forward passes on the photo moved a little.

Morbidelli, Carrera, Rossi, Fragneto and Boracchi 2020, "Augmented Grad-CAM: Heat-Maps Super Resolution Through
Augmentation", ICASSP. The last feature map is coarse, one cell for 32 pixels. A photo that is moved by a fraction of a
cell falls onto the cells in another way. Each map is moved back, and the mean is finer than any of them. (The authors
also rotate the photo and solve for the fine map with a regularizer; the plain mean of shifts is enough here.)

It differs from `cam` in one more thing. It splits not the logit of the class but the log-odds of the class against all
others, log(p / (1 − p)), to first order. The direction in the features is W_k − Σ_j q_j W_j over the rivals j, where
q_j is the probability of j given that it is not k. A logit alone says little: the same number added to all logits
changes no answer and yet moves the evidence. Like any gradient at the last feature map this is a Grad-CAM (Selvaraju et
al. 2017, arXiv 1610.02391), of the log-odds rather than the logit. For a class against another the direction is
W_k − W_m.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from flowers_core.explain.attributions.cam import ONLY_CLASSES, class_weights
from flowers_core.explain.explanation import ContrastTarget, Explanation, FloatArray, NeighbourTarget, Target, to_photo
from flowers_core.explain.subject import Pixels, Subject

METHOD = "augmented_cam"
#: Shift in fractions of a feature-map cell, to both sides along both axes: a 3 × 3 grid of forward passes.
SHIFT = 3 / 8


def explain_augmented_cam(subject: Subject, target: Target, *, shift: float = SHIFT) -> Explanation:
    """Which positions speak for a class against its rivals, or against one of them.

    Args:
        subject: the photo and the model.
        target: a class, or a class against another.
        shift: how far the photo is moved, in cells of the feature map, in [0, 1). With 0 there is one forward pass.

    Returns:
        Explanation in "logit", (s, s), as fine as the model's input. `value` is the product of the direction and the
        embedding, averaged over the forward passes. The contributions sum to it, except for what was moved out of the
        frame.

    Raises:
        ValueError: if there is no such label, the target is a neighbour, or the shift is out of range.
    """
    started = time.perf_counter()
    if not 0 <= shift < 1:
        raise ValueError(f"The photo can be moved by 0 to less than 1 cell, not by {shift}.")
    size = subject.size
    pixels = subject.pixels
    direction = log_odds_direction(subject.head, target, lambda: subject.logits(pixels[None])[0], subject.temperature)
    unmoved = subject.feature_maps(pixels[None])[0].astype(np.float64) @ direction
    step = round(shift * size / len(unmoved))
    steps = (-step, 0, step) if step else ()
    shifts = [(down, right) for down in steps for right in steps if (down, right) != (0, 0)]
    maps = [unmoved]
    if shifts:
        copies = np.stack([moved(pixels, *by) for by in shifts])
        maps += list(subject.feature_maps(copies).astype(np.float64) @ direction)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=(_mean_moved_back(maps, [(0, 0), *shifts], size) / size**2).astype(np.float32),
        value=float(np.mean([cells.mean() for cells in maps])),
        unit="logit",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={"forward_passes": len(maps), "shift": step, "temperature": subject.temperature},
    )


def log_odds_direction(
    head: FloatArray, target: Target, logits: Callable[[], FloatArray], temperature: float
) -> npt.NDArray[np.float64]:
    """The direction in the embedding along which the target's log-odds grow fastest.

    Args:
        head: (c, classes); column j is label j + 1.
        target: a class, or a class against another.
        logits: returns the photo's (classes,), or (n, classes) of perturbed photos, over which the rivals'
            probabilities are averaged. Called for a class only: a contrast does not depend on them.
        temperature: of the softmax over the rivals, > 0.

    Returns:
        (c,) float64: the gradient, times the temperature.

    Raises:
        ValueError: if there is no such label, or the target is a neighbour.
    """
    if isinstance(target, NeighbourTarget):
        raise ValueError(ONLY_CLASSES)
    own = class_weights(head, target.label)
    if isinstance(target, ContrastTarget):
        return own - class_weights(head, target.rival)
    rivals = np.array(logits(), np.float64) / temperature
    rivals[..., target.label - 1] = -np.inf
    return own - head.astype(np.float64) @ np.atleast_2d(softmax(rivals, axis=-1)).mean(axis=0)


def moved(pixels: Pixels, down: int, right: int) -> Pixels:
    """Shift a photo; what comes into the frame repeats the photo's edge.

    Args:
        pixels: (s, s, 3) uint8.
        down: pixels, negative for up.
        right: pixels, negative for left.

    Returns:
        (s, s, 3) uint8.
    """
    margin = max(abs(down), abs(right))
    size = len(pixels)
    wide = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    top, left = margin - down, margin - right
    return np.ascontiguousarray(wide[top : top + size, left : left + size])


def _mean_moved_back(
    maps: list[npt.NDArray[np.float64]], shifts: list[tuple[int, int]], size: int
) -> npt.NDArray[np.float64]:
    """Each map laid over the photo and moved back by its shift, and the mean of them, (size, size).

    A pixel's mean is over the maps whose forward pass had it in the frame.
    """
    total, seen = np.zeros((size, size)), np.zeros((size, size))
    for cells, (down, right) in zip(maps, shifts, strict=True):
        fine = to_photo(cells.astype(np.float32), (0.0, 0.0, float(size), float(size)), (size, size))
        # A photo moved down by n shows its row y at y + n.
        home = _overlap(size, -down), _overlap(size, -right)
        total[home] += fine[_overlap(size, down), _overlap(size, right)]
        seen[home] += 1
    return total / seen


def _overlap(size: int, by: int) -> slice:
    """The pixels along one side that still show the photo after it was moved by `by` pixels."""
    return slice(max(0, by), size + min(0, by))
