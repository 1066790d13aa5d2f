"""Whether a map is faithful: does the model lose its answer when the brightest parts are taken away?

Deletion and insertion (Petsiuk, Das and Saenko 2018, "RISE", arXiv 1806.07421): pixels are taken away from the photo,
or laid into a blurred one, brightest first, and the area under the probability's curve is the measure. A map is set
against 20 random maps, and against one that only says "the middle": flowers are photographed in the middle, so a map
can beat chance and know nothing.

Everything is read off the model itself, on the photo at hand. Nothing here says that the model is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from flowers_core.explain.explanation import Explanation, FloatArray, Target, nearest_in_photo, to_photo
from flowers_core.explain.perturbation import BATCH, Logits, Pixels, Progress, ask

#: Shares of the photo taken away or laid in.
FRACTIONS: tuple[float, ...] = tuple(step / 10 for step in range(11))
RANDOM_MAPS = 20
#: Random maps are as coarse as the last feature map of most networks, whatever they are compared with: noise of single
#: pixels would spoil a photo in another way than taking an area away does.
RANDOM_CELLS = 7


@dataclass(frozen=True, eq=False)
class Curves:
    """The probability while the photo goes, and while it comes, in the order of one map.

    Attributes:
        deletion: (11,) float64, at FRACTIONS of the pixels taken away.
        insertion: (11,) float64, at FRACTIONS of the pixels laid in.
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
class Chance:
    """What maps that know nothing reach on this photo: `random` ones, and one that says "the middle"."""

    random: tuple[Curves, ...]
    centred: Curves


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """One map's curves beside chance's."""

    curves: Curves
    chance: Chance

    @property
    def deletion_beats(self) -> float:
        """Share of the random maps with a larger deletion area, 0…1; ties count half."""
        return _beaten([other.deletion_auc for other in self.chance.random], self.curves.deletion_auc)

    @property
    def insertion_beats(self) -> float:
        """Share of the random maps with a smaller insertion area, 0…1; ties count half."""
        return _beaten([-other.insertion_auc for other in self.chance.random], -self.curves.insertion_auc)

    @property
    def beats_the_centre(self) -> tuple[bool, bool]:
        """Whether deletion and insertion are better than those of "the middle"."""
        centred = self.chance.centred
        return (
            self.curves.deletion_auc < centred.deletion_auc,
            self.curves.insertion_auc > centred.insertion_auc,
        )

    @property
    def tenth(self) -> tuple[float, float, float]:
        """The probability of the whole photo, without the brightest tenth, and the mean without a random tenth."""
        random = float(np.mean([other.deletion[1] for other in self.chance.random]))
        return float(self.curves.deletion[0]), float(self.curves.deletion[1]), random

    def sentence(self, name: str) -> str:
        """What taking the brightest tenth away does to the answer, in words."""
        whole, without, random = self.tenth
        # Chosen by the numbers as they are shown: "drops from 3 % to 3 %" would be odd.
        percent = round(100 * whole), round(100 * without)
        if percent[0] == percent[1]:
            change = f"leaves “{name}” at {percent[0]} %"
        else:
            verb = "drops" if percent[1] < percent[0] else "raises"
            change = f"{verb} “{name}” from {percent[0]} % to {percent[1]} %"
        return f"Removing the 10 % brightest area {change}; random areas: {100 * random:.0f} %."

    def verdict(self) -> str:
        """How the map fares against chance, in words."""
        beaten = round(min(self.deletion_beats, self.insertion_beats) * len(self.chance.random))
        of = len(self.chance.random)
        if beaten < 0.95 * of:
            return f"Do not lean on this map: it beats only {beaten} of {of} random maps."
        if not any(self.beats_the_centre):
            return f"It beats {beaten} of {of} random maps, but a map that only says “the middle” does as well."
        if not all(self.beats_the_centre):
            respect = "putting back" if self.beats_the_centre[0] else "taking away"
            return f"It beats {beaten} of {of} random maps, but for {respect} “the middle” would do as well."
        return f"It beats {beaten} of {of} random maps, and a map that only says “the middle”."


def measure(
    model: Logits,
    pixels: Pixels,
    explanation: Explanation,
    *,
    temperature: float = 1.0,
    chance: Chance | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Faithfulness:
    """One map against chance on its own photo: 400 looks, or 21 where chance is known.

    Args:
        model: photos to logits, such as Runtime.logits.
        pixels: (s, s, 3) uint8, ModelInput.pixels of the photo that was explained.
        explanation: of a class, or of a class against another.
        temperature: of the softmax.
        chance: of the same photo, target and temperature, where it was measured before.
        seed: of the random maps.
        progress: called with (looks done, looks); stops by returning False.

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: where the explanation is a neighbour's.
    """
    heat = in_model_frame(explanation, pixels.shape[0])
    maps = [heat] if chance is not None else [heat, *chance_maps(pixels.shape[0], seed)]
    found, *others = curves(model, pixels, maps, explanation.target, temperature, progress)
    return Faithfulness(found, chance or Chance(tuple(others[1:]), others[0]))


def curves(
    model: Logits,
    pixels: Pixels,
    maps: Sequence[FloatArray],
    target: Target,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> list[Curves]:
    """Deletion and insertion in the order of each map; ends that all share are looked at once.

    Args:
        model: photos to logits.
        pixels: (s, s, 3) uint8.
        maps: each (s, s), brightest first; of equal pixels the upper left goes first.
        target: what is watched.
        temperature: of the softmax.
        progress: called with (looks done, looks).

    Returns:
        Curves for each map.
    """
    plain, blurred = without_content(pixels), blurred_photo(pixels)
    size = pixels.shape[0] * pixels.shape[1]
    inner = [round(fraction * size) for fraction in FRACTIONS[1:-1]]

    def versions() -> Iterator[Pixels]:
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
    seen = ask(model, versions(), target, temperature, total=total, progress=progress)
    whole, empty, blank = seen[:3]
    steps = seen[3:].reshape(len(maps), len(inner), 2)
    return [Curves(np.array([whole, *step[:, 0], empty]), np.array([blank, *step[:, 1], whole])) for step in steps]


def in_model_frame(explanation: Explanation, size: int) -> npt.NDArray[np.float32]:
    """A map laid over the model's input, (size, size): cells interpolated, superpixels with their edges."""
    frame = (0.0, 0.0, float(size), float(size))
    if explanation.contributions.shape == (size, size):
        return explanation.contributions
    if explanation.regions is None:
        return to_photo(explanation.contributions, frame, (size, size))
    return nearest_in_photo(explanation.contributions, frame, (size, size), outside=0)


def chance_maps(size: int, seed: int = 0) -> list[npt.NDArray[np.float32]]:
    """A centred Gaussian, then RANDOM_MAPS random maps of RANDOM_CELLS × RANDOM_CELLS cells, each (size, size)."""
    frame = (0.0, 0.0, float(size), float(size))
    away = ((np.arange(size) + 0.5) / size - 0.5) ** 2
    # Only the order counts, so that any width would do.
    centred = np.exp(-(away[:, None] + away) / (2 * 0.25**2)).astype(np.float32)
    cells = np.random.default_rng(seed).random((RANDOM_MAPS, RANDOM_CELLS, RANDOM_CELLS), dtype=np.float32)
    return [centred, *(to_photo(cell, frame, (size, size)) for cell in cells)]


def brightness_rank(heat: FloatArray) -> npt.NDArray[np.int64]:
    """Each pixel's place in the order of brightness, 0 the brightest, (h, w)."""
    order = np.argsort(-heat.ravel(), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank.reshape(heat.shape)


def without_content(pixels: Pixels) -> Pixels:
    """A picture of the photo's mean colour, (s, s, 3)."""
    return np.broadcast_to(np.rint(pixels.mean(axis=(0, 1))).astype(np.uint8), pixels.shape)


def blurred_photo(pixels: Pixels) -> Pixels:
    """The photo blurred by a Gaussian of a sixteenth of its side, (s, s, 3): colours stay, shapes go."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(pixels.shape[0] / 16)))


def _beaten(others: list[float], ours: float) -> float:
    values = np.array(others)
    return float((values > ours).mean() + 0.5 * (values == ours).mean())
