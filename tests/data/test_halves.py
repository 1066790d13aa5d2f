import numpy as np
import pytest

from flowers_core.data.halves import draw_halves
from flowers_core.data.oxford import OxfordFlowers
from tests.fixtures.drawn_flowers import draw_every_class


def test_halves_of_a_class_and_of_all_differ_by_one_photo_at_most() -> None:
    labels = np.repeat([3, 1, 7, 2], [5, 8, 1, 3])
    halves = draw_halves(labels)
    assert abs(int((halves == 0).sum()) - int((halves == 1).sum())) == 1  # of 17
    for label in (3, 1, 7, 2):
        zeros = int((halves[labels == label] == 0).sum())
        assert abs(2 * zeros - int((labels == label).sum())) <= 1
    np.testing.assert_array_equal(draw_halves(labels), halves)


def test_halves_are_drawn_by_lot() -> None:
    halves = draw_halves(np.ones(200, int))
    assert 20 < int((halves[:100] == 0).sum()) < 80
    assert halves.tolist() != (np.arange(200) % 2).tolist()


@pytest.mark.slow
def test_one_half_validates_and_everything_else_is_learnt(tmp_path) -> None:
    flowers = OxfordFlowers(draw_every_class(tmp_path / "oxford102", per_class=(2, 1, 4)))
    test = set(flowers.split_ids("test").tolist())
    held_out = []
    for half in (0, 1):
        other = flowers.holding_out(half)
        validation = set(other.split_ids("validation").tolist())
        assert len(validation) == 204
        assert np.bincount(other.labels_of(sorted(validation)))[1:].tolist() == [2] * 102
        assert set(other.split_ids("train").tolist()) == set(flowers.ids.tolist()) - validation
        assert other.split_ids("test").size == 0
        held_out.append(validation)
    assert held_out[0] | held_out[1] == test
    assert not held_out[0] & held_out[1]
    assert set(flowers.split_ids("test").tolist()) == test  # the data set itself stays as it was
