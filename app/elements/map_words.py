"""A map in words: where in the photo most of it lies. For who cannot see it."""

import numpy as np
from numpy.typing import NDArray

from app.elements.words import listed
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ContrastTarget, Explanation

# Places that are named at most; a map that needs more of them for its half lies everywhere.
MOST_PLACES = 3
_DOWN, _ACROSS = ("top", "", "bottom"), ("left", "", "right")


def map_words(explanation: Explanation, taxonomy: Taxonomy) -> str:
    """Where the map is strong, as the rest of a sentence; "" where there is nothing to draw.

    Args:
        explanation: the map.
        taxonomy: the classes' names.
    """
    target = explanation.target
    speaks_for = places(explanation, np.maximum(explanation.contributions, 0))
    if isinstance(target, ContrastTarget):
        speaks_against = places(explanation, np.maximum(-explanation.contributions, 0))
        one, other = taxonomy[target.label].name, taxonomy[target.rival].name
        sides = [f"for {name} {where}" for name, where in ((one, speaks_for), (other, speaks_against)) if where]
        return f"most of it lies {listed(sides, 'and')}" if sides else ""
    return f"most of it lies {speaks_for}" if speaks_for and explanation.has_positive_evidence else ""


def places(explanation: Explanation, weights: NDArray[np.float32]) -> str:
    """The fewest ninths of the photo that hold half of the weight, the heaviest first; "" where there is no weight.

    Args:
        explanation: says where in the photo the weights lie.
        weights: (h, w), not negative, over the explanation's box.
    """
    if not weights.any():
        return ""
    left, top, right, bottom = explanation.box
    width, height = explanation.photo_size
    ninths = np.zeros((3, 3))
    down, across = _thirds(weights.shape[0], top, bottom, height), _thirds(weights.shape[1], left, right, width)
    np.add.at(ninths, np.ix_(down, across), weights)
    order = np.argsort(-ninths, axis=None, kind="stable")
    held = ninths.ravel()[order].cumsum() / ninths.sum()
    needed = int(np.searchsorted(held, 0.5)) + 1
    if needed > MOST_PLACES:
        return "all over the photo"
    return f"in the {listed([_name(int(at)) for at in order[:needed]], 'and the')}"


def _thirds(count: int, begin: float, end: float, whole: float) -> NDArray[np.int64]:
    """In which third of the photo's side the middle of each of so many positions lies."""
    middles = begin + (np.arange(count) + 0.5) * (end - begin) / count
    return np.clip(3 * middles / whole, 0, 2).astype(np.int64)


def _name(ninth: int) -> str:
    return " ".join(filter(None, (_DOWN[ninth // 3], _ACROSS[ninth % 3]))) or "middle"
