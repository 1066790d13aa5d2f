"""Several photos of one plant, against sums worked out by hand."""

import itertools

import numpy as np
import pytest

from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.prediction import predict
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.several_photos import STRAY, answer_plant, odd_ones, together

TAXONOMY = load_taxonomy()
CALIBRATION = Calibration(temperature=2.0, conformal_coverage=0.98, conformal_threshold=0.9, unsure_below=0.8)
REST = -30.0


def logits(**labels: float) -> list[float]:
    """Logits 2 ln p for `l5=p`, so that p is the probability at temperature 2."""
    row = [REST] * len(TAXONOMY)
    for name, probability in labels.items():
        row[int(name[1:]) - 1] = 2 * np.log(probability)
    return row


def test_probabilities_multiply_once_each_may_be_a_stray():
    # Of two classes: (0.95 p + 0.05 / 2) for each photo. Class 0: 0.785 · 0.215; class 1: 0.215 · 0.785 · …
    p = np.array([[[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]])
    floor = STRAY / 2
    expected = [(0.95 * p[0, :, k] + floor).prod() for k in (0, 1)]
    np.testing.assert_allclose(np.exp(together(np.log(p)))[0], expected)
    assert expected[0] == pytest.approx(0.785 * 0.31 * 0.595)


def test_two_photos_in_doubt_are_sure_together():
    photos = [logits(l5=0.6, l7=0.4), logits(l5=0.6, l9=0.4)]
    assert [predict(photo, CALIBRATION, TAXONOMY).verdict for photo in photos] == ["between", "between"]
    found = answer_plant(photos, CALIBRATION, TAXONOMY)
    own, other, none = 0.95 * 0.6 + STRAY / 102, 0.95 * 0.4 + STRAY / 102, STRAY / 102
    total = own * own + 2 * other * none + 99 * none * none
    assert found.prediction.candidates[0].label == 5
    assert found.prediction.candidates[0].probability == pytest.approx(own * own / total, rel=1e-4)
    assert found.prediction.verdict == "sure"


def test_one_photo_is_answered_nearly_as_it_is_alone():
    alone = predict(logits(l5=0.7, l7=0.3), CALIBRATION, TAXONOMY)
    found = answer_plant([logits(l5=0.7, l7=0.3)], CALIBRATION, TAXONOMY)
    assert found.odd == ()
    np.testing.assert_allclose(found.prediction.probabilities, alone.probabilities, atol=STRAY)


def test_the_order_does_not_matter_and_the_odd_one_is_pointed_at():
    photos = [logits(l5=0.9, l7=0.1), logits(l30=0.999, l31=0.001), logits(l5=0.6, l8=0.4)]
    for order in itertools.permutations(range(3)):
        found = answer_plant([photos[place] for place in order], CALIBRATION, TAXONOMY)
        assert found.prediction.candidates[0].label == 5
        assert found.odd == (order.index(1),)


def test_of_two_photos_or_of_two_against_two_none_is_odd():
    one, other = logits(l5=0.999, l6=0.001), logits(l30=0.999, l31=0.001)
    assert answer_plant([one, other], CALIBRATION, TAXONOMY).odd == ()
    assert answer_plant([one, one, other, other], CALIBRATION, TAXONOMY).odd == ()
    assert answer_plant([one, one, other, other], CALIBRATION, TAXONOMY).prediction.verdict == "between"
    assert answer_plant([one, one, one, other, other], CALIBRATION, TAXONOMY).odd == (3, 4)


def test_a_photo_that_may_show_the_plant_is_not_odd():
    # p 0.001 for the answer is more than a stray would give it: 0.95 · 0.001 > 0.05 / 102.
    assert answer_plant([logits(l5=0.9)] * 2 + [logits(l30=0.999, l5=0.001)], CALIBRATION, TAXONOMY).odd == ()
    assert answer_plant([logits(l5=0.9)] * 2 + [logits(l30=0.999, l5=0.0001)], CALIBRATION, TAXONOMY).odd == (2,)


def test_many_plants_at_once_are_as_one_by_one():
    given = np.log(np.random.default_rng(0).dirichlet(np.full(6, 0.2), size=(5, 4)) + 1e-12)
    answers = together(given).argmax(axis=-1)
    for plant, answer, odd in zip(given, answers, odd_ones(given, answers), strict=True):
        assert together(plant).argmax() == answer
        assert (odd_ones(plant, answer) == odd).all()


@pytest.mark.parametrize("wrong", [np.zeros((0, 102)), np.zeros(102), np.zeros((2, 101))])
def test_other_shapes_are_refused(wrong):
    with pytest.raises(ValueError):
        answer_plant(wrong, CALIBRATION, TAXONOMY)
