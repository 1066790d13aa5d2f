"""The figures of confidence, counted by hand on a handful of answers."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from flowers_core.evaluation.confidence_report import Rules, confidence_figures, novelty_figures
from flowers_core.evaluation.evidence import NO_CLASS, Observed
from flowers_core.inference.confidence import Evidence, signals_of
from flowers_core.inference.confidence_model import ConfidenceModel
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.novelty import NoveltyRule
from flowers_core.inference.prediction_set import SetRule

_SPACE = DiscriminantSpace(
    prototypes=np.array([[2, 0], [0, 2]], np.float32),
    scale=np.ones(2, np.float32),
    mean=np.array([1, 1], np.float32),
    projection=np.eye(2, dtype=np.float32),
)
# Confidence is the logistic function of the margin alone.
_MODEL = ConfidenceModel((0.0,) * 5, (1.0,) * 5, (1.0, 0, 0, 0, 0), 0.0, (-9.0, 9.0), (-9.0, 9.0), sure_from=0.8)
_RULES = Rules(_SPACE, _MODEL, NoveltyRule(0, 1, 0, 1, -2.0, 0.95), SetRule(0.7, 0.0, 1, 1, 1, 1), temperature=2.0)


def _observed(margins: list[float], labels: list[int]) -> Observed:
    embeddings = np.array([[1 + margin / 2, 1 - margin / 2] for margin in margins], np.float32)
    logits = np.array([[margin, 0] for margin in margins], np.float32)
    return Observed(
        Evidence(logits, embeddings, np.zeros(len(margins), np.float32)), np.array(labels), np.arange(len(labels))
    )


def test_figures_by_hand() -> None:
    # Confidences 0.95, 0.88, 0.73 and 0.62; the third answer is wrong.
    figures = confidence_figures(_RULES, _observed([3.0, 2.0, 1.0, 0.5], [1, 1, 2, 1]), resamples=20)
    stated = 1 / (1 + np.exp(-np.array([3.0, 2.0, 1.0, 0.5])))
    assert figures.photos == 4
    assert figures.top1 == 0.75
    assert figures.ece == pytest.approx(np.abs(stated - [1, 1, 0, 1]).mean())
    assert figures.aurc == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    # At one temperature the same answers are ranked the same way.
    assert figures.aurc_temperature == figures.aurc
    assert figures.aurc_gain_low == figures.aurc_gain_high == 0
    assert (figures.sure, figures.sure_top1) == (0.5, 1.0)
    # Above 0.7 the answer stands alone; the last has both classes.
    assert figures.set_coverage == 0.75
    assert figures.set_size == 1.25
    # 15 bins of 1/15: 0.62 and 0.73 lie in the 10th and 11th, 0.88 and 0.95 in the 14th and 15th.
    assert [(round(15 * one.high), one.count, one.accuracy) for one in figures.reliability] == [
        (10, 1, 1.0),
        (11, 1, 0.0),
        (14, 1, 1.0),
        (15, 1, 1.0),
    ]


def test_what_looks_like_no_flower_is_not_sure() -> None:
    rules = replace(_RULES, novelty=NoveltyRule(0, 1, 0, 1e9, threshold=-1.0, accepted=0.95))
    # Both are confident. The second lies e away from the prototype, and more, where −log(distance) is below −1.
    figures = confidence_figures(rules, _observed([3.0, 7.0], [1, 1]), resamples=2)
    assert (figures.sure, figures.sure_top1) == (0.5, 1.0)


def test_nobody_is_sure() -> None:
    figures = confidence_figures(_RULES, _observed([0.5], [1]), resamples=2)
    assert (figures.sure, figures.sure_top1) == (0.0, None)


def test_novelty_against_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    known = _observed(generator.uniform(1, 3, 40).tolist(), [1] * 40)
    others = _observed(generator.uniform(0.1, 2, 30).tolist(), [NO_CLASS] * 30)
    found = novelty_figures(_RULES, known, others, "test", np.eye(2, dtype=np.float32), resamples=20)
    truth = np.repeat([1, 0], [40, 30])
    margins = np.concatenate([part.evidence.logits[:, 0] for part in (known, others)])
    # With two classes all scores of the logits rank as the margin does.
    for name in ("max_probability", "energy", "confidence"):
        assert found.scores[name].auroc == pytest.approx(roc_auc_score(truth, margins))
        assert found.scores[name].auroc_low < found.scores[name].auroc < found.scores[name].auroc_high
    assert set(found.scores) == {"max_probability", "energy", "fdbd", "prototype_distance", "familiarity", "confidence"}
    confidence = _MODEL.confidence(signals_of(others.evidence, _SPACE))
    assert (found.split, found.known, found.others) == ("test", 40, 30)
    assert found.others_sure == (confidence >= 0.8).sum() > 0
