"""Plants dealt from photos: what is dealt, and figures counted by hand and one by one."""

import numpy as np
import pytest

from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.several_photos import deal, several_photos_figures, with_strangers
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.several_photos import answer_plant

CALIBRATION = Calibration(temperature=1.0, conformal_coverage=0.98, conformal_threshold=0.9, unsure_below=0.8)


def test_every_plant_is_of_one_class_and_no_photo_twice_in_a_round():
    labels = np.array([1] * 7 + [2] * 3 + [3] * 2)
    plants = deal(labels, 3, 1, seed=0)
    assert plants.shape == (3, 3)  # two of class 1, one of class 2; class 3 has too few
    assert len(np.unique(plants)) == 9
    assert [set(labels[plant]) for plant in plants] == [{1}, {1}, {2}]
    assert len(deal(labels, 3, 4, seed=0)) == 12
    assert (deal(labels, 3, 2, seed=5) == deal(labels, 3, 2, seed=5)).all()


def test_the_stranger_is_of_another_class():
    labels = np.repeat([1, 2, 3], 6)
    plants = deal(labels, 3, 2, seed=0)
    replaced = with_strangers(plants, labels, seed=1)
    assert (replaced[:, :2] == plants[:, :2]).all()
    assert (labels[replaced[:, 2]] != labels[replaced[:, 0]]).all()


def test_one_wrong_photo_of_three_is_outvoted():
    # Three classes, three photos each, one of them wrong but not certain.
    labels = np.repeat([1, 2, 3], 3)
    logits = np.log(np.full((9, 3), 0.05))
    for row, label in enumerate(labels):
        logits[row, label - 1] = np.log(0.9)
    for row in (0, 3, 6):
        logits[row] = np.log([0.3, 0.3, 0.3])
        logits[row, labels[row] % 3] = np.log(0.4)
    found = several_photos_figures(logits, labels, CALIBRATION, photos=3, rounds=2, seed=0)
    assert (found.plants, found.error_of_one, found.error) == (6, pytest.approx(1 / 3), 0.0)
    assert (found.sure, found.sure_top1, found.wrongly_odd) == (1.0, 1.0, 0.0)


def test_the_figures_are_those_of_the_answers_one_by_one():
    generator = np.random.default_rng(3)
    labels = np.repeat(np.arange(1, 103), 3)
    logits = generator.normal(0, 2, (len(labels), 102))
    logits[np.arange(len(labels)), labels - 1] += 6
    found = several_photos_figures(logits, labels, CALIBRATION, photos=3, rounds=1, seed=0)
    taxonomy = load_taxonomy()
    plants = deal(labels, 3, 1, 0)
    answers = [answer_plant(logits[plant], CALIBRATION, taxonomy) for plant in plants]
    right = [answer.prediction.candidates[0].label for answer in answers] == labels[plants[:, 0]]
    sure = [answer.prediction.sure for answer in answers]
    assert found.error == pytest.approx(1 - np.mean(right))
    assert found.sure == np.mean(sure)
    assert 0 < found.error_of_one < 1
    assert found.wrongly_odd == np.mean([bool(answer.odd) for answer in answers])
    strangers = [answer_plant(logits[plant], CALIBRATION, taxonomy) for plant in with_strangers(plants, labels, 1)]
    assert found.stranger_found == np.mean([answer.odd == (2,) for answer in strangers])
    assert 0 < found.stranger_found < 1
