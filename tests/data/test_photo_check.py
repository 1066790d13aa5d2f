import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.dataset import DatasetError
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.photo_check import check_photos


def save(path: Path, seed: int, scale: int = 1) -> Path:
    """A picture that is like no other: 12 × 12 patches of light, smoothly enlarged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((96 * scale, 96 * scale), Image.Resampling.BICUBIC).save(path)
    return path


def garden(root: Path, count: int = 6) -> Path:
    for place, name in enumerate(("rose", "iris")):
        for number in range(count):
            save(root / name / f"{number}.png", 100 * place + number)
    return root


def splits_of(dataset: FolderDataset) -> dict[str, str]:
    return {dataset.path(n).relative_to(dataset.root).as_posix(): dataset.split_of(n) for n in dataset.ids.tolist()}


def test_sound_photos_need_no_word(tmp_path: Path) -> None:
    checked = check_photos(garden(tmp_path))
    assert checked.findings == ()
    assert np.bincount(checked.dataset.labels).tolist() == [0, 6, 6]
    assert sorted(splits_of(checked.dataset).values()) == ["test"] * 2 + ["train"] * 8 + ["validation"] * 2


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    garden(tmp_path)
    (tmp_path / "rose" / "torn.jpg").write_bytes(b"\xff\xd8\xff and no more")
    (tmp_path / "rose" / "notes.txt").write_text("Rosa")
    save(tmp_path / "loose.png", 50)
    (tmp_path / "lily").mkdir()
    shutil.copy(tmp_path / "rose" / "1.png", tmp_path / "iris" / "same.png")
    checked = check_photos(tmp_path)
    files, folders, broken, twice = checked.findings
    assert files == "Left out: 2 files (1 no photo, 1 in no class): loose.png, notes.txt."
    assert folders == "No class, for there is no photo in it: lily."
    assert broken.startswith(f"Left out, 1 of 14 photos, for they cannot be read: {tmp_path / 'rose' / 'torn.jpg'}: ")
    assert twice.startswith("Left out, 2 of 14 photos, for the same file lies in several classes: ")
    assert str(tmp_path / "iris" / "same.png") in twice
    assert str(tmp_path / "rose" / "1.png") in twice
    kept = splits_of(checked.dataset)
    assert len(kept) == 11
    assert not {"rose/1.png", "iris/same.png", "rose/torn.jpg"} & set(kept)


@pytest.mark.parametrize("seed", range(5))
def test_copies_come_into_one_split(tmp_path: Path, seed: int) -> None:
    garden(tmp_path)
    shutil.copy(tmp_path / "rose" / "0.png", tmp_path / "rose" / "same.png")
    save(tmp_path / "rose" / "larger.png", 1, scale=2)
    with Image.open(tmp_path / "iris" / "2.png") as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "iris" / "mirrored.jpg", quality=60)
    checked = check_photos(tmp_path, seed=seed)
    (finding,) = checked.findings
    assert finding.startswith("6 photos are copies of one another, or nearly: ")
    assert finding.endswith("No split has a copy of a photo in another.")
    split = splits_of(checked.dataset)
    for one, other in (("rose/0", "rose/same"), ("rose/1", "rose/larger"), ("iris/2", "iris/mirrored")):
        assert split[f"{one}.png"] == split.get(f"{other}.png", split.get(f"{other}.jpg"))


def test_given_splits_stay_and_copies_across_them_are_told(tmp_path: Path) -> None:
    for place, split in enumerate(("train", "valid", "test")):
        for of_class, name in enumerate(("rose", "iris")):
            for number in range(3):
                save(tmp_path / split / name / f"{number}.png", 100 * place + 10 * of_class + number)
    shutil.copy(tmp_path / "train" / "rose" / "0.png", tmp_path / "test" / "rose" / "again.png")
    checked = check_photos(tmp_path)
    assert checked.findings[1].startswith("Mind: copies lie in different splits, so figures flatter the model: ")
    assert splits_of(checked.dataset)["test/rose/again.png"] == "test"
    shutil.rmtree(tmp_path / "valid")
    with pytest.raises(DatasetError, match=r"has no validation photos\. Bring photos for train, validation, test"):
        check_photos(tmp_path)


def test_nearly_the_same_photo_in_two_classes_is_asked_about(tmp_path: Path) -> None:
    garden(tmp_path)
    save(tmp_path / "iris" / "a rose.png", 0, scale=2)
    checked = check_photos(tmp_path)
    assert checked.findings[1].startswith("Mind: nearly the same photos lie in two classes; is one label wrong? ")
    assert splits_of(checked.dataset)["iris/a rose.png"] == "train"


def test_classes_that_are_too_small_are_named(tmp_path: Path) -> None:
    garden(tmp_path, 4)
    with pytest.raises(DatasetError, match=r"5 photos of a class are needed .* 'iris' \(4\), 'rose' \(4\)\."):
        check_photos(tmp_path)


def test_two_classes_with_the_same_photos(tmp_path: Path) -> None:
    garden(tmp_path)
    shutil.copytree(tmp_path / "rose", tmp_path / "tulip")
    with pytest.raises(
        DatasetError, match=r"cannot be read or lie in two classes\. Fewer have 'rose' \(0 of 6\), 'tulip' \(0 of 6\)"
    ):
        check_photos(tmp_path)


def test_photos_that_are_all_broken(tmp_path: Path) -> None:
    for path in garden(tmp_path).glob("*/*.png"):
        path.write_bytes(b"\x89PNG no photo")
    with pytest.raises(DatasetError, match=r"'iris' \(0 of 6\), 'rose' \(0 of 6\)"):
        check_photos(tmp_path)
