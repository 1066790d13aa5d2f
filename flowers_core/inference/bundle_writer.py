"""Writing a bundle, file by file.

After each step the manifest in the folder is true of the files beside it, so a run that dies leaves a bundle that lacks
something, not one that vouches for the wrong bytes. Several runs may go on with one bundle at a time: each changes the
entries that are its own in the manifest as it then is.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle import check_name, load_bundle
from flowers_core.inference.manifest import MANIFEST, FileEntry, Manifest, write_manifest
from flowers_core.inference.records.metrics import Metrics
from flowers_core.storage.files import json_text, locked, npz_bytes, sha256_of, write_atomically


class BundleWriter:
    """Builds a bundle step by step. After each step the manifest in the folder is true of its files."""

    def __init__(self, folder: Path, manifest: Manifest, *, shared: bool = False) -> None:
        """Nothing is written yet; see `create` and `open`.

        Args:
            folder: the bundle's.
            manifest: what has been written so far.
            shared: whether the bundle is there already, so that other runs may change it too.
        """
        self.folder = folder
        self.manifest = manifest
        self._shared = shared

    @classmethod
    def create(
        cls, folder: Path, *, name: str, backbone: str, crop_rule: CropRule, classes: Sequence[str]
    ) -> "BundleWriter":
        """Start a new bundle. An older bundle in the folder stays whole until the first file of the new one is added.

        Args:
            folder: the bundle's folder.
            name: the bundle's name: lower-case letters, digits, ".", "_" and "-".
            backbone: the network's name.
            crop_rule: how a photo becomes the model's input.
            classes: English names in the order of the logits.

        Raises:
            BundleError: the name cannot name a bundle.
        """
        check_name(name)
        return cls(folder, Manifest(name, backbone, crop_rule, tuple(classes), {}))

    @classmethod
    def open(cls, folder: Path) -> "BundleWriter":
        """Go on with the bundle in a folder. Raises BundleError if there is none."""
        return cls(folder, load_bundle(folder).manifest, shared=True)

    def add_bytes(self, file_name: str, content: bytes) -> None:
        """Write one file of the bundle and record its size and digest.

        Args:
            file_name: a name without folders.
            content: the whole content.
        """

        def write(path: Path) -> None:
            path.write_bytes(content)

        self.add_file(file_name, write)

    def add_json(self, file_name: str, values: Any) -> None:
        """Write JSON values as one of the bundle's files.

        Args:
            file_name: a name without folders.
            values: plain values.

        Raises:
            ValueError: a number is not finite.
        """
        self.add_bytes(file_name, json_text(values).encode())

    def add_npz(self, file_name: str, *, compressed: bool = False, **arrays: ArrayLike) -> None:
        """Write named arrays as one of the bundle's files.

        Args:
            file_name: a name without folders, ending in `.npz`.
            compressed: whether to deflate the arrays.
            **arrays: the arrays by name, none of Python objects.
        """
        self.add_bytes(file_name, npz_bytes(compressed=compressed, **arrays))

    def add_file(self, file_name: str, write: Callable[[Path], None]) -> None:
        """Add a file that a library writes itself.

        The manifest drops the file before it is replaced and names it again afterwards. So a run that dies in between
        leaves a bundle that lacks the file, not one that vouches for the wrong bytes.

        Args:
            file_name: a name without folders.
            write: takes a path and leaves a file there.
        """
        self._forget(file_name)
        path = self.folder / file_name
        write_atomically(path, write)
        entry = FileEntry(path.stat().st_size, sha256_of(path))
        self.change(lambda manifest: {"files": {**manifest.files, file_name: entry}})

    def add_link(self, source: Path, entry: FileEntry) -> None:
        """Add another bundle's file without copying it, for a folder that lasts no longer than that bundle.

        Args:
            source: the file, which the new one is called like and points to; it is copied where links are not allowed.
            entry: its size and digest.
        """
        path = self.folder / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.symlink_to(source.resolve())
        except OSError:
            path.write_bytes(source.read_bytes())
        self.change(lambda manifest: {"files": {**manifest.files, source.name: entry}})

    def remove_file(self, file_name: str) -> None:
        """Take a file out of the bundle and off the disk."""
        self._forget(file_name)
        (self.folder / file_name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete the folder's files that the manifest does not vouch for, which an older bundle left behind."""
        for path in self.folder.iterdir():
            if path.is_file() and path.name != MANIFEST and path.name not in self.manifest.files:
                path.unlink()

    def update(self, **changes: Any) -> None:
        """Change entries of the manifest, as `dataclasses.replace` does, and write it.

        Raises:
            JsonValueError: a number is not finite. The manifest on disk stays as it was.
        """
        self.change(lambda _: changes)

    def change(self, changes: Callable[[Manifest], Mapping[str, Any]]) -> None:
        """Change entries of the manifest by what they hold at that moment, whoever else writes to the bundle.

        Args:
            changes: gives the new entries for the manifest as it is.

        Raises:
            JsonValueError: a number is not finite. The manifest on disk stays as it was.
        """
        with locked(self.folder, wait=True) if self._shared else contextlib.nullcontext():
            present = load_bundle(self.folder).manifest if self._shared else self.manifest
            self.manifest = dataclasses.replace(present, **changes(present))
            self.save()

    def set_metrics(self, precision: str, split: str, figures: Metrics) -> None:
        """Record the figures of one numeric format on one split.

        Args:
            precision: the numeric format, one of `PRECISIONS`.
            split: the split of the photos.
            figures: replace earlier figures of this format on this split.
        """

        def change(manifest: Manifest) -> Mapping[str, Any]:
            others = manifest.metrics.get(precision, {})
            return {"metrics": {**manifest.metrics, precision: {**others, split: figures}}}

        self.change(change)

    def save(self) -> None:
        """Write the manifest."""
        write_manifest(self.manifest, self.folder / MANIFEST)

    def _forget(self, file_name: str) -> None:
        if file_name in self.manifest.files:
            self.change(lambda manifest: {"files": {k: v for k, v in manifest.files.items() if k != file_name}})
