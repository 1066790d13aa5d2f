from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.audit.exact_duplicates import exact_leaks
from flowers_core.data.batches import stratified_sample
from flowers_core.data.dataset import Dataset, DatasetError, DatasetMissing
from flowers_core.data.folder_dataset import FolderDataset
from tests.fixtures.drawn_flowers import draw_flower


def save(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_flower(seed % 6, np.random.default_rng(seed)).save(path)
    return path


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    for name, count in (("tulip", 10), ("Rose", 5), ("aster", 2)):
        for number in range(count):
            save(tmp_path / "garden" / name / f"{number}.png", number)
    return tmp_path / "garden"


def test_a_folder_a_class(garden: Path) -> None:
    save(garden / "__MACOSX" / "x" / "a.png")
    (garden / "Rose" / "notes.txt").write_text("no photo")
    dataset: Dataset = FolderDataset(garden)
    assert dataset.names == ("Rose", "aster", "tulip")
    assert dataset.taxonomy is None
    assert np.bincount(dataset.labels).tolist() == [0, 5, 2, 10]
    for photo_id in dataset.ids.tolist():
        assert dataset.path(photo_id).parent.name == dataset.names[dataset.label_of(photo_id) - 1]
    assert [file.path.name for file in FolderDataset(garden).left_out] == ["notes.txt"]
    assert dataset.open(1).format == "PNG"


def test_splits_are_drawn_from_each_class_by_the_seed(garden: Path) -> None:
    dataset = FolderDataset(garden)
    counts = {
        split: np.bincount(dataset.labels_of(dataset.split_ids(split)), minlength=4)[1:].tolist()
        for split in ("train", "validation", "test")
    }
    # A fifth each of 5 and 10 is held out twice; two photos are for training alone.
    assert counts == {"train": [3, 2, 6], "validation": [1, 0, 2], "test": [1, 0, 2]}
    assert FolderDataset(garden).splits.tolist() == dataset.splits.tolist()
    assert FolderDataset(garden, seed=1).splits.tolist() != dataset.splits.tolist()
    assert dataset.labels_of(stratified_sample(dataset, "test", 2, 0)).tolist() == [1, 3]


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("Training", "val", "TEST")])
def test_given_splits_are_taken(tmp_path: Path, names: tuple[str, ...]) -> None:
    for number, split in enumerate(names):
        for name in ("10", "9"):
            save(tmp_path / split / name / "a.png", number)
    save(tmp_path / names[0] / "9" / "more" / "b.png", 9)
    dataset = FolderDataset(tmp_path)
    assert dataset.names == ("9", "10")
    seen = {(dataset.path(n).relative_to(tmp_path).as_posix(), dataset.split_of(n)) for n in dataset.ids.tolist()}
    splits = ("train", "validation", "test")
    assert seen == {
        *(
            (f"{folder}/{name}/a.png", split)
            for folder, split in zip(names, splits, strict=True)
            for name in ("9", "10")
        ),
        (f"{names[0]}/9/more/b.png", "train"),
    }


def test_a_table(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", 1)
    save(tmp_path / "photos" / "b.png", 1)
    elsewhere = save(tmp_path.parent / f"{tmp_path.name}-c.png", 2)
    listed = table(
        tmp_path / "list.csv",
        "\ufeffpath,label,split,by",
        "photos/a.png, rose ,train,me",
        "photos/b.png,rose,Val,me",
        f"{elsewhere},iris,test,you",
    )
    dataset = FolderDataset(listed)
    assert dataset.names == ("iris", "rose")
    assert dataset.labels.tolist() == [2, 2, 1]
    assert dataset.splits.tolist() == ["train", "validation", "test"]
    assert dataset.path(3) == elsewhere
    assert exact_leaks(dataset, "validation").tolist() == [2]
    assert len(dataset.fingerprint()) == 64


def test_the_fingerprint_tells_other_photos_labels_and_splits(garden: Path) -> None:
    before = FolderDataset(garden).fingerprint()
    assert FolderDataset(garden).fingerprint() == before
    assert FolderDataset(garden, seed=1).fingerprint() != before
    moved = (garden / "aster" / "0.png").rename(garden / "Rose" / "from aster.png")
    assert FolderDataset(garden).fingerprint() != before
    moved.rename(garden / "aster" / "0.png")
    assert FolderDataset(garden).fingerprint() == before
    (garden / "aster").rename(garden / "daisy")
    assert FolderDataset(garden).fingerprint() != before


def test_a_taxonomy_that_it_brings(garden: Path) -> None:
    table(
        garden / "taxonomy.csv",
        "\ufeffname,family,genus,other_names",
        "tulip,Liliaceae,Tulipa,tulips; garden tulip",
        "daisy,Asteraceae,,",
        "aster,Asteraceae,,",
        "Rose,Rosaceae,Rosa,",
    )
    taxonomy = FolderDataset(garden).taxonomy
    assert taxonomy is not None
    assert taxonomy.names == ("Rose", "aster", "tulip")
    assert [taxon.latin for taxon in taxonomy] == ["Rosa (genus)", "Asteraceae", "Tulipa (genus)"]
    assert taxonomy[3].other_names == ("tulips", "garden tulip")
    assert FolderDataset(garden).left_out == ()
    table(garden / "taxonomy.csv", "name,family", "tulip,Liliaceae", "Rose,Rosaceae")
    with pytest.raises(DatasetError, match="does not say the family of the class 'aster'"):
        FolderDataset(garden)


def test_what_is_no_data_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match="There is no folder and no table"):
        FolderDataset(tmp_path / "absent")
    with pytest.raises(DatasetError, match="holds no photos"):
        FolderDataset(tmp_path)
    save(tmp_path / "rose" / "a.png")
    with pytest.raises(DatasetError, match="holds only the class 'rose'"):
        FolderDataset(tmp_path)
    save(tmp_path / "Rose" / "b.png")
    with pytest.raises(DatasetError, match="'Rose' and 'rose' differ only by case"):
        FolderDataset(tmp_path)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["path,split", "a.png,train"], "lacks the column label; it needs path, label, split"),
        (["path,label,split", "a.png,rose,dev"], "line 2: there is no split 'dev'; use train, validation, test"),
        (["path,label,split", "a.png,,train"], "line 2: a photo needs a path and a label"),
        (["path,label,split", "a.png"], "line 2: there is no split 'None'"),
        (["path,label,split"], "holds no photos"),
        ([""], "lacks the column path"),
    ],
)
def test_a_table_that_does_not_say_enough(tmp_path: Path, rows: list[str], told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        FolderDataset(table(tmp_path / "list.csv", *rows))


def test_a_table_of_absent_photos_or_of_no_text(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match=r"2 of 2 photos .* are missing, the first of them .*a\.png"):
        FolderDataset(table(tmp_path / "list.csv", "path,label,split", "a.png,rose,train", "b.png,iris,test"))
    save(tmp_path / "photo.png")
    with pytest.raises(DatasetError, match=r"cannot be read as a table|lacks the column"):
        FolderDataset(tmp_path / "photo.png")


@pytest.mark.parametrize("name", ["../rose", "a/b", "a\\b", "..", "ro\tse", "r" * 101])
def test_a_class_that_is_called_like_a_path(tmp_path: Path, name: str) -> None:
    save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="Call it as people call the flower, without slashes"):
        FolderDataset(table(tmp_path / "list.csv", "path,label,split", f"a.png,{name},train", "a.png,iris,test"))


def test_more_classes_than_there_can_be(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    rows = [f"a.png,kind {number},train" for number in range(1001)]
    with pytest.raises(DatasetError, match=r"holds 1001 classes; 1000 at most .* for each photo instead of each kind"):
        FolderDataset(table(tmp_path / "list.csv", "path,label,split", *rows))


def test_splits_beside_classes(garden: Path) -> None:
    save(garden / "train" / "rose" / "a.png")
    with pytest.raises(DatasetError, match="holds the split 'train' and beside it the folder 'Rose'"):
        FolderDataset(garden)


def test_what_lies_outside_of_classes_is_known(garden: Path) -> None:
    save(garden / "loose.png")
    (garden / "lily").mkdir()
    dataset = FolderDataset(garden)
    assert [(file.path.name, file.reason) for file in dataset.left_out] == [("loose.png", "in no class")]
    assert [folder.name for folder in dataset.empty_folders] == ["lily"]
    assert not dataset.splits_given


def test_some_of_the_photos_in_other_splits(garden: Path) -> None:
    dataset = FolderDataset(garden)
    some = dataset.select([7, 1], ["test", "train"])
    assert (some.labels.tolist(), some.splits.tolist(), some.ids.tolist()) == ([2, 1], ["test", "train"], [1, 2])
    assert [some.path(1), some.path(2)] == [dataset.path(7), dataset.path(1)]
    assert some.names == dataset.names
    assert len(dataset) == 17
