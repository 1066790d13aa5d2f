"""A bundle as one file to give away: a plain zip of the manifest and the files it vouches for, without folders.

An archive comes from anywhere, so nothing in it is believed. Each entry must be one that the manifest names, with the
size and the SHA-256 that it gives; whatever does not fit is refused before a bundle is there. The digests say that the
bundle arrived as it was packed. They do not say who packed it.
"""

import hashlib
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from flowers_core.inference.bundle import Bundle, BundleError, check_name, load_bundle
from flowers_core.inference.manifest import MANIFEST, Manifest, ManifestError, read_manifest
from flowers_core.storage.files import replace_folder, write_atomically

#: What a bundle is made of; nothing else is unpacked, a pickle least of all.
FILE_ENDINGS = (".json", ".npz", ".tflite", ".keras", ".faiss")
#: Well beyond any bundle: more is a mistake or an attack.
MOST_FILES, MOST_BYTES, MOST_MANIFEST_BYTES = 64, 2 << 30, 16 << 20

_CHUNK = 1 << 20
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Zip has no way to say "unknown"; one fixed time lets equal bundles give equal archives.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class ArchiveError(BundleError):
    """An archive that is no whole bundle, or that cannot be put where it should go."""


def pack_bundle(bundle: Bundle, path: Path) -> None:
    """Write a bundle as one file, in one step. The same bundle gives the same bytes.

    Args:
        bundle: whose files are checked against its manifest before they are packed.
        path: of the archive; what is there is replaced.

    Raises:
        BundleError: where a file of the bundle is missing or is not the one it vouches for.
    """
    files = [bundle.path(name) for name in sorted(bundle.manifest.files)]

    def write(beside: Path) -> None:
        with zipfile.ZipFile(beside, "w") as archive:
            for file in (bundle.folder / MANIFEST, *files):
                entry = zipfile.ZipInfo(file.name, _NO_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.file_size = file.stat().st_size
                with file.open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target, _CHUNK)

    write_atomically(path, write)


def unpack_bundle(archive: Path | IO[bytes], models_dir: Path, *, override: bool = False) -> Bundle:
    """Unpack an archive into the folder of its bundle's name; a whole bundle is there afterwards, or what was before.

    Args:
        archive: the file, or an upload's bytes.
        models_dir: the folder of the bundles, which is made where it is not there.
        override: whether a bundle of the same name is replaced.

    Raises:
        ArchiveError: where the archive is damaged, hostile or no bundle's, or its place is taken.
    """
    name = archive.name if isinstance(archive, Path) else "The archive"
    models_dir.mkdir(parents=True, exist_ok=True)
    # A folder in a folder: lists of bundles look one level deep and do not see a half-written one.
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=models_dir) as beside:
        try:
            with zipfile.ZipFile(archive) as opened:
                new = _unpack(opened, Path(beside) / "new", name)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
            raise ArchiveError(f"{name} is damaged, or no packed bundle: {str(error).rstrip('.')}.") from error
        target = models_dir / new.name
        _refuse_taken(target, override)
        replace_folder(new.folder, target, Path(beside) / "old")
    return load_bundle(target)


def describe_origin(manifest: Manifest) -> str:
    """A sentence on the data and the versions of packages that a bundle was made with."""
    training, data = manifest.training, manifest.data
    of = f"{training.photos} photos of " if training else ""
    known = f"the data set {data.fingerprint[:12]} ({data.photos} photos)" if data else "data that it does not name"
    versions = ", ".join(f"{name} {version}" for name, version in training.versions.items()) if training else ""
    return f"Made from {of}{known}, with {versions or 'versions that it does not name'}."


def _unpack(archive: zipfile.ZipFile, folder: Path, name: str) -> Bundle:
    """The archive's bundle in a new folder."""
    entries = _checked_entries(archive, name)
    folder.mkdir()
    first = entries.pop(MANIFEST)
    _copy(archive.open(first), folder / MANIFEST, first.file_size, None)
    try:
        manifest = read_manifest(folder / MANIFEST)
        check_name(manifest.name)
    except RecursionError as error:
        raise ArchiveError(f"{name} has a {MANIFEST} that is nested too deeply to be a bundle's.") from error
    except ManifestError as error:
        raise ArchiveError(f"{name} holds no bundle: {str(error).replace(str(folder / MANIFEST), MANIFEST)}") from error
    unnamed, absent = sorted(entries.keys() - manifest.files.keys()), sorted(manifest.files.keys() - entries.keys())
    if unnamed:
        raise ArchiveError(f"{name} holds {unnamed[0]}, which its {MANIFEST} does not name.")
    if absent:
        raise ArchiveError(f"{name} lacks {absent[0]}, which its {MANIFEST} names.")
    for file_name, entry in manifest.files.items():
        _copy(archive.open(entries[file_name]), folder / file_name, entry.bytes, entry.sha256)
    return Bundle(folder, manifest)


def _checked_entries(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """The entries by file name, as far as the archive's own list tells them to be a bundle's."""
    found: dict[str, zipfile.ZipInfo] = {}
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise ArchiveError(f"{name} holds {len(entries)} files; a bundle has at most {MOST_FILES}.")
    for entry in entries:
        file_name, kind = entry.orig_filename, stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or kind not in (0, stat.S_IFREG):
            raise ArchiveError(f"{name} holds {file_name!r}, a folder, link or device; a bundle has plain files only.")
        if not _FILE_NAME.fullmatch(file_name) or not file_name.endswith(FILE_ENDINGS):
            raise ArchiveError(
                f"{name} holds {file_name!r}; a bundle's files lie in no folder, and their names end in "
                f"{', '.join(FILE_ENDINGS)}."
            )
        # Also of letters that only differ by case: some disks make one file of them.
        if file_name.lower() in {other.lower() for other in found}:
            raise ArchiveError(f"{name} holds {file_name} twice.")
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            raise ArchiveError(f"{name} holds {file_name} encrypted or in another compression than deflate.")
        found[file_name] = entry
    if MANIFEST not in found:
        raise ArchiveError(f"{name} is no packed bundle: {MANIFEST} is missing.")
    total = sum(entry.file_size for entry in entries)
    if total > MOST_BYTES or found[MANIFEST].file_size > MOST_MANIFEST_BYTES:
        raise ArchiveError(f"{name} says that it holds {total / 1e6:,.0f} MB; no bundle is that large.")
    return found


def _copy(source: IO[bytes], path: Path, size: int, sha256: str | None) -> None:
    """Write an entry's bytes, as many as there should be and no more; compare their digest where it is known."""
    digest, written = hashlib.sha256(), 0
    with source, path.open("xb") as target:
        while written <= size and (chunk := source.read(_CHUNK)):
            written += len(chunk)
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    if written != size or sha256 not in (None, digest.hexdigest()):
        raise ArchiveError(f"{path.name} is damaged or was changed: it is not the file that {MANIFEST} names.")


def _refuse_taken(target: Path, override: bool) -> None:
    if not os.path.lexists(target):
        return
    if not override:
        raise ArchiveError(f"There is a model '{target.name}' already; `flowers unpack --override` replaces it.")
    if not (target / MANIFEST).is_file():
        raise ArchiveError(f"{target} is no bundle, so it is not replaced. Move it away first.")
