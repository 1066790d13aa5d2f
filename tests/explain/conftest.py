import pytest


@pytest.fixture(scope="session")
def network():
    from tests.fixtures.small_network import small_network

    return small_network()


@pytest.fixture(scope="session")
def gradients_at(network):
    """Gradients of the small network at a layer, traced once."""
    from functools import cache

    from flowers_core.explain.attributions.gradients import Gradients

    return cache(lambda layer: Gradients(network, layer))
