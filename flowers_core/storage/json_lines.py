"""Results one to a line, each handed to the system as soon as it is known, so that a killed run can be resumed."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_BLOCK = 1 << 16


class JsonLines:
    """A file of one JSON value a line that grows. Used as a context, or closed by hand.

    What an earlier run left stays, but for a last line that was being written when that run died.
    """

    def __init__(self, path: Path) -> None:
        """Open the file for more lines, and make it and its folder where they are not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_half_line(path)
        # What is no UTF-8 in a file's name becomes an escape that JSON reads back as it was.
        self._handle = path.open("a", encoding="utf-8", errors="backslashreplace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, value: Any) -> None:
        """Add a line. Once this returns, killing the process loses nothing."""
        self._handle.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
        self._handle.flush()

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def read_json_lines(path: Path) -> Iterator[Any]:
    """The value of each whole line; lines that are no JSON are passed over. Nothing where there is no file."""
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


def _cut_half_line(path: Path) -> None:
    """Cut off what follows the last end of a line."""
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
