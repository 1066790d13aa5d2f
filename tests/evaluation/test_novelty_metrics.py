"""AUROC and FPR at a TPR: by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from flowers_core.evaluation.novelty_metrics import auroc, detection, fpr_at_tpr
from flowers_core.evaluation.novelty_metrics import roc_curve as recorded_curve


def test_by_hand() -> None:
    # Of the six pairs four are in the right order and one is a tie.
    assert auroc([3, 2], [1, 2, 2.5]) == pytest.approx((4 + 0.5) / 6)
    # Both known photos must pass: the threshold is 2, which 2 and 2.5 reach.
    assert fpr_at_tpr([3, 2], [1, 2, 2.5]) == pytest.approx(2 / 3)
    # Half of them must: the threshold is 3.
    assert fpr_at_tpr([3, 2], [1, 2, 2.5], tpr=0.5) == 0.0


@pytest.mark.parametrize("decimals", [1, 6])  # with many ties, and with none
def test_equals_scikit_learn(decimals: int) -> None:
    generator = np.random.default_rng(0)
    known = generator.normal(1, 1, 300).round(decimals)
    others = generator.normal(0, 1, 170).round(decimals)
    truth, scores = np.repeat([1, 0], [300, 170]), np.concatenate([known, others])
    assert auroc(known, others) == pytest.approx(roc_auc_score(truth, scores))
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert fpr_at_tpr(known, others) == pytest.approx(fpr[np.flatnonzero(tpr >= 0.95)[0]])


def test_intervals_hold_the_figures_and_narrow_with_more_photos() -> None:
    generator = np.random.default_rng(1)
    known, others = generator.normal(2, 1, 2000), generator.normal(0, 1, 2000)
    many, few = detection(known, others, resamples=200), detection(known[:100], others[:100], resamples=200)
    # Of two normal distributions two deviations apart it is Φ(2 / √2).
    assert many.auroc == pytest.approx(0.9214, abs=0.01)
    assert many.auroc_low < many.auroc < many.auroc_high
    assert many.fpr_low <= many.fpr <= many.fpr_high
    assert many.auroc_high - many.auroc_low < (few.auroc_high - few.auroc_low) / 2
    assert many.fpr_at == recorded_curve(known, others)


def test_the_recorded_curve_by_hand() -> None:
    """Of two known photos the first passes alone up to a rate of a half, and no other reaches it; 2 reaches both."""
    curve = recorded_curve([3, 2], [1, 2, 2.5])
    assert curve[:26] == (0.0,) * 26
    assert curve[26:] == pytest.approx((2 / 3,) * 25)


@pytest.mark.parametrize("scores", [[], [np.nan], [[1.0]]])
def test_what_is_no_score(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one finite number"):
        auroc([1.0], scores)
