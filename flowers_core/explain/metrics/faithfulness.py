"""Faithfulness of a map: does the model lose its answer when the brightest pixels are deleted?

Deletion and insertion (Petsiuk, Das and Saenko 2018, "RISE", arXiv 1806.07421): pixels are deleted from the photo, or
inserted into a blurred copy, brightest first. The measure is the area under the curve of the probability. A map is
compared with two baselines: 20 random maps, and a map of the centre. Flowers are photographed in the middle, so even a
map that ignores the model can beat random ones.

The measure is about the model's answer for this photo. It does not say that the answer is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from flowers_core.explain.explanation import Explanation, FloatArray, Target, nearest_in_photo, to_photo
from flowers_core.explain.perturbation import BATCH, Progress, perturbed_probabilities
from flowers_core.explain.subject import Logits, Pixels, Subject

#: Fractions of the photo's pixels that are deleted or inserted.
FRACTIONS: tuple[float, ...] = tuple(step / 10 for step in range(11))
RANDOM_MAPS = 20
#: Random maps are as coarse as the last feature map of most networks. Deleting single pixels would add noise, which
#: corrupts a photo in another way than deleting areas does.
RANDOM_CELLS = 7


@dataclass(frozen=True, eq=False)
class Curves:
    """The probability during deletion and insertion in the order of one map.

    Attributes:
        deletion: (11,) float64, at FRACTIONS of the pixels deleted.
        insertion: (11,) float64, at FRACTIONS of the pixels inserted.
    """

    deletion: npt.NDArray[np.float64]
    insertion: npt.NDArray[np.float64]

    @property
    def deletion_auc(self) -> float:
        """Area under the deletion curve, 0…1; the lower the better the map."""
        return float(np.trapezoid(self.deletion, FRACTIONS))

    @property
    def insertion_auc(self) -> float:
        """Area under the insertion curve, 0…1; the higher the better the map."""
        return float(np.trapezoid(self.insertion, FRACTIONS))


@dataclass(frozen=True, eq=False)
class Baselines:
    """The curves of maps without knowledge of the model, on one photo.

    Attributes:
        random: of random maps.
        centre: of a map of the centre.
    """

    random: tuple[Curves, ...]
    centre: Curves


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """One map's curves and those of the baselines.

    Attributes:
        curves: of the map.
        baselines: of the same photo and target.
    """

    curves: Curves
    baselines: Baselines

    @property
    def deletion_beats(self) -> float:
        """Fraction of the random maps with a larger deletion area, 0…1; ties count half."""
        return _beaten([other.deletion_auc for other in self.baselines.random], self.curves.deletion_auc)

    @property
    def insertion_beats(self) -> float:
        """Fraction of the random maps with a smaller insertion area, 0…1; ties count half."""
        return _beaten([-other.insertion_auc for other in self.baselines.random], -self.curves.insertion_auc)

    @property
    def beats_centre(self) -> tuple[bool, bool]:
        """Whether deletion and insertion are better than those of the centre."""
        centre = self.baselines.centre
        return (
            self.curves.deletion_auc < centre.deletion_auc,
            self.curves.insertion_auc > centre.insertion_auc,
        )

    @property
    def tenth(self) -> tuple[float, float, float]:
        """The probability of the whole photo, without the brightest tenth, and on average without a random tenth."""
        random = float(np.mean([other.deletion[1] for other in self.baselines.random]))
        return float(self.curves.deletion[0]), float(self.curves.deletion[1]), random


def measure(
    subject: Subject,
    explanation: Explanation,
    *,
    baselines: Baselines | None = None,
    random_maps: int = RANDOM_MAPS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Faithfulness:
    """One map against the baselines on its own photo: 399 forward passes, or 21 if the baselines are known.

    Args:
        subject: the photo that was explained, and the model.
        explanation: of a class, or of a class against another.
        baselines: of the same photo, target and temperature, if they were measured before.
        random_maps: how many, ≥ 1; each takes 18 forward passes.
        seed: of the random maps.
        progress: called with (forward passes done, in all); False stops.

    Raises:
        ExplanationStopped: if `progress` returned False.
        ValueError: if the explanation is a neighbour's.
    """
    heat = in_model_frame(explanation, subject.size)
    maps = [heat] if baselines is not None else [heat, *baseline_maps(subject.size, seed, random_maps)]
    found, *others = curves(subject.logits, subject.pixels, maps, explanation.target, subject.temperature, progress)
    return Faithfulness(found, baselines or Baselines(tuple(others[1:]), others[0]))


def curves(
    model: Logits,
    pixels: Pixels,
    maps: Sequence[FloatArray],
    target: Target,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> list[Curves]:
    """Deletion and insertion in the order of each map. The end points are the same for all maps and computed once.

    Args:
        model: photos to logits.
        pixels: (s, s, 3) uint8.
        maps: each (s, s); of equally bright pixels the first in row order goes first.
        target: a class, or a class against another.
        temperature: of the softmax.
        progress: called with (forward passes done, in all).

    Returns:
        Curves for each map.
    """
    plain, blurred = mean_colour_photo(pixels), blurred_photo(pixels)
    size = pixels.shape[0] * pixels.shape[1]
    inner = [round(fraction * size) for fraction in FRACTIONS[1:-1]]

    def perturbed() -> Iterator[Pixels]:
        yield np.stack([pixels, plain, blurred])
        batch: list[Pixels] = []
        for heat in maps:
            rank = brightness_rank(heat)
            for count in inner:
                bright = (rank < count)[..., None]
                batch += [np.where(bright, plain, pixels), np.where(bright, pixels, blurred)]
                if len(batch) >= BATCH:
                    yield np.stack(batch)
                    batch = []
        if batch:
            yield np.stack(batch)

    total = 3 + 2 * len(inner) * len(maps)
    seen = perturbed_probabilities(model, perturbed(), target, temperature, total=total, progress=progress)
    whole, empty, blank = seen[:3]
    steps = seen[3:].reshape(len(maps), len(inner), 2)
    return [Curves(np.array([whole, *step[:, 0], empty]), np.array([blank, *step[:, 1], whole])) for step in steps]


def in_model_frame(explanation: Explanation, size: int) -> npt.NDArray[np.float32]:
    """A map laid over the model's input: positions are interpolated, superpixels keep their edges.

    Args:
        explanation: a map of any resolution.
        size: side of the model's input, in pixels.

    Returns:
        (size, size) float32.
    """
    frame = (0.0, 0.0, float(size), float(size))
    if explanation.contributions.shape == (size, size):
        return explanation.contributions
    if explanation.superpixels is None:
        return to_photo(explanation.contributions, frame, (size, size))
    return nearest_in_photo(explanation.contributions, frame, (size, size), outside=0)


def baseline_maps(size: int, seed: int = 0, random_maps: int = RANDOM_MAPS) -> list[npt.NDArray[np.float32]]:
    """The maps that an explanation has to beat.

    Args:
        size: side of the model's input, in pixels.
        seed: of the random maps.
        random_maps: how many.

    Returns:
        A Gaussian at the centre, then random maps of RANDOM_CELLS² cells, each (size, size) float32.
    """
    frame = (0.0, 0.0, float(size), float(size))
    away = ((np.arange(size) + 0.5) / size - 0.5) ** 2
    # Only the order counts, so any width would do.
    centre = np.exp(-(away[:, None] + away) / (2 * 0.25**2)).astype(np.float32)
    cells = np.random.default_rng(seed).random((random_maps, RANDOM_CELLS, RANDOM_CELLS), dtype=np.float32)
    return [centre, *(to_photo(cell, frame, (size, size)) for cell in cells)]


def brightness_rank(heat: FloatArray) -> npt.NDArray[np.int64]:
    """Each pixel's rank by brightness, 0 the brightest, (h, w)."""
    order = np.argsort(-heat.ravel(), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank.reshape(heat.shape)


def mean_colour_photo(pixels: Pixels) -> Pixels:
    """The photo's mean colour everywhere, (s, s, 3): where deletion ends."""
    return np.broadcast_to(np.rint(pixels.mean(axis=(0, 1))).astype(np.uint8), pixels.shape)


def blurred_photo(pixels: Pixels) -> Pixels:
    """The photo blurred by a Gaussian of a sixteenth of its side, (s, s, 3): where insertion begins."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(pixels.shape[0] / 16)))


def _beaten(others: list[float], ours: float) -> float:
    values = np.array(others)
    return float((values > ours).mean() + 0.5 * (values == ours).mean())
