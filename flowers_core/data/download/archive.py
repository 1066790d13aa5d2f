"""Unpack the data set's archive without trusting it: only its photos, under names of our own."""

from __future__ import annotations

import contextlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from flowers_core.data.download.disk import open_raw, write
from flowers_core.data.download.progress import DownloadError, Progress, Report
from flowers_core.data.oxford import PHOTOS, Pictures

MOST_BYTES_PER_PHOTO = 64 << 20  # the largest of the real ones has 1 MB; beyond this it is an attack or a mistake

_CHUNK = 1 << 18


def unpack_photos(archive: Path, folder: Path, count: int, report: Report, pictures: Pictures = PHOTOS) -> None:
    """Unpack the photos of a .tgz, jpg/image_00001.jpg …, into `folder`.

    Members are never extracted by their paths. Each photo's bytes are written under the name of its id, so nothing can
    land outside `folder`. This is stricter than tarfile's "data" filter, which extracts by path and allows links within
    the folder. Other files in the archive are skipped. The caller checks the archive's md5.

    Args:
        archive: the .tgz.
        folder: an existing folder, where the photos go.
        count: the number of photos there must be, with the ids 1…count.
        report: called after each photo.
        pictures: which of the data set's pictures to unpack.

    Raises:
        DownloadError: the archive is damaged, incomplete, or holds links, devices, absolute paths or ".."; the disk is
            full.
    """
    found: set[int] = set()
    for tar, member in _members(archive):
        _refuse_danger(member, archive)
        photo_id = _photo_id(member, pictures)
        source = tar.extractfile(member) if photo_id is not None and photo_id <= count else None
        if photo_id is None or source is None:
            continue
        if member.size > MOST_BYTES_PER_PHOTO:
            raise DownloadError(f"{member.name} in {archive.name} is too large to be a photo; nothing was kept.")
        _copy(source, folder / pictures.name_of(photo_id), archive)
        found.add(photo_id)
        report(Progress("unpacking", archive.name.removesuffix(".partial"), len(found), count))
    if len(found) != count:
        title = "photos" if pictures == PHOTOS else "segmentations"
        raise DownloadError(
            f"{archive.name} holds {len(found)} of the dataset's {count} {title}; it is not the right one."
        )


def _members(archive: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    with _reading(archive), tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            yield tar, member


@contextlib.contextmanager
def _reading(archive: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DownloadError(f"{archive.name} is damaged ({error}). Delete it and run it again.") from error


def _refuse_danger(member: tarfile.TarInfo, archive: Path) -> None:
    path = PurePosixPath(member.name.replace("\\", "/"))
    if not (member.isreg() or member.isdir()) or path.is_absolute() or ".." in path.parts:
        raise DownloadError(
            f"{archive.name} holds {member.name!r}, a link, a device or a path that leads out of the folder; "
            "such an archive is not unpacked."
        )


def _photo_id(member: tarfile.TarInfo, pictures: Pictures) -> int | None:
    parts = PurePosixPath(member.name).parts  # "./jpg/…" has the same parts as "jpg/…"
    return pictures.id_of(parts[1]) if member.isreg() and len(parts) == 2 and parts[0] == pictures.folder else None


def _copy(source: IO[bytes], path: Path, archive: Path) -> None:
    with open_raw(path, "wb") as handle:
        while True:
            with _reading(archive):
                chunk = source.read(_CHUNK)
            if not chunk:
                return
            write(handle, chunk, path.parent)
