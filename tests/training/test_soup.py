import numpy as np
import pytest

from flowers_core.training.averaging import Weights
from flowers_core.training.soup import SoupError, greedy_soup, likelihood_and_accuracy, uniform_soup


def weights(*values: float) -> Weights:
    return [np.array([value], np.float32) for value in values]


def test_a_uniform_soup_is_the_mean():
    soup = uniform_soup([weights(1, 10), weights(2, 20), weights(6, 0)])
    assert [w.tolist() for w in soup] == [[3.0], [10.0]]
    assert uniform_soup([weights(5)])[0] == 5


def test_a_greedy_soup_takes_in_what_does_not_hurt():
    """The best weight is 0. Alone 1 is best; with −2 the mean is −½, better; with 3 it would be ⅔, worse; 9 is
    worse still. They are tried in the order of their own scores."""
    members = [weights(3), weights(1), weights(-2), weights(9)]
    chosen, alone = greedy_soup(members, lambda w: (-abs(float(w[0][0])), 0.0))
    assert chosen == [1, 2]
    assert alone == [(1, (-1.0, 0.0)), (2, (-2.0, 0.0)), (0, (-3.0, 0.0)), (3, (-9.0, 0.0))]


def test_of_equals_the_second_score_decides():
    members = [weights(1), weights(3)]
    chosen, _ = greedy_soup(members, lambda w: (0.9, -abs(float(w[0][0]) - 2)))
    assert chosen == [0, 1]
    chosen, _ = greedy_soup(members, lambda w: (0.9, float(w[0][0])))
    assert chosen == [1]  # 3 alone; the mean, 2, has a lower second score


def test_other_networks_are_refused():
    with pytest.raises(SoupError, match="not of one network"):
        uniform_soup([weights(1), weights(1, 2)])
    with pytest.raises(SoupError, match="at least one"):
        uniform_soup([])


def test_the_score_is_the_likelihood_of_held_out_photos_and_their_accuracy():
    import keras

    network = keras.Sequential([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, use_bias=False)])
    photos = np.array([1, 2, 3], np.uint8).reshape(3, 1, 1, 1) * np.ones((3, 1, 1, 3), np.uint8)
    network(photos.astype(np.float32))
    score = likelihood_and_accuracy(network, photos, np.array([0, 0, 1]))
    # Logits (n, 0) for the grey value n: p(first) = 1 / (1 + exp(-n)).
    weights = [np.array([[1, 0], [0, 0], [0, 0]], np.float32)]
    n = np.array([1, 2, 3])
    wanted = (-np.log1p(np.exp(-n[:2])).sum() - np.log1p(np.exp(n[2]))) / 3
    assert score(weights) == pytest.approx((wanted, 2 / 3), rel=1e-5)
