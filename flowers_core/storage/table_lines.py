"""A table whose rows are handed to the system one by one, so that a killed run can be resumed.

It opens in a spreadsheet: CSV in UTF-8 with the byte order mark by which Excel recognizes it.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from flowers_core.storage.json_lines import cut_half_line

_ENCODING = "utf-8-sig"


class TableLines:
    """A CSV file that grows by one row at a time. Use it as a context manager, or close it.

    The rows of an earlier run are kept. A last row that the earlier run did not finish is cut off.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        """Open the file for more rows; create it and its folder, with the header, if it does not exist.

        Args:
            path: the file.
            header: the names of the columns, as an earlier run wrote them.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_half_line(path)
        new = not path.is_file() or not path.stat().st_size
        # Only a new file gets the mark. Bytes of a file name that are not UTF-8 become an escape, see `escaped`.
        self._handle = path.open("a", encoding=_ENCODING if new else "utf-8", errors="backslashreplace", newline="")
        if new:
            self.add(header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, row: Sequence[str]) -> None:
        """Add a row. Once this returns, a killed process loses nothing of it."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        self._handle.write(text.getvalue())
        self._handle.flush()

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def read_table_lines(path: Path) -> Iterator[dict[str, str]]:
    """Each whole row by the names of the columns; a row that is too short is skipped, a missing file has none."""
    if not path.is_file():
        return
    with path.open(encoding=_ENCODING, newline="") as handle:
        for row in csv.DictReader(handle):
            if None not in row and None not in row.values():
                yield row


def escaped(text: str) -> str:
    """A text as a file of rows or lines keeps it, where it comes from a file name whose bytes are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
