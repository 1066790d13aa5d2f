"""Several photos of one plant → one answer, and the photos that do not belong to it.

Given the plant, the photos count as independent witnesses, so their log-probabilities add up (the product rule of
Kittler et al. 1998). With the prior probability `STRAY` a photo shows something else, about which any flower is as
likely as any other; this keeps one photo from outvoting all others. The order of the photos does not matter.

`STRAY` and the plain product were chosen by the least negative log-likelihood over threes of validation photos of a
class, half of them with a photo of another class among them. The mean of the probabilities and weights below 1 were
worse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.taxonomy import Taxon
from flowers_core.inference.prediction import Prediction, log_softmax, predict
from flowers_core.inference.records.calibration import Calibration

STRAY = 0.05
#: Of fewer photos none can be called the odd one out.
LEAST_FOR_ODD = 3


@dataclass(frozen=True, eq=False)
class PlantAnswer:
    """What several photos of one plant say together.

    Attributes:
        prediction: the answer, in probabilities.
        odd: positions of the photos that show something else, by the others; fewer than half of all photos.
    """

    prediction: Prediction
    odd: tuple[int, ...]


def answer_plant(logits: ArrayLike, calibration: Calibration, taxonomy: Iterable[Taxon]) -> PlantAnswer:
    """The answer to photos of one plant.

    The verdict is by the rule for one photo (`predict`), with the probabilities of all photos together.

    Args:
        logits: (photos, classes), at least one photo.
        calibration: of the model.
        taxonomy: the classes, one for each logit.

    Raises:
        ValueError: there is no photo, or the logits are not one finite number for each label of the taxonomy.
    """
    values = np.asarray(logits, np.float64)
    if values.ndim != 2 or not len(values):
        raise ValueError(f"The logits of at least one photo are (photos, classes), not {values.shape}.")
    of_photos = log_softmax(values, calibration.temperature)
    prediction = predict(together(of_photos), replace(calibration, temperature=1.0), taxonomy)
    odd = odd_ones(of_photos, np.int64(prediction.candidates[0].label - 1))
    return PlantAnswer(prediction, tuple(np.flatnonzero(odd).tolist()))


def together(log_probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The log-probabilities of plants by several photos each, up to a constant.

    Args:
        log_probabilities: (…, photos, classes), calibrated.

    Returns:
        (…, classes).
    """
    return _unless_stray(log_probabilities).sum(axis=-2)


def odd_ones(log_probabilities: NDArray[np.float64], answers: NDArray[np.int64] | np.int64) -> NDArray[np.bool_]:
    """Which photos are more probably strays than photos of the plant that was named.

    Args:
        log_probabilities: (…, photos, classes), calibrated.
        answers: (…), the class indices of the answers about the plants.

    Returns:
        (…, photos). All False where there are too few photos, or half of them or more would be odd.
    """
    photos, classes = log_probabilities.shape[-2:]
    wanted = np.asarray(answers)[..., None, None]
    of_answer = np.take_along_axis(_unless_stray(log_probabilities), wanted, axis=-1)[..., 0]
    stray = np.log(STRAY / classes) - of_answer > np.log(0.5)
    few = (photos >= LEAST_FOR_ODD) & (2 * stray.sum(axis=-1) < photos)
    return stray & few[..., None]


def _unless_stray(log_probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    classes = log_probabilities.shape[-1]
    return np.logaddexp(log_probabilities + np.log1p(-STRAY), np.log(STRAY / classes))
