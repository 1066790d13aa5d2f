import hashlib
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.batches import inputs, stratified_sample
from flowers_core.data.dataset import SPLIT_NAMES, SPLITS, Dataset
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import PhotoError, open_photo
from tests.fixtures.drawn_flowers import draw_flower


class ThreeClasses(Dataset):
    """Nine photos named by letters: the least that a data set must bring."""

    def __init__(self, root: Path) -> None:
        super().__init__([1, 1, 1, 2, 2, 2, 3, 3, 3], ["train", "test", "validation"] * 3, ["a", "b", "c"])
        self.root = root

    def path(self, photo_id: int) -> Path:
        return self.root / f"{'abcdefghi'[self._index(photo_id)]}.png"

    def fingerprint(self) -> str:
        return hashlib.sha256(b"nine").hexdigest()


@pytest.fixture
def nine(tmp_path: Path) -> ThreeClasses:
    for at, letter in enumerate("abcdefghi"):
        draw_flower(at % 6, np.random.default_rng(at)).save(tmp_path / f"{letter}.png")
    return ThreeClasses(tmp_path)


def test_what_comes_with_ids_labels_and_splits(nine: ThreeClasses) -> None:
    assert len(nine) == 9
    assert nine.ids.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert nine.names == ("a", "b", "c")
    assert nine.taxonomy is None
    assert nine.split_ids("test").tolist() == [2, 5, 8]
    assert (nine.label_of(6), nine.split_of(6)) == (2, "validation")
    assert nine.labels_of([9, 1, 4]).tolist() == [3, 1, 2]
    assert (nine.open(4).pixels == open_photo(nine.path(4)).pixels).all()
    assert not any(array.flags.writeable for array in (nine.ids, nine.labels, nine.splits))


def test_what_it_does_not_have_is_told(nine: ThreeClasses) -> None:
    with pytest.raises(ValueError, match=r"no split 'dev'; there are train, validation, test"):
        nine.split_ids("dev")
    for photo_id in (0, 10):
        with pytest.raises(KeyError, match="run from 1 to 9"):
            nine.label_of(photo_id)
        with pytest.raises(KeyError, match="run from 1 to 9"):
            nine.open(photo_id)
    nine.path(3).unlink()
    with pytest.raises(PhotoError, match=r"c\.png could not be read"):
        nine.open(3)


def test_batches_and_samples_need_no_more(nine: ThreeClasses) -> None:
    rule = CropRule(16)
    expected = [model_input(nine.open(photo_id).pixels, rule).pixels for photo_id in (7, 2)]
    np.testing.assert_array_equal(inputs(nine, [7, 2], rule), expected)
    assert nine.labels_of(stratified_sample(nine, "train", 3, 0)).tolist() == [1, 2, 3]


def test_oxford_102_is_one(drawn_dataset: OxfordFlowers) -> None:
    assert isinstance(drawn_dataset, Dataset)
    assert drawn_dataset.taxonomy is not None
    assert drawn_dataset.names == drawn_dataset.taxonomy.names
    assert drawn_dataset.labels_of(drawn_dataset.ids).tolist() == drawn_dataset.labels.tolist()


def test_every_name_of_a_split_means_one() -> None:
    assert set(SPLIT_NAMES.values()) == set(SPLITS)
    assert SPLIT_NAMES["valid"] == SPLIT_NAMES["val"] == "validation"
