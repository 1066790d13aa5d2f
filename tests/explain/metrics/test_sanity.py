"""The sanity check: what it shuffles, what it puts back, and that it tells an edge detector from an explanation."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.methods import METHODS, Method, Needs
from flowers_core.explain.metrics.sanity import sanity_check, shuffled
from tests.fixtures.small_network import photo

PHOTOS = [(photo(seed), ClassTarget(1 + seed)) for seed in range(4)]


def outlines(subject, target):
    """A map of the photo's own edges, whatever the model."""
    edges = np.abs(np.gradient(subject.pixels.mean(axis=2))).sum(axis=0).astype(np.float32)
    return Explanation("edges", target, edges, float(edges.sum()), "relative", subject.box, subject.photo_size, 0.0)


EDGES = Method(name="edges", title="Edges", run=outlines, needs=Needs.NOTHING, forward_passes=0)


def test_an_edge_detector_is_found_out(network):
    found = sanity_check(network, [EDGES, METHODS["cam"], METHODS["grad_cam"]], PHOTOS)
    for fraction in (0.0, 0.5, 1.0):
        agreement = {name: result[fraction].agreement for name, result in found.items()}
        assert agreement["edges"].rank_correlation == pytest.approx(1)
        assert agreement["edges"].overlap == 1
        assert abs(agreement["cam"].rank_correlation) < 0.7
        # At the last layer the two are one; shuffled weights reach both.
        assert agreement["grad_cam"].rank_correlation == pytest.approx(agreement["cam"].rank_correlation, abs=0.02)
        # The same map is as complex as itself.
        assert found["edges"][fraction].complexity_rise == 0
        assert found["cam"][fraction].complexity_rise != 0


def weights_of(network) -> list[np.ndarray]:
    return [weight.copy() for weight in network.get_weights()]


def test_weights_are_shuffled_from_the_head_down_and_put_back(network):
    before = weights_of(network)
    for fraction, changed in ((0.0, [2]), (0.67, [1, 2]), (1.0, [0, 1, 2])):
        with shuffled(network, fraction, seed=1):
            during = weights_of(network)
        # A kernel and a bias for each of three layers.
        assert [layer for layer in range(3) if (during[2 * layer] != before[2 * layer]).any()] == changed
        for one, other in zip(during, before, strict=True):
            np.testing.assert_array_equal(np.sort(one.ravel()), np.sort(other.ravel()))
        for one, other in zip(weights_of(network), before, strict=True):
            np.testing.assert_array_equal(one, other)


def test_weights_come_back_after_an_error(network):
    before = weights_of(network)

    def fail():
        with shuffled(network, 1.0, seed=1):
            raise RuntimeError("stopped half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail()
    for one, other in zip(weights_of(network), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_cannot_be_is_refused(network):
    for fraction in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"), shuffled(network, fraction, seed=0):
            pass


def test_it_says_what_it_does(network):
    said = []
    sanity_check(network, [EDGES], PHOTOS[:2], fractions=(1.0,), progress=said.append)
    assert said == [
        "trained, photo 1 of 2, Edges",
        "trained, photo 2 of 2, Edges",
        "100% shuffled, photo 1 of 2, Edges",
        "100% shuffled, photo 2 of 2, Edges",
    ]
