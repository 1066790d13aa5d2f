"""LIME's samples: copies of a photo with superpixels hidden, and the model's log-odds on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.lime.masks import balanced_masks, keep_probability
from flowers_core.explain.lime.options import SIGMA
from flowers_core.explain.lime.superpixels import Masks, SegmentedPhoto
from flowers_core.explain.perturbation import Progress, log_odds, report_progress
from flowers_core.explain.subject import Logits

#: Probability with which a sample shows a superpixel.
KEEP = keep_probability(SIGMA)


class Sampler:
    """Runs the model on masked copies of a photo, batch by batch.

    The first sample is the whole photo. Then come antithetic pairs: one hides what the other shows.
    """

    def __init__(
        self,
        photo: SegmentedPhoto,
        model: Logits,
        target: ClassTarget,
        temperature: float,
        *,
        samples: int,
        batch_size: int,
        seed: int,
        progress: Progress | None,
    ) -> None:
        """Draw the masks.

        Args:
            photo: with its superpixels.
            model: photos to logits.
            target: the class whose log-odds are sampled.
            temperature: of the softmax.
            samples: at most, ≥ 2.
            batch_size: photos in one call of `model`.
            seed: of the draws.
            progress: called with (samples done, samples) before the first batch and after each.
        """
        self._photo = photo
        self._model = model
        self._target = target
        self._temperature = temperature
        self._samples = samples
        self._batch_size = batch_size
        self._progress = progress
        self._masks = balanced_masks(samples, photo.count, np.random.default_rng(seed), KEEP)
        self._log_odds = np.empty(0)

    @property
    def baseline_log_odds(self) -> float:
        """Of the photo with every superpixel hidden."""
        return float(self._log_odds[0])

    @property
    def whole_log_odds(self) -> float:
        """Of the whole photo."""
        return float(self._log_odds[1])

    def batches(self) -> Iterator[tuple[Masks, npt.NDArray[np.float64]]]:
        """After each batch all samples so far: their masks (n, superpixels) and log-odds (n,).

        Raises:
            ExplanationStopped: if `progress` returned False.
            ValueError: if there is no such label.
        """
        report_progress(self._progress, 0, self._samples)
        # The baseline is not a sample. It goes first, because a batch of its own at the end would leave interpreters
        # idle.
        masks = np.concatenate([np.zeros((1, self._photo.count), bool), self._masks])
        while (begin := len(self._log_odds)) < len(masks):
            # The first batch also has the baseline and the whole photo, so that no pair is split between two batches.
            batch = masks[begin : begin + self._batch_size + (0 if begin else 2)]
            logits = self._model(self._photo.masked(batch))
            found = log_odds(logits, self._target, self._temperature)
            self._log_odds = np.concatenate([self._log_odds, found])
            done = len(self._log_odds) - 1
            report_progress(self._progress, done, self._samples)
            yield self._masks[:done], self._log_odds[1:]
