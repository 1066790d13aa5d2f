"""Named photos as an archive: a table, and small copies of the photos sorted into folders by their names."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

TABLE = "names.csv"
# What no file system takes as part of a name, and what some read as a path.
_UNFIT = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
_LONGEST = 80


@dataclass(frozen=True)
class NamedPhoto:
    """A photo with what it was named.

    Attributes:
        file_name: as the person has it.
        folder: where its copy goes, such as the flower's name.
        copy: a JPEG; None for a photo that could not be read, which has a row only.
        row: its row of the table.
    """

    file_name: str
    folder: str
    copy: bytes | None
    row: Sequence[str]


def named_folder(photos: Iterable[NamedPhoto], header: Sequence[str]) -> bytes:
    """The archive.

    Args:
        photos: in the order of the table.
        header: the names of the table's columns; a last column, the copy's place in the archive, is added.

    Returns:
        The bytes of a ZIP file. No name in it leads out of its folder, and none occurs twice.
    """
    archive, table, used = io.BytesIO(), io.StringIO(), Counter[str]()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow([*header, "copy"])
    # JPEGs do not become smaller by another compression.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for photo in photos:
            place = ""
            if photo.copy is not None:
                stem = _fit(PurePosixPath(photo.file_name.replace("\\", "/")).stem) or "photo"
                place = f"{_fit(photo.folder) or 'unnamed'}/{stem}"
                used[place.casefold()] += 1
                count = used[place.casefold()]
                place += f" ({count}).jpg" if count > 1 else ".jpg"
                packed.writestr(place, photo.copy)
            rows.writerow([*photo.row, place])
        packed.writestr(TABLE, table.getvalue().encode("utf-8-sig", "backslashreplace"), zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def _fit(name: str) -> str:
    """A name that every file system takes."""
    return _UNFIT.sub(" ", name).strip(" .")[:_LONGEST].rstrip(" .")
