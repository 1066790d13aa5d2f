import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import accuracy_score

from flowers_core.evaluation.comparison import Change, ClassChange, compare, disagreements
from flowers_core.evaluation.predictions import Predictions, PredictionsError


def _answers(ids: list[int], labels: list[int], called: list[int], classes: int = 5) -> Predictions:
    logits = np.zeros((len(ids), classes), np.float32)
    logits[np.arange(len(ids)), np.array(called) - 1] = 3
    return Predictions(np.array(ids), np.array(labels), logits)


def test_by_hand() -> None:
    before = _answers([1, 2, 3, 4, 5, 6, 9], [1, 1, 2, 2, 3, 3, 5], [1, 2, 3, 3, 3, 1, 5])
    after = _answers([6, 5, 4, 3, 2, 1, 8], [3, 3, 2, 2, 1, 1, 4], [3, 1, 2, 4, 1, 1, 4])
    found = compare(before, after)
    assert found.photos == 6
    assert found.fixed == (Change(2, 1, 2, 1), Change(4, 2, 3, 2), Change(6, 3, 1, 3))
    assert found.broken == (Change(5, 3, 3, 1),)
    assert found.gain == pytest.approx(2 / 6)
    # Of four coins, three or more alike: 2 · (1 + 4) / 16.
    assert found.p_value == pytest.approx(10 / 16)
    assert found.by_class() == (ClassChange(1, 1, 0), ClassChange(2, 1, 0), ClassChange(3, 1, 1))


def test_the_gain_is_the_difference_of_accuracies_and_p_that_of_the_binomial() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 6, 500)
    models = [np.where(rng.random(500) < skill, labels, rng.integers(1, 6, 500)) for skill in (0.6, 0.75)]
    before, after = (_answers(list(range(500)), labels.tolist(), called.tolist()) for called in models)
    found = compare(before, after)
    assert found.gain == pytest.approx(accuracy_score(labels, models[1]) - accuracy_score(labels, models[0]))
    fewer, more = sorted((len(found.fixed), len(found.broken)))
    assert found.p_value == pytest.approx(2 * binom.cdf(fewer, fewer + more, 0.5))
    assert found.p_value < 0.01
    assert compare(before, before).p_value == 1
    assert sum(row.net for row in found.by_class()) == len(found.fixed) - len(found.broken)


def test_records_that_cannot_be_compared() -> None:
    with pytest.raises(PredictionsError, match="in common"):
        compare(_answers([1], [1], [1]), _answers([2], [1], [1]))
    with pytest.raises(PredictionsError, match="true class"):
        compare(_answers([1], [1], [1]), _answers([1], [2], [1]))


def test_disagreements_by_hand() -> None:
    """Photos 2, 4, 5 and 6 get two names; where one model is less sure, that is what counts."""
    before = _answers([1, 2, 4, 5, 6], [1, 1, 2, 3, 3], [1, 2, 3, 3, 1])
    after = _answers([6, 5, 4, 2, 1], [3, 3, 2, 1, 1], [3, 1, 4, 1, 1])
    after.logits[2] *= 2  # photo 4: surer, but the other is not
    after.logits[0] /= 2  # photo 6: less sure
    found = disagreements(before, after, 1.0, 1.0)
    assert [item.photo_id for item in found] == [2, 4, 5, 6]
    assert [item.right for item in found] == ["after", "neither", "before", "after"]
    assert [(item.before, item.after) for item in found] == [(2, 1), (3, 4), (3, 1), (1, 3)]
    e = np.exp(3)
    assert found[0].confidence_before == pytest.approx(e / (e + 4))
    assert found[3].confidence_after == pytest.approx(np.exp(1.5) / (np.exp(1.5) + 4))
    assert disagreements(before, before, 1.0, 1.0) == ()
    with pytest.raises(PredictionsError, match="any photo in common"):
        disagreements(before, _answers([7], [1], [1]), 1.0, 1.0)
