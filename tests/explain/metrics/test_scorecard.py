"""The table of methods, with numbers worked out by hand and SciPy's bootstrap."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.methods import METHODS, Method, Needs
from flowers_core.explain.metrics.faithfulness import Baselines, Curves
from flowers_core.explain.metrics.input_noise import with_input_noise
from flowers_core.explain.metrics.scorecard import (
    FIGURES,
    Score,
    baseline_scores,
    score,
    scorecard,
)
from flowers_core.explain.subject import Subject
from tests.fixtures.subjects import subject

SIZE = 40


def scored(photo_id: int, method: str, value: float) -> Score:
    return Score(photo_id, method, *[value] * len(FIGURES))


def quarter_red(batch: np.ndarray) -> np.ndarray:
    probability = np.clip(batch[:, :20, :20, 0].mean(axis=(1, 2)) / 255, 1e-9, 1 - 1e-9)
    return np.log(np.column_stack([1 - probability, probability]))


@pytest.fixture
def seen() -> Subject:
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[:20, :20, 0] = 200
    return subject(pixels, quarter_red)


def corner(subject, target, *, seed):
    """The right answer, with a cell that changes with the seed."""
    cells = np.array([[5.0, 0.5 * seed], [0.0, -1.0]])
    return Explanation("corner", target, cells, 0.0, "logit", subject.box, subject.photo_size, 0.25)


def test_a_method_is_scored_on_a_photo(seen):
    passes = []
    watched = replace(seen, logits=lambda batch: passes.append(len(batch)) or quarter_red(batch))
    method = Method(name="corner", title="Corner", run=corner, needs=Needs.NOTHING, forward_passes=0)
    noisy = watched.with_pixels(with_input_noise(watched.pixels, 1), watched.features)
    found, baselines = score(method, watched, noisy, ClassTarget(2), photo_id=12)
    assert (found.photo_id, found.method, found.seconds) == (12, "corner", 0.25)
    assert (found.deletion_beats, found.insertion_beats, found.beats_centre) == (1.0, 1.0, 1.0)
    assert 0.8 < found.stability < 0.999  # the second run had another seed
    assert found.stability_overlap > 0.9
    assert sum(passes) == 3 + 18 * (1 + 1 + 4)  # the map, the centre and four random maps
    passes.clear()
    again, _ = score(METHODS["occlusion"], watched, noisy, ClassTarget(2), 12, baselines)
    assert sum(passes) == 21 + 2 * 145  # the baselines are known; occlusion itself takes 145 passes, twice
    assert again.deletion_beats == 1.0


def test_means_are_over_the_photos_that_all_methods_have():
    card = scorecard(
        [scored(1, "a", 0.2), scored(2, "a", 0.4), scored(3, "a", 0.9), scored(2, "b", 0.1), scored(1, "b", 0.3)]
    )
    assert card["a"]["deletion"].value == pytest.approx(0.3)
    assert card["b"]["seconds"].value == pytest.approx(0.2)
    assert scorecard([]) == {}
    assert scorecard([scored(1, "a", 0.2), scored(2, "b", 0.4)]) == {}


def test_the_gap_over_the_centre_is_of_the_same_photos():
    def gap(photo_id: int, method: str, deletion: float, insertion: float, road: float | None = None) -> Score:
        return replace(scored(photo_id, method, 0.5), deletion=deletion, insertion=insertion, road=road)

    card = scorecard(
        [
            gap(1, "a", 0.1, 0.9, road=0.25),
            gap(2, "a", 0.3, 0.6),
            gap(1, "centre", 0.2, 0.8, road=0.0),
            gap(2, "centre", 0.3, 0.5),
        ]
    )
    assert card["a"]["gap"].value == pytest.approx((0.8 + 0.3) / 2)
    assert card["a"]["over_centre"].value == pytest.approx((0.2 + 0.1) / 2)
    assert (card["a"]["over_centre"].low, card["a"]["over_centre"].high) == pytest.approx((0.1, 0.2))
    assert card["centre"]["over_centre"].value == 0
    # One photo alone was looked at closely, and nothing is known of noise.
    assert card["a"]["road"].value == 0.25
    assert "consistency" not in card["a"]


def test_intervals_are_those_of_a_bootstrap():
    values = np.random.default_rng(0).random(60)
    card = scorecard([scored(number, "a", value) for number, value in enumerate(values)])
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=5000, random_state=1).confidence_interval
    assert card["a"]["insertion"].low == pytest.approx(theirs.low, abs=0.01)
    assert card["a"]["insertion"].high == pytest.approx(theirs.high, abs=0.01)


def test_baselines_by_hand():
    def curves(deletion, insertion):
        return Curves(np.full(11, deletion), np.full(11, insertion))

    baselines = Baselines((curves(0.2, 0.5), curves(0.6, 0.9)), curves(0.4, 0.7))
    random, centre = baseline_scores(5, baselines)
    assert (random.photo_id, random.method, centre.method) == (5, "random", "centre")
    assert (random.deletion, random.insertion) == pytest.approx((0.4, 0.7))
    assert (centre.deletion, centre.insertion) == pytest.approx((0.4, 0.7))
    assert (centre.deletion_beats, centre.insertion_beats) == (0.5, 0.5)
    assert random.beats_centre == 0.5


def test_a_score_goes_to_json_and_back():
    found = scored(3, "a", 0.5)
    assert Score.from_json(found.to_json()) == found
    with pytest.raises(TypeError):
        Score.from_json({"photo_id": 3})
