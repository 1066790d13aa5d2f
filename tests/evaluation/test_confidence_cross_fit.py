"""Rules judged by photos that they were not fitted to: two parts that contradict each other show it."""

from dataclasses import replace

import numpy as np
import pytest

from flowers_core.evaluation.confidence_cross_fit import cross_fitted_figures
from flowers_core.evaluation.confidence_fit import fit_confidence, fit_novelty, fit_sets
from flowers_core.evaluation.confidence_report import Rules, confidence_figures
from flowers_core.evaluation.evidence import Observed
from flowers_core.inference.discriminant import fit_discriminant_space
from tests.evaluation.test_confidence_fit import _CLASSES, _observed

PHOTOS = 400
TRAINING, OTHERS = _observed(400, 0.4, 0), _observed(100, 0, 3, flowers=False)
SPACE = fit_discriminant_space(TRAINING.evidence.embeddings, TRAINING.labels, _CLASSES)


def test_honest_rules_have_the_figures_that_new_photos_give_them() -> None:
    clean, corrupted, new = _observed(1500, 0.7, 1), _observed(1500, 1.2, 2), _observed(6000, 0.7, 9)
    found = cross_fitted_figures(SPACE, TRAINING, clean, corrupted, OTHERS, temperature=1.0, resamples=20)
    model = fit_confidence(SPACE, TRAINING, clean, corrupted, OTHERS)
    rules = Rules(SPACE, model, fit_novelty(SPACE, clean), fit_sets(SPACE, model, clean, corrupted), 1.0)
    wanted = confidence_figures(rules, new, resamples=20)
    assert found["clean"].photos == 1500
    assert found["clean"].top1 == clean.right.mean()
    for figure in ("ece", "sure", "sure_top1", "set_coverage"):
        assert getattr(found["clean"], figure) == pytest.approx(getattr(wanted, figure), abs=0.03), figure


def test_no_half_judges_itself() -> None:
    """All answers to one half are right, to the other few; rules that had seen a half would know."""
    photos = _observed(PHOTOS, 0.7, 1)
    drawn = np.random.default_rng(0).permutation(PHOTOS)  # as the photos are dealt
    answers = photos.evidence.logits.argmax(axis=1) + 1
    labels = answers.copy()
    labels[drawn[PHOTOS // 2 + 25 :]] = answers[drawn[PHOTOS // 2 + 25 :]] % _CLASSES + 1
    clean = replace(photos, labels=labels)
    # Both versions of a photo are in its half.
    rows = np.repeat(np.arange(PHOTOS), 2)
    corrupted = Observed(clean.evidence.select(rows), labels[rows], rows)
    found = cross_fitted_figures(SPACE, TRAINING, clean, corrupted, OTHERS, temperature=1.0, resamples=20)
    for figures in found.values():
        assert figures.top1 == pytest.approx(225 / 400)
        assert figures.ece > 0.7
