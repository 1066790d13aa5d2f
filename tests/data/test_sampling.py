import numpy as np

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.sampling import stratified
from tests.fixtures.drawn_flowers import LABELS


def test_every_class_comes_before_any_comes_twice(drawn_dataset: OxfordFlowers) -> None:
    one_each = [drawn_dataset.label_of(photo_id) for photo_id in stratified(drawn_dataset, "train", len(LABELS), 0)]
    assert sorted(one_each) == sorted(LABELS)
    two_each = [drawn_dataset.label_of(photo_id) for photo_id in stratified(drawn_dataset, "test", 2 * len(LABELS), 0)]
    assert sorted(two_each) == sorted([*LABELS, *LABELS])


def test_a_sample_as_large_as_the_split_is_the_split(drawn_dataset: OxfordFlowers) -> None:
    ids = drawn_dataset.split_ids("validation")
    np.testing.assert_array_equal(stratified(drawn_dataset, "validation", 10_000, 3), np.sort(ids))


def test_the_seed_draws_it(drawn_dataset: OxfordFlowers) -> None:
    first, again, other = (stratified(drawn_dataset, "test", 8, seed).tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other
