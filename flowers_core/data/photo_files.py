"""Which files in a folder are photos, judged by name, and by the first bytes if the name does not tell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from flowers_core.data.photo_formats import ACCEPTED_ENDINGS, looks_like_photo

Reason = Literal["hidden", "no photo", "in no class"]
_SYSTEMS_OWN = frozenset(("__macosx", "@eadir", "thumbs.db", "desktop.ini", "$recycle.bin"))


@dataclass(frozen=True)
class LeftOut:
    """A file in a folder of photos that is skipped.

    Attributes:
        path: the file or hidden folder.
        reason: "hidden" from its owner, "no photo", or a photo "in no class": outside of all folders.
    """

    path: Path
    reason: Reason


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or made by an operating system or archiver for itself."""
    return name.startswith(".") or name.casefold() in _SYSTEMS_OWN


def is_photo(path: Path) -> bool:
    """Whether a file has a photo's ending or begins like a photo. Only reading it tells whether it can be read."""
    if path.suffix.lower() in ACCEPTED_ENDINGS:
        return True
    try:
        with path.open("rb") as handle:
            return looks_like_photo(handle.read(16))
    except OSError:
        return False


def photos_in(folder: Path) -> list[Path]:
    """The photos in a folder, none below it, in order of path; none where there is no folder."""
    return sorted(path for path in folder.glob("*") if is_photo(path))


def walk_photos(root: Path) -> Iterator[Path | LeftOut]:
    """Every photo in a folder and below it, in order of path, and every file that is left out.

    Links are followed, but no folder is entered twice. A hidden folder counts as one file.
    """
    seen: set[Path] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        here = Path(folder).resolve()
        if here in seen:
            below.clear()
            continue
        seen.add(here)
        for name in below:
            if is_hidden(name):
                yield LeftOut(Path(folder, name), "hidden")
        below[:] = sorted(name for name in below if not is_hidden(name))
        for name in sorted(names):
            path = Path(folder, name)
            if is_hidden(name):
                yield LeftOut(path, "hidden")
            else:
                yield path if is_photo(path) else LeftOut(path, "no photo")


def describe_left_out(left_out: Sequence[LeftOut]) -> str | None:
    """How many files were left out and which, as the end of "Left out: …"; None if there are none."""
    if not left_out:
        return None
    count = Counter(file.reason for file in left_out)
    parts = [f"{count[reason]} {reason}" for reason in get_args(Reason) if count[reason]]
    shown = ", ".join(file.path.name for file in left_out[:3]) + (" …" if len(left_out) > 3 else "")
    return f"{len(left_out)} file{'s' if len(left_out) > 1 else ''} ({', '.join(parts)}): {shown}."
