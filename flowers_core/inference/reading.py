"""How a bundle's answers are read: what a forward pass says of each picture, and what follows for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.taxonomy import Taxon
from flowers_core.inference.looks_rule import LooksRule, looks_rule
from flowers_core.inference.prediction import Prediction, Verdict, predict, ranked, softmax, verdict_of
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.runtime import Forward


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model says of n pictures.

    Attributes:
        probabilities: (n, classes) float64, calibrated; rows sum to 1.
        familiar: (n,) bool, whether each looks like the flower that it is called.
    """

    probabilities: NDArray[np.float64]
    familiar: NDArray[np.bool_]


class Reader(Protocol):
    """How a bundle's forward passes are read."""

    @property
    def sure_from(self) -> float:
        """The probability from which on an answer is given without doubt."""
        ...

    @property
    def looks(self) -> LooksRule:
        """How several looks become one answer."""
        ...

    def read(self, forward: Forward) -> Reading:
        """What is said of n pictures, each by itself."""
        ...

    def set_size(self, probabilities: NDArray[np.float64]) -> int:
        """How many of the most probable classes make the prediction set; 0 where none qualifies."""
        ...

    def predict(self, forward: Forward, taxonomy: Iterable[Taxon]) -> Prediction:
        """The answer to one photo from one look.

        Args:
            forward: the pass over that photo.
            taxonomy: the classes in order of label.
        """
        ...


def judged(
    probabilities: NDArray[np.float64], taxa: list[Taxon], reader: Reader, sure_from: float, *, novel: bool
) -> Prediction:
    """Build a prediction with its verdict from probabilities.

    Args:
        probabilities: (classes,) float64, sums to 1; made read-only.
        taxa: the classes in order of label.
        reader: knows the prediction set.
        sure_from: the probability from which on the answer is given without doubt; it then is the whole set.
        novel: whether the photo looks like none of the flowers. Nothing but "unsure" is said of such a photo.
    """
    members = max(reader.set_size(probabilities), 1)
    verdict: Verdict = "unsure"
    if not novel and probabilities.max() >= sure_from:
        verdict, members = "sure", 1
    elif not novel and members > 1:
        verdict = verdict_of(members, float(np.sort(probabilities)[-members:].sum()), reader.sure_from)
    return ranked(probabilities, members, verdict, taxa, novel=novel)


@dataclass(frozen=True, eq=False)
class TemperatureReader:
    """Reads with one temperature for all photos.

    Attributes:
        calibration: the temperature and its thresholds.
        prototypes: gives the classes' prototypes, when they are first needed, or None: then all looks familiar.
    """

    calibration: Calibration
    prototypes: Callable[[], Prototypes | None]

    @property
    def sure_from(self) -> float:
        """As the calibration has it."""
        return self.calibration.unsure_below

    @property
    def looks(self) -> LooksRule:
        """The rule that was not fitted to the bundle."""
        return looks_rule(self.sure_from)

    def read(self, forward: Forward) -> Reading:
        """A picture is familiar if it lies near the prototype of its most probable class."""
        probabilities, known = softmax(forward.logits, self.calibration.temperature), self.prototypes()
        familiar = np.ones(len(forward), np.bool_)
        if known is not None:
            for row, answer in enumerate(probabilities.argmax(axis=1).tolist()):
                familiar[row] = known.within_threshold(forward.embedding[row : row + 1], answer + 1)[0]
        return Reading(probabilities, familiar)

    def set_size(self, probabilities: NDArray[np.float64]) -> int:
        """As `predict` counts them."""
        return int((1 - probabilities <= self.calibration.conformal_threshold).sum())

    def predict(self, forward: Forward, taxonomy: Iterable[Taxon]) -> Prediction:
        """As `prediction.predict`.

        Args:
            forward: the pass over one photo.
            taxonomy: the classes in order of label.

        Raises:
            ValueError: if there are several photos.
        """
        if len(forward) != 1:
            raise ValueError(f"One photo is read at a time, not {len(forward)}.")
        return predict(forward.logits[0], self.calibration, taxonomy)
