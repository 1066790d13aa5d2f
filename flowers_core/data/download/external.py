"""External photos, independent of the data set: desktop backgrounds from Ubuntu's archive.

`external.json` lists them: 43 that show one of the 102 flowers, labelled by file name and by eye, 234 that show no
flower, and 251 others that show none, out of other packages. The first two kinds only measure; the last is there to fit
rules to. Photos of other flowers, or of flowers that could not be named for certain, were left out before any model had
answered. The photos are fetched unchanged and are not part of this project. Each package states its licences; most are
Creative Commons.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import zstandard

from flowers_core.data.download.archive import MOST_BYTES_PER_PHOTO
from flowers_core.data.download.disk import alone_in, not_writable
from flowers_core.data.download.http import fetch
from flowers_core.data.download.progress import DownloadError, Progress, Report

EXTERNAL_URL = "http://archive.ubuntu.com/ubuntu/"
# The folders of the photos. The first has a folder for each class.
FLOWERS = "flowers"
NO_FLOWER = "no flower"
NO_FLOWER_FOR_FITTING = "no flower, for fitting"

_LIST = Path(__file__).with_name("external.json")


@dataclass(frozen=True)
class Package:
    """A Debian package.

    Attributes:
        file: its path in Ubuntu's archive.
        md5: digest of its bytes, hexadecimal.
        photos: path inside → name of the class, or NO_FLOWER, or NO_FLOWER_FOR_FITTING.
    """

    file: str
    md5: str
    photos: Mapping[str, str]

    @property
    def name(self) -> str:
        """The package's name without version and architecture."""
        return PurePosixPath(self.file).name.split("_")[0]

    def targets(self) -> dict[str, Path]:
        """Where each photo goes: path inside the package → path below the folder of all photos."""
        return {
            path: Path(shows if shows in (NO_FLOWER, NO_FLOWER_FOR_FITTING) else f"{FLOWERS}/{shows}")
            / f"{self.name}_{'_'.join(PurePosixPath(path).parts[2:])}"
            for path, shows in self.photos.items()
        }


@cache
def external_packages() -> tuple[Package, ...]:
    """The packages that hold the listed photos."""
    listed = json.loads(_LIST.read_text(encoding="utf-8"))["packages"]
    return tuple(Package(package["file"], package["md5"], package["photos"]) for package in listed)


def download_external(
    root: Path, base_url: str = EXTERNAL_URL, report: Report | None = None, *, packages: Sequence[Package] | None = None
) -> bool:
    """Make `root` hold the listed photos.

    Each package is fetched, its photos are unpacked, and the rest is deleted. A call goes on where an earlier one was
    broken off.

    Args:
        root: the folder, created if it is missing.
        base_url: the address of Ubuntu's archive.
        report: called often with the progress.
        packages: the packages; None for all listed ones.

    Returns:
        Whether something had to be fetched.

    Raises:
        DownloadError: no network, a file that is not the listed one, disk full, another download into `root`, …
    """
    missing = [
        package
        for package in (external_packages() if packages is None else packages)
        if not all((root / target).is_file() for target in package.targets().values())
    ]
    if not missing:
        return False
    tell = report or (lambda _: None)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with alone_in(root):
            for package in missing:
                partial = root / f"{PurePosixPath(package.file).name}.partial"
                fetch(f"{base_url.rstrip('/')}/{package.file}", partial, package.md5, tell)
                _take_out(package, partial, root, tell)
                partial.unlink()
    except OSError as error:
        raise not_writable(root, error) from error
    return True


def _take_out(package: Package, archive: Path, root: Path, report: Report) -> None:
    """Write the package's photos under names of our own; other files in it are skipped."""
    left = package.targets()
    try:
        with archive.open("rb") as file, _contents(file) as tar:
            for member in tar:
                target = left.pop(PurePosixPath(member.name).as_posix().removeprefix("/"), None)
                source = tar.extractfile(member) if target and member.isreg() else None
                if target is None:
                    continue
                if source is None or member.size > MOST_BYTES_PER_PHOTO:
                    raise DownloadError(f"{member.name} in {package.name} is not a photo; it was not taken.")
                path = root / target
                path.parent.mkdir(parents=True, exist_ok=True)
                beside = path.with_name(f".{path.name}.partial")
                with beside.open("wb") as handle:
                    shutil.copyfileobj(source, handle)
                beside.replace(path)
                report(Progress("unpacking", package.name, len(package.photos) - len(left), len(package.photos)))
                if not left:
                    return
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError) as error:
        raise DownloadError(f"{archive.name} is damaged ({error}). Delete it and run it again.") from error
    raise DownloadError(f"{package.name} lacks {next(iter(left))}; it is not the listed package.")


@contextmanager
def _contents(file: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """The files of a Debian package, from its file's beginning (deb(5)): an ar archive with data.tar.* in it.

    The standard library reads every compression of data.tar except zstd, which `zstandard` reads. Packages for ar
    archives (unix-ar, python-debian) would not shorten these lines. Raises ValueError for any other file.
    """
    if file.read(8) != b"!<arch>\n":
        raise ValueError("it is no Debian package")
    while len(header := file.read(60)) == 60:
        name, size = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        if name.startswith("data.tar"):
            break
        file.seek(size + size % 2, 1)
    else:
        raise ValueError("it holds no data.tar")
    compression = name.removeprefix("data.tar").removeprefix(".")
    stream: Any = file
    if compression == "zst":
        stream, compression = zstandard.ZstdDecompressor().stream_reader(file), ""
    with closing(cast(IO[bytes], stream)), tarfile.open(fileobj=stream, mode=f"r|{compression}") as tar:  # type: ignore[call-overload]
        yield tar
