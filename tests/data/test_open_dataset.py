import shutil
from pathlib import Path

import pytest

from flowers_core.data.dataset import DatasetMissing
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.open_dataset import open_dataset
from flowers_core.data.oxford import OxfordFlowers


def test_oxford_folders_and_tables_are_told_apart(drawn_dataset: OxfordFlowers, tmp_path: Path) -> None:
    assert isinstance(open_dataset(drawn_dataset.root), OxfordFlowers)
    for label in (1, 2):
        for number in range(3):
            path = tmp_path / "garden" / f"kind {label}" / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(drawn_dataset.path(3 * label + number), path)
    folders = open_dataset(tmp_path / "garden")
    assert isinstance(folders, FolderDataset)
    folders.write_table(tmp_path / "elsewhere.csv")
    table = open_dataset(tmp_path / "elsewhere.csv")
    assert table.fingerprint() == folders.fingerprint()
    assert [table.path(n) for n in table.ids] == [folders.path(n) for n in folders.ids]
    assert (table.splits == folders.splits).all()


def test_where_nothing_lies_it_says_how_to_get_oxfords(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DatasetMissing, match="download_data"):
            open_dataset(place)
    (tmp_path / "jpg.partial").mkdir()
    with pytest.raises(DatasetMissing, match="imagelabels"):
        open_dataset(tmp_path)
