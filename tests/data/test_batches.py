import numpy as np
import pytest

from flowers_core.data.batches import input_batches, inputs
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import CropRule, PhotoError, model_input, open_photo
from tests.fixtures.drawn_flowers import draw_dataset

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
