"""Deletion and insertion by hand, on models that look where they were told to."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Explanation, NeighbourTarget
from flowers_core.explain.metrics.faithfulness import (
    FRACTIONS,
    Baselines,
    Curves,
    Faithfulness,
    baseline_maps,
    blurred_photo,
    brightness_rank,
    curves,
    in_model_frame,
    mean_colour_photo,
    measure,
)
from flowers_core.explain.perturbation import ExplanationStopped
from tests.fixtures.subjects import subject

SIZE = 40


def explanation(contributions, target=ClassTarget(2), **more) -> Explanation:  # noqa: B008 - a frozen value
    contributions = np.asarray(contributions, np.float32)
    return Explanation("any", target, contributions, 0.0, "logit", (0, 0, 40, 40), (40, 40), 0.0, **more)


def quarter_red(batch: np.ndarray) -> np.ndarray:
    """Two classes; the probability of the second is the mean red of the top-left quarter, of 255."""
    probability = np.clip(batch[:, :20, :20, 0].mean(axis=(1, 2)) / 255, 1e-9, 1 - 1e-9)
    return np.log(np.column_stack([1 - probability, probability]))


@pytest.fixture
def red_corner() -> np.ndarray:
    """Red 200 in the top-left quarter and 0 elsewhere: the mean is 50."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[:20, :20, 0] = 200
    return pixels


def test_curves_by_hand(red_corner):
    right, wrong = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    right[:20, :20] = 1
    wrong[20:, 20:] = 1
    good, bad = curves(quarter_red, red_corner, [right, wrong], ClassTarget(2))
    # Of the quarter (25 % of the photo) 10 % of the photo is two fifths: 200 → 3/5 · 200 + 2/5 · 50 = 140 …
    np.testing.assert_allclose(good.deletion * 255, [200, 140, 80, *[50] * 8], atol=1e-6)
    # 0.1 · (½ · 200 + 140 + 80 + 7 · 50 + ½ · 50) / 255
    assert good.deletion_auc == pytest.approx(0.1 * 695 / 255)
    # In the wrong order a quarter of something else goes first, then row by row from the top, left half red.
    assert bad.deletion[:3] * 255 == pytest.approx([200, 200, 200])
    assert bad.deletion[-1] * 255 == pytest.approx(50)
    # Insertion begins at the blurred photo and ends at the photo itself.
    blurred = blurred_photo(red_corner)[:20, :20, 0].mean()
    assert good.insertion[[0, -1]] * 255 == pytest.approx([blurred, 200])
    np.testing.assert_allclose(good.insertion[3:] * 255, 200, atol=1e-6)
    assert good.insertion_auc > bad.insertion_auc + 0.02


def test_of_a_contrast_the_share_of_the_two_is_watched(red_corner):
    found = curves(quarter_red, red_corner, [np.zeros((SIZE, SIZE))], ContrastTarget(1, 2))[0]
    assert found.deletion[[0, -1]] == pytest.approx([55 / 255, 205 / 255])
    with pytest.raises(ValueError, match="class"):
        curves(quarter_red, red_corner, [np.zeros((SIZE, SIZE))], NeighbourTarget(1))


def test_the_map_of_what_the_model_looks_at_beats_chance_and_the_middle(red_corner):
    heat = np.zeros((2, 2))
    heat[0, 0] = 1
    found = measure(subject(red_corner, quarter_red), explanation(heat))
    assert (found.deletion_beats, found.insertion_beats) == (1.0, 1.0)
    assert found.beats_centre == (True, True)
    assert len(found.baselines.random) == 20


def test_the_opposite_map_does_not(red_corner):
    heat = np.ones((2, 2))
    heat[0, 0] = 0
    found = measure(subject(red_corner, quarter_red), explanation(heat))
    assert (found.deletion_beats, found.insertion_beats) == (0.0, 0.0)
    assert found.beats_centre == (False, False)


def test_a_map_of_the_middle_is_told_from_one_that_knows(red_corner):
    """The model looks at the middle now; a map of rings around the middle is as good as the Gaussian and not better."""

    def middle(batch):
        probability = np.clip(batch[:, 10:30, 10:30, 0].mean(axis=(1, 2)) / 255, 1e-9, 1 - 1e-9)
        return np.log(np.column_stack([1 - probability, probability]))

    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[10:30, 10:30, 0] = 200
    found = measure(subject(pixels, middle), explanation(baseline_maps(SIZE)[0]))
    assert found.deletion_beats == 1.0
    assert found.beats_centre == (False, False)


def constant(value: float, auc: float) -> Curves:
    return Curves(np.array([0.93, value, *[auc] * 9]), np.full(11, auc))


def test_the_brightest_tenth_is_set_beside_a_random_one():
    baselines = Baselines(tuple(constant(value, 0.5) for value in (0.9, 0.92)), constant(0.8, 0.4))
    assert Faithfulness(constant(0.12, 0.1), baselines).tenth == pytest.approx((0.93, 0.12, 0.91))


def test_the_centre_may_be_as_good_in_one_of_the_two():
    worse = constant(0.9, 0.5)
    ours = Curves(np.full(11, 0.1), np.full(11, 0.7))
    better_deletion = Curves(np.full(11, 0.05), np.full(11, 0.6))
    better_insertion = Curves(np.full(11, 0.4), np.full(11, 0.8))
    assert Faithfulness(ours, Baselines((worse,) * 20, better_deletion)).beats_centre == (False, True)
    assert Faithfulness(ours, Baselines((worse,) * 20, better_insertion)).beats_centre == (True, False)


def test_ties_count_half():
    baselines = Baselines(
        tuple(constant(0.5, value) for value in [0.2] * 5 + [0.5] * 10 + [0.8] * 5), constant(0.5, 0.5)
    )
    found = Faithfulness(constant(0.5, 0.5), baselines)
    assert found.deletion_beats == pytest.approx(0.5)
    assert found.insertion_beats == pytest.approx(0.5)


def test_known_baselines_are_not_measured_again(red_corner):
    passes = []

    def counting(batch):
        passes.append(len(batch))
        return quarter_red(batch)

    first = measure(subject(red_corner, counting), explanation(np.eye(4)))
    assert sum(passes) == 3 + 22 * 18
    passes.clear()
    again = measure(subject(red_corner, counting), explanation(np.eye(4)), baselines=first.baselines)
    assert sum(passes) == 3 + 18
    np.testing.assert_array_equal(again.curves.deletion, first.curves.deletion)
    assert again.deletion_beats == first.deletion_beats


def test_random_maps_come_back_with_their_seed_and_are_spread_evenly():
    one, two = baseline_maps(SIZE, seed=3), baseline_maps(SIZE, seed=3)
    assert len(one) == 21
    np.testing.assert_array_equal(one, two)
    assert (baseline_maps(SIZE, seed=4)[1] != one[1]).any()
    first_tenth = np.mean([brightness_rank(heat) < SIZE**2 // 10 for heat in baseline_maps(SIZE)[1:]], axis=0)
    quarters = [
        first_tenth[rows, columns].mean()
        for rows in (slice(20), slice(20, 40))
        for columns in (slice(20), slice(20, 40))
    ]
    np.testing.assert_allclose(quarters, 0.1, atol=0.05)
    rank = brightness_rank(one[0])
    assert rank[19:21, 19:21].max() == 3
    assert {rank[0, 0], rank[0, -1], rank[-1, 0], rank[-1, -1]} == set(range(SIZE**2 - 4, SIZE**2))


def test_rank_and_baselines():
    assert brightness_rank(np.array([[1.0, 5.0], [5.0, -2.0]])).tolist() == [[2, 0], [1, 3]]
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    assert (mean_colour_photo(pixels) == np.rint(pixels.mean(axis=(0, 1)))).all()
    blurred = blurred_photo(pixels)
    assert blurred.std() < 0.2 * pixels.std()
    assert len(FRACTIONS) == 11


def test_regions_keep_their_edges_in_the_models_frame():
    regions = np.repeat(np.repeat([[0, 1]], 40, axis=0), 20, axis=1).astype(np.int32)
    found = in_model_frame(explanation(regions * 3.0, superpixels=regions), 80)
    assert sorted(np.unique(found)) == [0, 3]
    assert in_model_frame(explanation([[0.0, 4.0]]), 80)[0, 40] == pytest.approx(2, abs=0.1)


def test_progress_and_stopping(red_corner):
    calls = []
    measure(subject(red_corner, quarter_red), explanation(np.eye(4)), progress=lambda *done: calls.append(done))
    assert calls[0] == (0, 399)
    assert calls[-1] == (399, 399)
    with pytest.raises(ExplanationStopped):
        measure(subject(red_corner, quarter_red), explanation(np.eye(4)), progress=lambda done, _: done < 100)
