import pytest

from flowers_core.explain.lime.masks import keep_probability
from flowers_core.explain.lime.options import SIGMA, LimeOptions


def test_the_kernel_shows_a_little_more_than_half():
    assert keep_probability(SIGMA) == pytest.approx(0.51, abs=0.001)


@pytest.mark.parametrize("options", [{"samples": 1}, {"batch_size": 0}, {"top": -1}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match="two samples"):
        LimeOptions(**options)
