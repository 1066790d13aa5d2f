"""Fetch the Oxford 102 flowers from the University of Oxford's Visual Geometry Group.

https://www.robots.ox.ac.uk/~vgg/data/flowers/102/. The photos are unpacked into a folder of another name, which is
renamed once they are all there. So `is_present` is never wrong about a download that was broken off.
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

from flowers_core.data.dataset import DatasetError, DatasetMissing
from flowers_core.data.download.archive import unpack_photos
from flowers_core.data.download.disk import alone_in, not_writable
from flowers_core.data.download.http import fetch
from flowers_core.data.download.progress import DownloadError, Progress, Report
from flowers_core.data.oxford import PHOTOS, SEGMENTATIONS, OxfordFlowers, Pictures, is_present, read_labels

__all__ = ["OXFORD_MD5", "OXFORD_URL", "DownloadError", "Progress", "download_dataset", "download_segmentations"]

OXFORD_URL = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
OXFORD_MD5: Mapping[str, str] = MappingProxyType(
    {
        "102flowers.tgz": "52808999861908f626f3c1f4e79d11fa",
        "imagelabels.mat": "e0620be6f572b9609742df49c70aed4d",
        "setid.mat": "a5357ecc9cb78c4bef273ce3793fc85c",
        # Oxford publishes none. This is the one that public code for training on the segmentations hands to
        # torchvision's downloader, which refuses any other file.
        "102segmentations.tgz": "51375996b6c4f367a4b9f4492d7ecef5",
    }
)
_ARCHIVES: Mapping[Pictures, str] = MappingProxyType({PHOTOS: "102flowers.tgz", SEGMENTATIONS: "102segmentations.tgz"})
_TABLES = ("imagelabels.mat", "setid.mat")


def download_dataset(
    root: Path,
    base_url: str = OXFORD_URL,
    progress: Report | None = None,
    *,
    checksums: Mapping[str, str] = OXFORD_MD5,
) -> bool:
    """Make `root` hold the whole data set.

    A call goes on where an earlier one was broken off or killed. A 102flowers.tgz that a person put into `root` is used
    and kept. One that this function fetches is removed once its photos are unpacked.

    Args:
        root: the folder, created if it is missing.
        base_url: the address of the files, without their names.
        progress: called some ten times a second from this thread. Any exception it raises stops the download; the bytes
            that have arrived are kept for the next call.
        checksums: file name → md5 of each of the three files.

    Returns:
        Whether something had to be done.

    Raises:
        DownloadError: no network, a file that is not Oxford's, disk full, another download into `root`, …
    """
    root = Path(root)
    if _is_whole(root, checksums):
        return False
    report = _begin(base_url, progress)
    with _held(root):
        if not _is_whole(root, checksums):
            _complete(root, base_url.rstrip("/"), checksums, report)
    return True


def download_segmentations(
    root: Path,
    base_url: str = OXFORD_URL,
    progress: Report | None = None,
    *,
    checksums: Mapping[str, str] = OXFORD_MD5,
) -> bool:
    """Make `root`, which holds the data set, hold Oxford's segmentations of it too; as `download_dataset`.

    They are another 203 MB, go to segmim/, and are needed only to measure how much of a heat map lies on the flower.

    Args:
        root: the data set's folder.
        base_url, progress, checksums: as in `download_dataset`.

    Returns:
        Whether something had to be done.

    Raises:
        DownloadError: as in `download_dataset`, or the data set itself is not there.
    """
    root = Path(root)
    try:
        count = read_labels(root / "imagelabels.mat").size
    except (DatasetMissing, DatasetError) as error:
        raise DownloadError(f"The segmentations belong to the dataset, which comes first: {error}") from error
    if _all_there(root, SEGMENTATIONS, count):
        return False
    report = _begin(base_url, progress)
    with _held(root):
        if not _all_there(root, SEGMENTATIONS, count):
            _bring(SEGMENTATIONS, count, root, base_url.rstrip("/"), checksums, report)
    return True


def arriving_photo(root: Path, photo_id: int) -> Path:
    """Where a photo lies, once it has come, while `download_dataset` unpacks.

    Args:
        root: the data set's folder.
        photo_id: the photo's.
    """
    return _arriving(root, PHOTOS) / PHOTOS.name_of(photo_id)


def _arriving(root: Path, pictures: Pictures) -> Path:
    return root / f"{pictures.folder}.partial"


def _begin(base_url: str, progress: Report | None) -> Report:
    if not base_url.startswith(("http://", "https://")):
        raise DownloadError(f"{base_url} is no web address; it should begin with https://.")
    return _now_and_then(progress) if progress else _ignore


@contextlib.contextmanager
def _held(root: Path) -> Iterator[None]:
    """Create the folder and keep other downloads out of it."""
    with contextlib.ExitStack() as stack:
        with _writing(root):
            root.mkdir(parents=True, exist_ok=True)
            stack.enter_context(alone_in(root))
        yield


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
    try:
        _bring(PHOTOS, read_labels(root / "imagelabels.mat").size, root, base_url, checksums, report)
        OxfordFlowers(root)
    except (DatasetMissing, DatasetError) as error:
        raise DownloadError(f"What the server sent is no such dataset: {error}") from error


def _bring(
    pictures: Pictures, count: int, root: Path, base_url: str, checksums: Mapping[str, str], report: Report
) -> None:
    """Fetch an archive, unless it lies there, and unpack it into its folder."""
    name = _ARCHIVES[pictures]
    _check_replaceable(root / pictures.folder, pictures)
    archive = root / name
    if _md5(archive) != checksums[name]:
        archive = root / f"{name}.partial"
        # The archive and the pictures out of it, which are as large again: JPEG does not compress further.
        fetch(f"{base_url}/{name}", archive, checksums[name], report, room=2.0)
    _unpack(archive, pictures, count, root, report)
    (root / f"{name}.partial").unlink(missing_ok=True)


def _unpack(archive: Path, pictures: Pictures, count: int, root: Path, report: Report) -> None:
    unpacked, final = _arriving(root, pictures), root / pictures.folder
    shutil.rmtree(unpacked, ignore_errors=True)
    with _writing(root):
        unpacked.mkdir()
    try:
        unpack_photos(archive, unpacked, count, report, pictures)
        if hasattr(os, "sync"):
            os.sync()  # after a power failure the folder must not have its name but half of its contents
        with _writing(root):
            shutil.rmtree(final, ignore_errors=True)
            unpacked.replace(final)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn a refused write into a DownloadError with a sentence."""
    try:
        yield
    except OSError as error:
        raise not_writable(folder, error) from error


def _check_replaceable(folder: Path, pictures: Pictures) -> None:
    """Refuse to replace a folder that holds anything but an incomplete copy of the pictures."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise DownloadError(f"{folder} is not a folder of its own. Move it away, or choose another folder.")
    for path in folder.iterdir() if folder.is_dir() else ():
        if pictures.id_of(path.name) is None or not path.is_file():
            raise DownloadError(
                f"{folder} holds other things than the dataset's photos ({path.name}). Move it away, or choose another "
                "folder."
            )


def _all_there(root: Path, pictures: Pictures, count: int) -> bool:
    folder = root / pictures.folder
    found = {pictures.id_of(path.name) for path in folder.iterdir()} if folder.is_dir() else set()
    return found >= set(range(1, count + 1))


def _is_whole(root: Path, checksums: Mapping[str, str]) -> bool:
    return all(_md5(root / name) == checksums[name] for name in _TABLES) and is_present(root)


def _md5(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _now_and_then(progress: Report) -> Report:
    """Pass on the first and the last report of each step, and up to ten a second between them."""
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
    """The report of a caller who does not watch."""
