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


@pytest.fixture(scope="session")
def subject_at(gradients_at):
    """A photo as the small network sees it, with its gradients at a layer."""
    from tests.fixtures.small_network import FRAME, photo
    from tests.fixtures.subjects import subject

    def build(layer, pixels=None):
        pixels = photo() if pixels is None else pixels
        return subject(pixels, gradients=lambda: gradients_at(layer), **FRAME)

    return build
