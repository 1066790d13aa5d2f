"""One surrogate for the whole answer: ridge regression of the log-odds on the masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import FloatArray
from flowers_core.explain.lime.superpixels import Masks
from flowers_core.explain.lime.surrogate import Surrogate, ridge
from flowers_core.explain.subject import Pixels, Subject

#: Three balanced blocks of 32 pairs, and the whole photo. A fourth block changed the deletion area by 0.003 at most,
#: and the overlap of two runs' top five by 0.03 (two sets of 40 validation photos).
SAMPLES = 193
#: Regression works best on more superpixels than `superpixels.SEGMENTS`: on two sets of 40 validation photos the
#: deletion area over 30 was 0.03 lower than over 26; over 34, on one of the sets, it was higher again.
SEGMENTS = 30
#: Of the ridge: enough to invert several samples a superpixel, and no more, for it draws every effect towards 0.
ALPHA = 0.01


class RegressionFit:
    """Fits the log-odds of the whole answer; works for any model."""

    #: Regression on hardly more samples than coefficients underestimates its own errors.
    SAMPLES_PER_COEFFICIENT = 3

    def __init__(self, subject: Subject) -> None:
        self._model = subject.logits

    def samples_for(self, superpixels: int) -> int:  # noqa: ARG002 - the same interface as PositionFit
        """How many samples are enough."""
        return SAMPLES

    def logits(self, photos: Pixels) -> FloatArray:
        """The model's logits (n, classes) on photos (n, s, s, 3)."""
        return self._model(photos)

    def surrogate(self, masks: Masks, log_odds: npt.NDArray[np.float64]) -> Surrogate:
        """Ridge on the samples so far: masks (n, superpixels), log-odds (n,)."""
        # The two of an antithetic pair were not drawn independently; the whole photo stands alone.
        pairs = (np.arange(len(masks)) + 1) // 2
        return ridge(masks, log_odds, ALPHA, groups=pairs)
