"""The photos on disk: which references they answer."""

from pathlib import Path

import pytest

from app.resources.data import labelled_photos, photo_file, photos_here
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.photo_ref import OXFORD, oxford
from tests.fixtures.drawn_flowers import draw_dataset


def _own(folder: Path, seed: int) -> FolderDataset:
    """A data set of four drawn photos, numbered 1 to 4 like any other."""
    drawn = draw_dataset(folder / "drawn", classes=(5, 89), per_class=(1, 0, 1), seed=seed)
    rows = [
        f"{drawn}/jpg/image_0000{n}.jpg,{'rose' if n < 3 else 'tulip'},{'train' if n % 2 else 'test'}\n"
        for n in range(1, 5)
    ]
    (folder / "photos.csv").write_text("path,label,split\n" + "".join(rows))
    return FolderDataset(folder / "photos.csv")


def test_a_number_of_another_data_set_has_no_photo_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    garden, meadow = _own(tmp_path / "garden", 0), _own(tmp_path / "meadow", 1)
    assert garden.photo_set != meadow.photo_set
    monkeypatch.setenv("FLOWERS_DATA_DIR", str(tmp_path / "garden" / "photos.csv"))
    assert photo_file(garden.photo_set.ref(2)) == garden.path(2)
    assert photo_file(meadow.photo_set.ref(2)) is photo_file(oxford(2)) is None
    assert photos_here(garden.photo_set)
    assert not photos_here(meadow.photo_set)
    assert not photos_here(OXFORD)
    known = labelled_photos()
    assert known is not None
    assert known.photo_set == garden.photo_set

    monkeypatch.setenv("FLOWERS_DATA_DIR", str(tmp_path / "garden" / "drawn"))
    assert photo_file(oxford(2)) == tmp_path / "garden" / "drawn" / "jpg" / "image_00002.jpg"
    assert photo_file(garden.photo_set.ref(2)) is None
