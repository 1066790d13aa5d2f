"""Where the photos to index lie: in folders, in stores behind a URL (fsspec), and in tars, as WebDataset packs them.

A URI names each photo: an absolute path, a URL, or for a member of a tar what fsspec calls it,
`tar://MEMBER::PATH OR URL OF THE TAR`. A URI is valid Unicode: of a path whose bytes are not, it is the `file://` URL.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote, unquote_to_bytes

from flowers_core.data.in_order import in_order
from flowers_core.data.photo_files import LeftOut, is_hidden, walk_photos
from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.data.photo_formats import ACCEPTED_ENDINGS
from flowers_core.data.photos import PhotoError
from flowers_core.errors import FlowersError

_FILE = "file://"
_TAR_ENDINGS = (".tar", ".tar.gz", ".tgz")
# A store answers a request after some hundredths of a second, in which a worker would wait: so many are on their way.
_REQUESTS = 8
# What the kinds of stores call the time of the last change.
_TIMES = ("LastModified", "mtime", "last_modified", "created")


class SourceError(FlowersError):
    """A place with photos cannot be read."""


@dataclass(frozen=True)
class Source:
    """A photo, or a tar of photos.

    Attributes:
        uri: an absolute path or a URL.
        modified: time of the last change in seconds since 1970; 0 where nothing tells.
    """

    uri: str
    modified: float = 0.0

    @property
    def is_tar(self) -> bool:
        """Whether it is a tar of photos."""
        return _is_tar(self.uri)

    @property
    def is_remote(self) -> bool:
        """Whether it lies behind a URL."""
        return _is_url(self.uri) and not self.uri.startswith(_FILE)


def find_sources(places: Iterable[str]) -> Iterator[Source]:
    """Every photo and every tar in the places and below them, in the order of their names.

    A file that is given itself always counts. In a folder, hidden files count for nothing, nor does what has no photo's
    ending; on disk, neither does a file that begins like a photo.

    Args:
        places: files, folders and URLs.

    Raises:
        PhotoFolderError: a place is not there.
        SourceError: a URL cannot be opened.
    """
    for place in places:
        yield from _behind_url(place) if Source(place).is_remote else _on_disk(_path_of(place))


def read_sources(sources: Iterable[Source]) -> Iterator[tuple[Source, bytes | PhotoError]]:
    """The bytes of each photo, in order; a tar gives those of its members, each with a URI of its own.

    Args:
        sources: photos and tars.

    Yields:
        The photo, and its bytes or why they cannot be had.
    """
    files: list[Source] = []
    for source in sources:
        if source.is_tar:
            yield from _read_files(files)
            files = []
            yield from _read_tar(source)
        else:
            files.append(source)
    yield from _read_files(files)


def _read_files(files: list[Source]) -> Iterator[tuple[Source, bytes | PhotoError]]:
    if any(file.is_remote for file in files):
        yield from in_order(_read_file, files, _REQUESTS)
    else:
        yield from map(_read_file, files)


def _read_file(source: Source) -> tuple[Source, bytes | PhotoError]:
    try:
        with _open(source) as handle:
            return source, handle.read()
    except OSError as error:
        return source, PhotoError(f"It could not be read: {error.strerror or error}.")


def _read_tar(source: Source) -> Iterator[tuple[Source, bytes | PhotoError]]:
    """Reads a tar once, from beginning to end, as WebDataset does: in a store, going back is another request."""
    try:
        with _open(source) as handle, tarfile.open(fileobj=handle, mode="r|*") as tar:
            for member in tar:
                if member.isfile() and _is_photo(member.name):
                    content = tar.extractfile(member)
                    if content is not None:
                        uri = f"tar://{_unicode(member.name)}::{source.uri}"
                        yield Source(uri, float(member.mtime)), content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        yield source, PhotoError(f"This tar could not be read to its end: {error}.")


def _open(source: Source) -> IO[bytes]:
    if not source.is_remote:
        return _path_of(source.uri).open("rb")
    files, path = _file_system(source.uri)
    handle: IO[bytes] = files.open(path, "rb")
    return handle


def _on_disk(path: Path) -> Iterator[Source]:
    path = path.expanduser().absolute()
    if path.is_file():
        yield _local(path)
    elif path.is_dir():
        for found in walk_photos(path):
            if not isinstance(found, LeftOut):
                yield _local(found)
            elif found.reason == "no photo" and _is_tar(found.path.name):
                yield _local(found.path)
    else:
        raise PhotoFolderError(f"There is no photo and no folder {path}.")


def _local(path: Path) -> Source:
    uri = str(path) if _unicode(str(path)) == str(path) else path.as_uri()
    try:
        return Source(uri, path.stat().st_mtime)
    except OSError:  # a link to nowhere; reading it says so
        return Source(uri)


def _path_of(uri: str) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix(_FILE))) if uri.startswith(_FILE) else uri)


def _unicode(name: str) -> str:
    """A name as it is, or with bytes that are not UTF-8 written as in URLs."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return quote(os.fsencode(name))
    return name


def _behind_url(url: str) -> Iterator[Source]:
    files, path = _file_system(url)
    try:
        if _is_tar(url) or _is_photo(url):
            yield Source(url, _modified(files.info(path)))
            return
        found = False
        for _, below, here in files.walk(path, detail=True, on_error="raise"):
            found = found or bool(below or here)
            for name in sorted(here):
                if _is_photo(name) or (_is_tar(name) and not is_hidden(name)):
                    yield Source(files.unstrip_protocol(here[name]["name"]), _modified(here[name]))
    except OSError as error:
        raise SourceError(f"{url} cannot be read: {error.strerror or error}.") from error
    if not found:
        raise PhotoFolderError(f"There is no photo and no folder {url}.")


def _file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise SourceError(
            f"{url} is a URL, and fsspec opens those: `pip install -e '.[cluster]'` in the project's folder."
        ) from error
    try:
        return url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{url} cannot be opened: {str(error).rstrip('.')}.") from error


def _modified(info: dict[str, Any]) -> float:
    time = next((info[name] for name in _TIMES if info.get(name)), 0.0)
    return time.timestamp() if isinstance(time, datetime) else float(time) if isinstance(time, (int, float)) else 0.0


def _is_url(place: str) -> bool:
    return "://" in place


def _is_tar(name: str) -> bool:
    return name.lower().endswith(_TAR_ENDINGS)


def _is_photo(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in ACCEPTED_ENDINGS and not is_hidden(path.name)
