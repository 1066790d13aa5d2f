"""Fetching the Oxford 102 flowers from the University of Oxford's Visual Geometry Group.

https://www.robots.ox.ac.uk/~vgg/data/flowers/102/. Whatever happens on the way, a folder that `dataset.is_present`
calls whole is whole: the photos are unpacked into a folder of another name, which is renamed once they are all there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from flowers_core.dataset import DatasetError, DatasetMissing, OxfordFlowers, is_present, photo_id_of, read_labels
from flowers_core.fetching import DownloadError, Progress, Report, fetch, not_writable
from flowers_core.folder_lock import FolderBusy, locked
from flowers_core.unpacking import unpack_photos

__all__ = ["OXFORD_MD5", "OXFORD_URL", "DownloadError", "Progress", "download_dataset"]

OXFORD_URL = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
OXFORD_MD5: Mapping[str, str] = MappingProxyType(
    {
        "102flowers.tgz": "52808999861908f626f3c1f4e79d11fa",
        "imagelabels.mat": "e0620be6f572b9609742df49c70aed4d",
        "setid.mat": "a5357ecc9cb78c4bef273ce3793fc85c",
    }
)
_ARCHIVE = "102flowers.tgz"
_TABLES = ("imagelabels.mat", "setid.mat")


def download_dataset(
    root: Path,
    base_url: str = OXFORD_URL,
    progress: Report | None = None,
    *,
    checksums: Mapping[str, str] = OXFORD_MD5,
) -> bool:
    """Make `root` hold the whole dataset; True when something had to be done for that.

    Goes on where an earlier call was broken off or killed. A 102flowers.tgz that somebody put into `root` is used, and
    kept; one that is fetched here is removed once its photos are unpacked.

    progress: called some ten times a second from this thread. Whatever it raises stops the download; what has arrived
        is kept for the next call.
    checksums: the md5 of each of the three files.

    Raises DownloadError: no network, another file than Oxford's, disk full, another download into `root`, …
    """
    root = Path(root)
    if _is_whole(root, checksums):
        return False
    if not base_url.startswith(("http://", "https://")):
        raise DownloadError(f"{base_url} is no web address; it should begin with https://.")
    report = _now_and_then(progress) if progress else _ignore
    with _writing(root):
        root.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with _writing(root):
            stack.enter_context(_alone_in(root))
        if not _is_whole(root, checksums):
            _complete(root, base_url.rstrip("/"), checksums, report)
    return True


def _complete(root: Path, base_url: str, checksums: Mapping[str, str], report: Report) -> None:
    for name in _TABLES:
        path = root / name
        if _md5(path) != checksums[name]:
            partial = root / f"{name}.partial"
            fetch(f"{base_url}/{name}", partial, checksums[name], report)
            with _writing(root):
                partial.replace(path)
    if is_present(root):
        return
    _check_replaceable(root / "jpg")
    archive = root / _ARCHIVE
    if _md5(archive) != checksums[_ARCHIVE]:
        archive = root / f"{_ARCHIVE}.partial"
        # The archive and the photos out of it, which are as large again: JPEG does not compress further.
        fetch(f"{base_url}/{_ARCHIVE}", archive, checksums[_ARCHIVE], report, room=2.0)
    try:
        _unpack(archive, root, report)
        OxfordFlowers(root)
    except (DatasetMissing, DatasetError) as error:
        raise DownloadError(f"What the server sent is no such dataset: {error}") from error
    (root / f"{_ARCHIVE}.partial").unlink(missing_ok=True)


def _unpack(archive: Path, root: Path, report: Report) -> None:
    unpacked, photos = root / "jpg.partial", root / "jpg"
    shutil.rmtree(unpacked, ignore_errors=True)
    with _writing(root):
        unpacked.mkdir()
    try:
        unpack_photos(archive, unpacked, read_labels(root / "imagelabels.mat").size, report)
        if hasattr(os, "sync"):
            os.sync()  # after a power failure the folder must not have its name but half of its contents
        with _writing(root):
            shutil.rmtree(photos, ignore_errors=True)
            unpacked.replace(photos)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Tell a refused write in a sentence."""
    try:
        yield
    except OSError as error:
        raise not_writable(folder, error) from error


@contextlib.contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    try:
        with locked(root):
            yield
    except FolderBusy as error:
        raise DownloadError(f"Another download into {root} is under way. Wait until it is done.") from error


def _check_replaceable(photos: Path) -> None:
    """Refuse to replace a folder that holds anything but an incomplete copy of the photos."""
    if photos.is_symlink() or (photos.exists() and not photos.is_dir()):
        raise DownloadError(f"{photos} is not a folder of its own. Move it away, or choose another folder.")
    for path in photos.iterdir() if photos.is_dir() else ():
        if photo_id_of(path.name) is None or not path.is_file():
            raise DownloadError(
                f"{photos} holds other things than the dataset's photos ({path.name}). Move it away, or choose another "
                "folder."
            )


def _is_whole(root: Path, checksums: Mapping[str, str]) -> bool:
    return all(_md5(root / name) == checksums[name] for name in _TABLES) and is_present(root)


def _md5(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _now_and_then(progress: Report) -> Report:
    """Pass on the first and the last report of each step, and between them ten a second."""
    last: Progress | None = None
    told = 0.0

    def report(now: Progress) -> None:
        nonlocal last, told
        changed = last is None or (now.step, now.name) != (last.step, last.name)
        if changed or now.done == now.total or time.monotonic() - told >= 0.1:
            last, told = now, time.monotonic()
            progress(now)

    return report


def _ignore(_: Progress) -> None:
    """For callers who do not watch."""
