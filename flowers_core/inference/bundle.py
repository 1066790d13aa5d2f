"""A model on disk: `models/<name>/bundle.json` and the files it vouches for.

The manifest (`inference.manifest`) says what is needed to use the model, what made it, and the size and SHA-256 of each
file. No pickle is read anywhere, and a file whose digest differs from the manifest's is refused.
"""

import dataclasses
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.model_input import CropRule
from flowers_core.errors import FlowersError
from flowers_core.inference.manifest import MANIFEST, FileEntry, Manifest, ManifestError, read_manifest, write_manifest
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.latency import Latency
from flowers_core.inference.records.metrics import Metrics, MetricsByFormat
from flowers_core.inference.records.training import ModelReference, Training
from flowers_core.storage.files import json_text, npz_bytes, sha256_of, write_atomically
from flowers_core.storage.npz import read_npz

DEFAULT_BUNDLE = "efficientnet_lite0"
#: Numeric formats, from the most exact and largest to the smallest.
PRECISIONS = ("float32", "float16", "dynamic", "int8")
CLASSIFIER_FILE, HEAD_FILE, HISTORY_FILE = "classifier.keras", "head.npz", "history.json"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def model_file(precision: str) -> str:
    """The file name of the TFLite model in a numeric format."""
    return f"{precision}.tflite"


def predictions_file(split: str) -> str:
    """The file name of the logits of a split's photos."""
    return f"{split}_predictions.npz"


class BundleError(FlowersError):
    """A bundle is missing, malformed or damaged; the message is a sentence for the person who meets it."""


def check_name(name: str) -> None:
    """Refuse with BundleError what cannot name a bundle, and so its folder."""
    if not _NAME.fullmatch(name):
        raise BundleError(
            f"'{name}' cannot name a model: use lower-case letters, digits, '.', '_' and '-', a letter or digit first."
        )


class Bundle:
    """One trained model with its records, read from its folder. Files are verified on first use."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.name: str = manifest.name
        self.class_names: tuple[str, ...] = manifest.classes
        self.crop_rule: CropRule = manifest.input
        self._verified: set[str] = set()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Bundle({self.name!r})"

    @property
    def training(self) -> Training:
        """How the model was made. Raises BundleError if the bundle does not say."""
        if self.manifest.training is None:
            raise BundleError(f"The model '{self.name}' does not say how it was trained.")
        return self.manifest.training

    @property
    def calibration(self) -> Calibration | None:
        """Temperature and thresholds; None if the bundle has not been evaluated yet."""
        return self.manifest.calibration

    def require_calibration(self) -> Calibration:
        """Temperature and thresholds. Raises BundleError if the bundle has not been evaluated yet."""
        if self.manifest.calibration is None:
            raise BundleError(f"'{self.name}' is not calibrated yet; `flowers evaluate {self.name}` does it.")
        return self.manifest.calibration

    @property
    def precisions(self) -> tuple[str, ...]:
        """The numeric formats whose TFLite model is in the bundle, from largest to smallest."""
        return tuple(precision for precision in PRECISIONS if self.has(model_file(precision)))

    @property
    def metrics(self) -> MetricsByFormat:
        """Figures by numeric format, then by split."""
        return self.manifest.metrics

    @property
    def latency(self) -> Latency:
        """The model's measured speed."""
        return self.manifest.latency

    @property
    def fitted_splits(self) -> tuple[str, ...]:
        """The splits whose photos the model was fitted to; empty if the bundle does not say."""
        return self.manifest.training.splits if self.manifest.training else ()

    def has(self, file_name: str) -> bool:
        """Whether the bundle vouches for a file of this name."""
        return file_name in self.manifest.files

    def digest(self, file_name: str) -> str | None:
        """The SHA-256 that the bundle vouches for, in lower-case hexadecimal; None for a file it does not have."""
        entry = self.manifest.files.get(file_name)
        return entry.sha256 if entry else None

    def path(self, file_name: str) -> Path:
        """The path of one of the bundle's files. The file's digest is checked once in a process.

        Raises:
            BundleError: the file is not part of the bundle, is missing, or does not have the recorded size and digest.
        """
        entry = self.manifest.files.get(file_name)
        if entry is None:
            raise BundleError(f"The model '{self.name}' comes without {file_name}.")
        path = self.folder / file_name
        with self._lock:
            if file_name not in self._verified:
                if not path.is_file():
                    raise BundleError(f"{path} is missing; fetch the model '{self.name}' again or train it anew.")
                if path.stat().st_size != entry.bytes or sha256_of(path) != entry.sha256:
                    raise BundleError(
                        f"{path} is damaged or was changed: its SHA-256 is not the one in {MANIFEST}. "
                        f"Fetch the model '{self.name}' again or make the file anew with its script."
                    )
                self._verified.add(file_name)
        return path

    def head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The linear layer: weights W (channels, classes) and bias b (classes,), float32."""
        stored = read_npz(self.path(HEAD_FILE))
        return stored["W"].astype(np.float32), stored["b"].astype(np.float32)


def reference_to(bundle: Bundle) -> ModelReference:
    """The reference by which another bundle's manifest names a bundle."""
    return ModelReference(bundle.name, bundle.manifest.files[CLASSIFIER_FILE].sha256)


def load_bundle(folder: Path) -> Bundle:
    """Read and check a bundle's manifest; its files are checked when they are used.

    Raises:
        BundleError: there is no manifest, or this version cannot use it.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"There is no model in {folder}: {MANIFEST} is missing.")
    try:
        return Bundle(folder, read_manifest(path))
    except ManifestError as error:
        raise BundleError(str(error)) from error


def bundle_folders(models_dir: Path) -> list[Path]:
    """The folders that hold a bundle's manifest, sorted by name."""
    return sorted(path.parent for path in models_dir.glob(f"*/{MANIFEST}"))


def default_first(bundles: Iterable[Bundle]) -> list[Bundle]:
    """The default bundle first, then the others by name."""
    return sorted(bundles, key=lambda bundle: (bundle.name != DEFAULT_BUNDLE, bundle.name))


def list_bundles(models_dir: Path) -> list[Bundle]:
    """The bundles in a folder, the default one first, then by name. Folders without a manifest are left out."""
    return default_first(map(load_bundle, bundle_folders(models_dir)))


class BundleWriter:
    """Builds a bundle step by step. After each step the manifest in the folder is true of its files."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

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
        return cls(folder, load_bundle(folder).manifest)

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
        self.update(files={**self.manifest.files, file_name: entry})

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
        self.manifest = dataclasses.replace(self.manifest, **changes)
        self.save()

    def set_metrics(self, precision: str, split: str, figures: Metrics) -> None:
        """Record the figures of one numeric format on one split.

        Args:
            precision: the numeric format, one of `PRECISIONS`.
            split: the split of the photos.
            figures: replace earlier figures of this format on this split.
        """
        metrics = self.manifest.metrics
        self.update(metrics={**metrics, precision: {**metrics.get(precision, {}), split: figures}})

    def save(self) -> None:
        """Write the manifest."""
        write_manifest(self.manifest, self.folder / MANIFEST)

    def _forget(self, file_name: str) -> None:
        if file_name in self.manifest.files:
            self.update(files={name: entry for name, entry in self.manifest.files.items() if name != file_name})
