"""The concepts of a model as its bundle keeps them: the dictionary, how much each class has, where each is typical."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flowers_core.errors import FlowersError
from flowers_core.explain.concepts.dictionary import ConceptDictionary, head_readout
from flowers_core.explain.explanation import FloatArray
from flowers_core.storage.npz import read_npz

CONCEPTS_FILE = "concepts.npz"
#: Places that are kept of each concept, each in another photo.
EXAMPLES = 6


class ConceptsError(FlowersError):
    """A file of concepts that cannot be used; the message says why."""


@dataclass(frozen=True, eq=False)
class Concepts:
    """What a model's feature maps are made of.

    Attributes:
        dictionary: k concepts over c channels.
        amounts: (classes, k) float32, how much of each concept a training photo of the class has, on average: the mean
            over its photos and their positions.
        photos: (k, n) int64, ids of the training photos that have most of each concept at one position, that one first.
        places: (k, n, 2) int64, row and column of that position.
        grid: (rows, columns) of the feature map.
        readout_weight: of the head's reading in the dictionary's distance, as in `head_readout`.
    """

    dictionary: ConceptDictionary
    amounts: npt.NDArray[np.float32]
    photos: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    grid: tuple[int, int]
    readout_weight: float = 0.0

    def __post_init__(self) -> None:
        count = len(self.dictionary)
        fits = self.amounts.shape[1:] == (count,) and self.photos.shape[:1] == (count,)
        if not fits or self.places.shape != (*self.photos.shape, 2):
            raise ValueError("The parts of the concepts do not fit one another.")

    def __len__(self) -> int:
        return len(self.dictionary)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """What is written into a bundle, by name."""
        return {
            "concepts": self.dictionary.concepts.astype(np.float16),
            "amounts": self.amounts.astype(np.float16),
            "photos": self.photos.astype(np.int32),
            "places": self.places.astype(np.uint8),
            "grid": np.array(self.grid, np.uint8),
            "readout_weight": np.array(self.readout_weight, np.float32),
        }


def load_concepts(path: Path, head: FloatArray) -> Concepts:
    """Read a bundle's concepts.

    Args:
        path: the file.
        head: (c, classes), the linear layer's weights.

    Raises:
        ConceptsError: if the file does not hold concepts of this head's channels.
        NpzError: if it cannot be read.
    """
    stored = read_npz(path)
    try:
        concepts = stored["concepts"].astype(np.float64)
        # Half precision leaves lengths that are off by a thousandth.
        concepts /= np.linalg.norm(concepts, axis=1, keepdims=True)
        if (len(stored["amounts"]), concepts.shape[1]) != head.shape[::-1]:
            raise ValueError("the model has other classes or channels.")
        weight = float(stored["readout_weight"])
        rows, columns = (int(side) for side in stored["grid"])
        return Concepts(
            ConceptDictionary(concepts, head_readout(head, weight)),
            stored["amounts"].astype(np.float32),
            stored["photos"].astype(np.int64),
            stored["places"].astype(np.int64),
            (rows, columns),
            weight,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConceptsError(f"{path} holds no concepts: {error}") from error


def describe_concepts(
    dictionary: ConceptDictionary,
    maps: FloatArray,
    photo_ids: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    classes: int,
    *,
    readout_weight: float = 0.0,
) -> Concepts:
    """Look where each concept is, and how much each class has of it.

    Args:
        dictionary: the concepts.
        maps: (n, h, w, c), the feature maps of training photos.
        photo_ids: (n,), their ids.
        labels: (n,), from 1.
        classes: how many the model knows.
        readout_weight: that the dictionary was made with.
    """
    grid = maps.shape[1:3]
    means, strongest, where = [], [], []
    for features in maps:
        presence = dictionary.presence(features, tolerance=1e-3).reshape(-1, len(dictionary))
        means.append(presence.mean(axis=0))
        strongest.append(presence.max(axis=0))
        where.append(presence.argmax(axis=0))
    amounts = np.zeros((classes, len(dictionary)))
    np.add.at(amounts, labels - 1, means)
    amounts /= np.maximum(np.bincount(labels - 1, minlength=classes), 1)[:, None]
    best = np.argsort(-np.asarray(strongest), axis=0, kind="stable")[:EXAMPLES].T
    at = np.take_along_axis(np.asarray(where).T, best, axis=1)
    return Concepts(
        dictionary,
        amounts.astype(np.float32),
        photo_ids[best],
        np.stack(np.unravel_index(at, grid), axis=-1).astype(np.int64),
        (int(grid[0]), int(grid[1])),
        readout_weight,
    )
