"""A counterfactual of the last feature map, tried on pixels: the patches are pasted and the model is asked again.

The exchange of positions is exact in the last layer, but a position there has seen more of the photo than its own
square. So the squares of the other photo are pasted into this one, each with some of what is around it, and the model
looks again. Random exchanges of as many squares stand beside it: what any cutting and pasting does.

That the surroundings fade out over half a square was chosen on the validation mistakes of efficientnet_lite0_small:
hard edges changed fewer answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.counterfactual import Exchange, Position
from flowers_core.explain.subject import Logits, Pixels

DRAWS = 10


@dataclass(frozen=True, eq=False)
class PixelCheck:
    """What the model says of the photo with pasted squares.

    Attributes:
        pixels: (s, s, 3) uint8, the photo with the squares of the exchange pasted.
        before: logit of the rival minus logit of the label, in the photo itself.
        after: the same with the squares of the exchange.
        random: (draws,) float64, the same with as many random squares each.
        turned: whether the answer is the rival after the squares of the exchange.
    """

    pixels: Pixels
    before: float
    after: float
    random: npt.NDArray[np.float64]
    turned: bool

    def halved(self, gap: float, temperature: float) -> bool:
        """Whether the odds of the label against the rival are at most half of what they were.

        Args:
            gap: `after`, or one of `random`.
            temperature: of the softmax, > 0.
        """
        return (gap - self.before) / temperature >= np.log(2)


def pasted(pixels: Pixels, other: Pixels, pairs: Iterable[tuple[Position, Position]], grid: tuple[int, int]) -> Pixels:
    """One photo with squares of another, each with half a square around it that fades out.

    The order of the pairs does not matter: where several squares reach, they are averaged.

    Args:
        pixels: (s, s, 3) uint8, as the model sees the photo.
        other: (s, s, 3) uint8, as the model sees the other photo.
        pairs: ((row, column) that is replaced, (row, column) of the other photo that is pasted there).
        grid: (rows, columns) of the feature map.

    Returns:
        (s, s, 3) uint8, a new array.
    """
    side, cells = np.array(pixels.shape[:2]), np.array(grid)
    blended, covered = np.zeros(pixels.shape), np.zeros((*pixels.shape[:2], 1))
    for here, there in pairs:
        shift = np.rint((np.array(there) - here) * side / cells).astype(int)
        down, across = (_opacity(here[axis], int(side[axis]), grid[axis]) for axis in (0, 1))
        from_rows, from_columns = (np.clip(np.arange(side[axis]) + shift[axis], 0, side[axis] - 1) for axis in (0, 1))
        opacity = (down[:, None] * across)[..., None]
        blended += opacity * other[from_rows[:, None], from_columns]
        covered += opacity
    shown = blended / np.maximum(covered, 1) + pixels * np.maximum(1 - covered, 0)
    return np.rint(shown).astype(np.uint8)


def check_on_pixels(
    logits: Logits,
    pixels: Pixels,
    other: Pixels,
    exchange: Exchange,
    grid: tuple[int, int],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> PixelCheck:
    """Paste an exchange's squares, and random ones, and ask the model about each.

    Args:
        logits: the model, from photos to logits.
        pixels: (s, s, 3) uint8, as the model sees the photo.
        other: (s, s, 3) uint8, as the model sees the other photo.
        exchange: of positions between the two.
        grid: (rows, columns) of the feature map.
        draws: random exchanges of as many squares.
        seed: draws them.
    """
    generator = np.random.default_rng(seed)
    cells = [(row, column) for row in range(grid[0]) for column in range(grid[1])]
    count = len(exchange.pairs)

    def drawn() -> list[Position]:
        return [cells[index] for index in generator.choice(len(cells), count, replace=False)]

    changed = pasted(pixels, other, exchange.pairs, grid)
    at_random = [pasted(pixels, other, zip(drawn(), drawn(), strict=True), grid) for _ in range(draws)]
    found = np.asarray(logits(np.stack([pixels, changed, *at_random])), np.float64)
    gaps = found[:, exchange.rival - 1] - found[:, exchange.label - 1]
    turned = int(found[1].argmax()) == exchange.rival - 1
    return PixelCheck(changed, float(gaps[0]), float(gaps[1]), gaps[2:], turned)


def _opacity(place: int, side: int, cells: int) -> npt.NDArray[np.float64]:
    """How much of a square is seen along one axis, (side,): all in its cell, falling to none half a cell away."""
    first, last = round(place * side / cells), round((place + 1) * side / cells) - 1
    along = np.arange(side)
    away = np.maximum(np.maximum(first - along, along - last), 0)
    return np.clip(1 - away / (side // (2 * cells) + 1), 0, 1)
