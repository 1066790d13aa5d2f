"""A counterfactual of the last feature map, tried on pixels: the patches are pasted and the model is asked again.

The exchange of positions is exact in the last layer, but a position there has seen more of the photo than its own
square. So the squares of the other photo are pasted into this one, and the model looks again. Random exchanges of as
many squares stand beside it: what any cutting and pasting does.
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
    """One photo with squares of another.

    Args:
        pixels: (s, s, 3) uint8, as the model sees the photo.
        other: (s, s, 3) uint8, as the model sees the other photo.
        pairs: ((row, column) that is replaced, (row, column) of the other photo that is pasted there).
        grid: (rows, columns) of the feature map.

    Returns:
        (s, s, 3) uint8, a new array.
    """
    made = pixels.copy()
    for here, there in pairs:
        place, source = _square(here, grid, pixels.shape), _square(there, grid, pixels.shape)
        # Where the grid does not divide the side, squares differ by a pixel: what both have is pasted.
        height = min(place[0].stop - place[0].start, source[0].stop - source[0].start)
        width = min(place[1].stop - place[1].start, source[1].stop - source[1].start)
        top, left, from_top, from_left = (part.start for part in (*place, *source))
        made[top : top + height, left : left + width] = other[
            from_top : from_top + height, from_left : from_left + width
        ]
    return made


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


def _square(position: Position, grid: tuple[int, int], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The pixels of a position, as (rows, columns)."""
    (row, column), (rows, columns) = position, grid
    height, width = shape[:2]
    return (
        slice(round(row * height / rows), round((row + 1) * height / rows)),
        slice(round(column * width / columns), round((column + 1) * width / columns)),
    )
