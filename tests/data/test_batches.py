import numpy as np
import pytest

from flowers_core.data.batches import input_batches, inputs, stratified_sample
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import PhotoError, open_photo
from tests.fixtures.drawn_flowers import LABELS, draw_dataset

RULE = CropRule(48, 0.9)


@pytest.mark.parametrize("batch_size", [1, 4, 5, 100])
def test_batches_are_the_photos_in_the_order_asked_for(drawn_dataset: OxfordFlowers, batch_size: int) -> None:
    ids = [9, 3, 17, 3, 30]
    batches = list(input_batches(drawn_dataset, ids, RULE, batch_size=batch_size))
    assert [len(batch) for batch in batches] == [
        min(batch_size, len(ids) - start) for start in range(0, len(ids), batch_size)
    ]
    expected = [model_input(open_photo(drawn_dataset.path(photo_id)).pixels, RULE).pixels for photo_id in ids]
    np.testing.assert_array_equal(np.concatenate(batches), expected)


def test_no_photos_make_no_batches(drawn_dataset: OxfordFlowers) -> None:
    assert list(input_batches(drawn_dataset, [], RULE)) == []
    assert inputs(drawn_dataset, [], RULE).shape == (0, 48, 48, 3)


def test_a_photo_that_cannot_be_read_is_named(tmp_path) -> None:
    flowers = OxfordFlowers(draw_dataset(tmp_path / "data", classes=(1,)))
    flowers.path(7).write_bytes(b"not a photo")
    with pytest.raises(PhotoError, match=r"image_00007\.jpg"):
        list(input_batches(flowers, flowers.ids, RULE, batch_size=2))


def test_every_class_comes_before_any_comes_twice(drawn_dataset: OxfordFlowers) -> None:
    one_each = [
        drawn_dataset.label_of(photo_id) for photo_id in stratified_sample(drawn_dataset, "train", len(LABELS), 0)
    ]
    assert sorted(one_each) == sorted(LABELS)
    two_each = [
        drawn_dataset.label_of(photo_id) for photo_id in stratified_sample(drawn_dataset, "test", 2 * len(LABELS), 0)
    ]
    assert sorted(two_each) == sorted([*LABELS, *LABELS])


def test_a_sample_as_large_as_the_split_is_the_split(drawn_dataset: OxfordFlowers) -> None:
    ids = drawn_dataset.split_ids("validation")
    np.testing.assert_array_equal(stratified_sample(drawn_dataset, "validation", 10_000, 3), np.sort(ids))


def test_the_seed_draws_it(drawn_dataset: OxfordFlowers) -> None:
    first, again, other = (stratified_sample(drawn_dataset, "test", 8, seed).tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other
