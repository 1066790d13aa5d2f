import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from flowers_core.data.dataset import SPLITS, DatasetError, DatasetMissing
from flowers_core.data.oxford import ORIGINALS, OxfordFlowers, is_present, photo_id_of, photo_name, photo_set_of
from flowers_core.data.photo_ref import OXFORD, PhotoSet
from flowers_core.storage.paths import default_data_dir
from tests.fixtures.drawn_flowers import LABELS, draw_dataset

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path) -> Path:
    """Eight drawn photos of two classes, to be broken by the test."""
    return draw_dataset(tmp_path / "oxford102", classes=(5, 89), per_class=(1, 1, 2))


def write_labels(root: Path, labels: object) -> None:
    scipy.io.savemat(root / "imagelabels.mat", {"labels": labels})


def write_splits(root: Path, **ids: list[int]) -> None:
    scipy.io.savemat(root / "setid.mat", {key: np.array([of_split], np.uint16) for key, of_split in ids.items()})


def test_ids_labels_and_splits_stand_in_order_of_id(drawn_dataset):
    assert drawn_dataset.ids.tolist() == list(range(1, 73))
    assert drawn_dataset.labels.tolist() == np.repeat(LABELS, 12).tolist()
    assert Counter(drawn_dataset.splits.tolist()) == {"train": 24, "validation": 18, "test": 30}
    for label in LABELS:
        assert Counter(drawn_dataset.splits[drawn_dataset.labels == label].tolist()) == {
            "train": 4,
            "validation": 3,
            "test": 5,
        }
    assert len(drawn_dataset) == 72
    assert len(drawn_dataset.names) == 102
    assert drawn_dataset.names[88] == "watercress"


def test_splits_are_those_of_the_file(root):
    write_splits(root, trnid=[8, 2], valid=[1, 5], tstid=[3, 7, 4, 6])
    flowers = OxfordFlowers(root)
    assert flowers.splits.tolist() == ["validation", "train", "test", "test", "validation", "test", "test", "train"]
    assert flowers.split_ids("train").tolist() == [2, 8]
    assert flowers.split_ids("validation").tolist() == [1, 5]
    assert flowers.split_ids("test").tolist() == [3, 4, 6, 7]
    assert flowers.split_of(8) == "train"
    assert flowers.label_of(4) == 5
    assert flowers.label_of(5) == 89


def test_paths_lead_to_photos(drawn_dataset):
    assert drawn_dataset.path(17) == drawn_dataset.root / "jpg" / "image_00017.jpg"
    with Image.open(drawn_dataset.path(17)) as photo:
        assert photo.format == "JPEG"


@pytest.mark.parametrize("photo_id", [0, -1, 73])
def test_an_unknown_id_is_a_key_error(drawn_dataset, photo_id):
    for ask in (drawn_dataset.path, drawn_dataset.label_of, drawn_dataset.split_of):
        with pytest.raises(KeyError, match="ids run from 1 to 72"):
            ask(photo_id)


def test_an_unknown_split_is_a_value_error(drawn_dataset):
    with pytest.raises(ValueError, match="train, validation, test"):
        drawn_dataset.split_ids("valid")


def test_arrays_are_read_only(drawn_dataset):
    for array in (drawn_dataset.ids, drawn_dataset.labels, drawn_dataset.splits):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_classes_can_be_left_out(root):
    """Label 5 goes: its photos are in no split, and label 89 becomes 88."""
    flowers = OxfordFlowers(root)
    fewer = flowers.leaving_out([5])
    assert fewer.labels.tolist() == np.where(flowers.labels == 5, 0, 88).tolist()
    assert len(fewer.names) == 101
    assert fewer.names[87] == flowers.names[88]
    for split in SPLITS:
        assert fewer.split_ids(split).tolist() == [i for i in flowers.split_ids(split) if flowers.label_of(i) == 89]
    assert fewer.path(1) == flowers.path(1)
    assert len(flowers.names) == 102  # the whole data set stays as it was
    for wrong in ([0], [103], range(1, 103)):
        with pytest.raises(DatasetError, match="Classes to leave out"):
            flowers.leaving_out(wrong)


def test_photo_names():
    assert photo_name(17) == "image_00017.jpg"
    assert photo_id_of("image_00017.jpg") == 17
    for other in (
        "image_0017.jpg",
        "image_00000.jpg",
        "image_00017.jpeg",
        "Image_00017.jpg",
        "image_00017.jpg.partial",
    ):
        assert photo_id_of(other) is None


def test_the_fingerprint_follows_tables_and_sizes(root):
    digest = hashlib.sha256()
    for name in ("imagelabels.mat", "setid.mat"):
        digest.update(hashlib.sha256((root / name).read_bytes()).digest())
    for photo in sorted((root / "jpg").iterdir()):
        digest.update(f"{photo.name} {photo.stat().st_size}\n".encode())
    before = OxfordFlowers(root).fingerprint()
    assert before == digest.hexdigest()
    with (root / "jpg" / "image_00003.jpg").open("ab") as photo:
        photo.write(b"x")
    assert OxfordFlowers(root).fingerprint() != before


def test_drawing_is_deterministic(root, tmp_path):
    again = draw_dataset(tmp_path / "again", classes=(5, 89), per_class=(1, 1, 2))
    other = draw_dataset(tmp_path / "other", classes=(5, 89), per_class=(1, 1, 2), seed=1)
    assert OxfordFlowers(again).fingerprint() == OxfordFlowers(root).fingerprint()
    assert OxfordFlowers(other).fingerprint() != OxfordFlowers(root).fingerprint()


def test_drawn_classes_can_be_told_apart(drawn_dataset):
    """The mean colour of the middle half is enough: nearest class mean of the training photos, on the test photos."""

    def colour(photo_id: int) -> np.ndarray:
        pixels = np.asarray(Image.open(drawn_dataset.path(photo_id)).convert("RGB"), np.float64)
        height, width, _ = pixels.shape
        return pixels[height // 4 : -(height // 4), width // 4 : -(width // 4)].mean(axis=(0, 1))

    means = {}
    for label in LABELS:
        of_label = [i for i in drawn_dataset.split_ids("train") if drawn_dataset.label_of(i) == label]
        means[label] = np.mean([colour(i) for i in of_label], axis=0)
    test = drawn_dataset.split_ids("test")
    right = sum(
        min(means, key=lambda label: np.linalg.norm(means[label] - colour(i))) == drawn_dataset.label_of(i)
        for i in test
    )
    assert right >= 0.9 * len(test)


def test_missing_parts_are_named_with_the_command(root):
    for name in ("imagelabels.mat", "setid.mat"):
        content = (root / name).read_bytes()
        (root / name).unlink()
        with pytest.raises(DatasetMissing, match=rf"{name} is missing .*flowers download_data --data {root}"):
            OxfordFlowers(root)
        (root / name).write_bytes(content)
    (root / "jpg" / "image_00002.jpg").unlink()
    (root / "jpg" / "image_00007.jpg").unlink()
    with pytest.raises(DatasetMissing, match=r"2 of 8 photos are missing .*the first of them image_00002\.jpg"):
        OxfordFlowers(root)
    (root / "jpg").rename(root / "jpg.partial")
    with pytest.raises(DatasetMissing, match=f"no folder {root}/jpg"):
        OxfordFlowers(root)
    assert not is_present(root)


def test_the_command_names_no_folder_where_it_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWERS_DATA_DIR", str(tmp_path))
    with pytest.raises(DatasetMissing, match=r"`flowers download_data` gets the dataset"):
        OxfordFlowers(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a table", b"MATLAB 7.3 MAT-file".ljust(200)])
@pytest.mark.parametrize("name", ["imagelabels.mat", "setid.mat"])
def test_a_broken_table_is_told(root, name, content):
    (root / name).write_bytes(content)
    with pytest.raises(DatasetError, match=rf"{name} is damaged, or no MATLAB file"):
        OxfordFlowers(root)
    assert not is_present(root)


@pytest.mark.parametrize("kept", [130, 140, 180])
def test_a_truncated_table_is_told(root, kept):
    (root / "imagelabels.mat").write_bytes((root / "imagelabels.mat").read_bytes()[:kept])
    with pytest.raises(DatasetError, match=r"imagelabels\.mat"):
        OxfordFlowers(root)


@pytest.mark.parametrize(
    "labels", [[[0] * 8], [[103] + [1] * 7], [[1.5] * 8], [["rose"] * 8], np.zeros((1, 0)), [[np.nan] * 8]]
)
def test_labels_must_be_labels(root, labels):
    write_labels(root, labels)
    with pytest.raises(DatasetError, match=r"imagelabels\.mat"):
        OxfordFlowers(root)


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ({"trnid": [1, 2, 3], "valid": [3, 4], "tstid": [5, 6, 7, 8]}, "a photo into two splits"),
        ({"trnid": [1, 1], "valid": [2, 3, 4], "tstid": [5, 6, 7, 8]}, "twice into one"),
        ({"trnid": [1, 2], "valid": [3, 4], "tstid": [5, 6, 7]}, "leaves 1 of 8 photos without a split"),
        ({"trnid": [1, 2], "valid": [3, 4], "tstid": [5, 6, 7, 9]}, "'tstid' names photos outside 1…8"),
        ({"trnid": [0, 2], "valid": [3, 4], "tstid": [5, 6, 7, 8]}, "'trnid' names photos outside 1…8"),
        ({"trnid": [1, 2], "valid": [3, 4]}, "must hold an array of numbers named 'tstid'"),
    ],
)
def test_splits_must_part_the_photos(root, ids, sentence):
    write_splits(root, **ids)
    with pytest.raises(DatasetError, match=sentence):
        OxfordFlowers(root)


def test_default_root(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWERS_DATA_DIR", str(tmp_path))
    assert default_data_dir() == tmp_path
    for unset in (lambda: monkeypatch.setenv("FLOWERS_DATA_DIR", ""), lambda: monkeypatch.delenv("FLOWERS_DATA_DIR")):
        unset()
        assert default_data_dir() == REPO / "data" / "oxford102"


@pytest.mark.dataset
def test_the_real_splits_are_oxfords(flowers):
    assert len(flowers) == 8189
    assert {split: len(flowers.split_ids(split)) for split in SPLITS} == {
        "train": 1020,
        "validation": 1020,
        "test": 6149,
    }
    every = np.concatenate([flowers.split_ids(split) for split in SPLITS])
    assert sorted(every) == list(range(1, 8190))


@pytest.mark.dataset
def test_the_real_classes_have_40_to_258_photos_and_10_for_training_and_for_validation(flowers):
    counts = np.bincount(flowers.labels, minlength=103)[1:]
    assert counts.min() == 40
    assert counts.max() == 258
    assert flowers.names[counts.argmax()] == "petunia"
    for split in ("train", "validation"):
        assert np.bincount(flowers.labels[flowers.splits == split], minlength=103)[1:].tolist() == [10] * 102


@pytest.mark.dataset
def test_real_photos_open(flowers):
    # Known from the dataset's page: the first photo is a passion flower.
    assert flowers.names[flowers.label_of(1) - 1] == "passion flower"
    for photo_id in (1, 4000, 8189):
        with Image.open(flowers.path(photo_id)) as photo:
            photo.load()
            assert photo.mode == "RGB"


def test_oxfords_photos_are_known_by_the_originals_or_the_order_of_the_classes(drawn_dataset):
    names = drawn_dataset.names
    assert drawn_dataset.photo_set == OXFORD
    assert photo_set_of(ORIGINALS, ("rose", "tulip")) == OXFORD
    assert photo_set_of("ab" * 32, (*names, "edelweiss")) == OXFORD
    assert photo_set_of("ab" * 32, sorted(names)) == PhotoSet("dataset", "abababababab")
    assert photo_set_of("", ("rose", "tulip")) == PhotoSet("dataset", "unknown")
