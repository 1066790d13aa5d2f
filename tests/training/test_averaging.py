import numpy as np
import pytest
import tensorflow as tf

from flowers_core.training.averaging import ExponentialMovingAverage, best_interpolation, interpolated, running_mean


def test_the_exponential_average_of_a_known_sequence():
    variable = tf.Variable([0.0])
    average = ExponentialMovingAverage([variable], 0.5)
    expected = 0.0
    for step, value in enumerate((1.0, 2.0, 4.0, 8.0), start=1):
        variable.assign([value])
        average.step(step)
        decay = min(0.5, (1 + step) / (10 + step))  # 2/11, 3/12, 4/13, 5/14
        expected = decay * expected + (1 - decay) * value
    assert average.get()[0][0] == pytest.approx(expected, rel=1e-6)


def test_the_running_mean_is_the_mean():
    weights = [[np.array([1.0, 5.0])], [np.array([2.0, 7.0])], [np.array([6.0, 0.0])]]
    mean = weights[0]
    for count, weight in enumerate(weights, start=1):
        mean = running_mean(mean, weight, count)
    np.testing.assert_allclose(mean[0], [3.0, 4.0])


def test_interpolation_ends_at_its_ends():
    start, end = [np.array([0.0, 2.0], np.float32)], [np.array([1.0, -2.0], np.float32)]
    np.testing.assert_array_equal(interpolated(start, end, 0.0)[0], start[0])
    np.testing.assert_array_equal(interpolated(start, end, 1.0)[0], end[0])
    np.testing.assert_array_equal(interpolated(start, end, 0.25)[0], [0.25, 1.0])


def test_the_best_share_is_found_and_ties_go_to_the_second_score():
    start, end = [np.array([0.0])], [np.array([1.0])]
    share, curve = best_interpolation(
        start, end, lambda w: (1.0 if 0.3 < w[0][0] < 0.9 else 0.0, -abs(w[0][0] - 0.6)), (0.0, 0.4, 0.6, 0.8, 1.0)
    )
    assert share == 0.6
    assert [point[0] for point in curve] == [0.0, 0.4, 0.6, 0.8, 1.0]
