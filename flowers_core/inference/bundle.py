"""A model on disk: `models/<name>/bundle.json` and the files it vouches for.

The manifest (`inference.manifest`) says what is needed to use the model, what made it, and the size and SHA-256 of each
file. No pickle is read anywhere, and a file whose digest differs from the manifest's is refused.
"""

import re
import threading
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import photo_set_of
from flowers_core.data.photo_ref import PhotoSet
from flowers_core.data.taxonomy import Taxonomy, taxonomy_from, taxonomy_of
from flowers_core.errors import FlowersError
from flowers_core.inference.manifest import MANIFEST, Manifest, ManifestError, read_manifest
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.latency import Latency
from flowers_core.inference.records.metrics import MetricsByFormat
from flowers_core.inference.records.training import ModelReference, Training
from flowers_core.storage.files import sha256_of
from flowers_core.storage.npz import read_npz
from flowers_core.storage.typed_json import JsonValueError, read_json

DEFAULT_BUNDLE = "efficientnet_lite0_all"
#: Numeric formats, from the most exact and largest to the smallest.
PRECISIONS = ("float32", "float16", "dynamic", "int8")
CLASSIFIER_FILE, HEAD_FILE, HISTORY_FILE = "classifier.keras", "head.npz", "history.json"
#: Where the classes' places in botany are, of a bundle whose data set brought them.
TAXONOMY_FILE = "taxonomy.json"

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
        """Nothing is read before it is used; `load_bundle` reads the manifest.

        Args:
            folder: the bundle's.
            manifest: what its `bundle.json` says.
        """
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

    @cached_property
    def photo_set(self) -> PhotoSet:
        """The photos of the data set that the model learnt from; its numbers of photos mean these."""
        data = self.manifest.data
        return photo_set_of(data.fingerprint if data else "", self.class_names)

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
        """The splits of its data set (`dataset_of`) that the model was fitted to; empty if the bundle does not say."""
        return self.manifest.training.fitted_splits if self.manifest.training else ()

    def require_unseen(self, split: str) -> None:
        """Refuse with BundleError to be tested by the photos of a split that the model has learnt from."""
        if split in self.fitted_splits:
            other = f" '{self.sibling}' is tested in its place." if self.sibling else ""
            raise BundleError(f"'{self.name}' has learnt from the {split} photos: they cannot test it.{other}")

    @property
    def sibling(self) -> str | None:
        """Where the model has learnt from the test photos too: the name of its counterpart, whose figures stand for it.

        None where the test photos can test the model itself.
        """
        counterpart = self.manifest.counterpart
        return counterpart.name if counterpart and "test" in self.fitted_splits else None

    @property
    def tested_metrics(self) -> MetricsByFormat:
        """The figures on test photos that stand for the model: those of its sibling, if it has one, or its own."""
        counterpart = self.manifest.counterpart
        return counterpart.metrics if counterpart and self.sibling else self.metrics

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

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """The classes with their places in botany, as far as known. Raises BundleError where its file holds none."""
        if not self.has(TAXONOMY_FILE):
            return taxonomy_of(self.class_names)
        try:
            return taxonomy_of(self.class_names, taxonomy_from(read_json(self.path(TAXONOMY_FILE))))
        except (JsonValueError, ValueError) as error:
            raise BundleError(f"{TAXONOMY_FILE} of '{self.name}' holds no taxonomy: {error}") from error

    def answers_digest(self, precision: str) -> str | None:
        """What names the answers of one numeric format: the SHA-256 of its model, of a taught bundle the head's too.

        A taught bundle shares its graph with the one that it was taught from, and answers otherwise.
        """
        found = self.digest(model_file(precision))
        return f"{found}+{self.digest(HEAD_FILE)}" if found and self.manifest.taught else found

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
