"""Results one to a line, each handed to the system at once, so that a killed run can be resumed."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_BLOCK = 1 << 16


class JsonLines:
    """A file that grows by one JSON value a line. Use it as a context manager, or close it.

    The lines of an earlier run are kept. A last line that the earlier run did not finish is cut off.
    """

    def __init__(self, path: Path) -> None:
        """Open the file for more lines, and create it and its folder if they do not exist."""
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_half_line(path)
        # Bytes of a file name that are not UTF-8 become an escape, which JSON reads back unchanged.
        self._handle = path.open("a", encoding="utf-8", errors="backslashreplace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, value: Any) -> None:
        """Add a line. Once this returns, a killed process loses nothing of it."""
        self._handle.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
        self._handle.flush()

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def read_json_lines(path: Path) -> Iterator[Any]:
    """The value of each complete line. Lines that are not JSON are skipped; a missing file has no lines."""
    if not path.is_file():
        return
    with path.open("rb") as handle:
        for line in handle:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if line.endswith(b"\n"):
                yield value


def cut_half_line(path: Path) -> None:
    """Cut off everything after the last newline, which a killed run left behind."""
    if not path.is_file():
        return
    with path.open("rb+") as handle:
        end = at = handle.seek(0, 2)
        while at > 0:
            start = max(0, at - _BLOCK)
            handle.seek(start)
            found = handle.read(at - start).rfind(b"\n")
            if found >= 0:
                start += found + 1
                break
            at = start
        else:
            start = 0
        if start < end:
            handle.truncate(start)
