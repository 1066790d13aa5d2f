"""A model on disk: `models/<name>/bundle.json` and the files it vouches for.

The manifest holds what is needed to use the model (input rule, classes, calibration), what made it (recipe, seed, data
fingerprint), every figure shown anywhere, and the size and SHA-256 of each file. No pickle is read anywhere, and a file
whose digest differs from the manifest's is refused.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule
from flowers_core.errors import FlowersError
from flowers_core.storage.files import sha256_of, write_atomically

SCHEMA_VERSION = 1
MANIFEST = "bundle.json"
DEFAULT_BUNDLE = "efficientnet_lite0"
PRECISIONS = ("float32", "float16", "dynamic", "int8")

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_REQUIRED = ("schema_version", "name", "backbone", "input", "classes", "files")


class BundleError(FlowersError):
    """A bundle that is missing, malformed or damaged; the message is a sentence for the person who meets it."""


@dataclass(frozen=True)
class Calibration:
    """How logits become honest probabilities.

    temperature: > 0, divides the logits (Guo et al. 2017, arXiv 1706.04599).
    conformal_coverage: in (0, 1), the share of photos whose set of plausible classes holds the true one.
    conformal_threshold: in [0, 1], a class is plausible when 1 − p ≤ threshold (Sadinle et al. 2019).
    unsure_below: in [0, 1], a top probability under which the answer is given with doubt.
    """

    temperature: float
    conformal_coverage: float
    conformal_threshold: float
    unsure_below: float


class Bundle:
    """One trained model with its records, read from its folder. Files are verified when first asked for."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.name: str = manifest["name"]
        self.class_names: tuple[str, ...] = tuple(manifest["classes"])
        self.crop_rule = CropRule.from_json(manifest["input"])
        self._verified: set[str] = set()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Bundle({self.name!r})"

    @property
    def calibration(self) -> Calibration | None:
        """Temperature and thresholds, or None when the bundle has not been evaluated yet."""
        stored = self.manifest.get("calibration")
        return Calibration(**stored) if stored else None

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions whose TFLite model is in the bundle, from largest to smallest."""
        return tuple(p for p in PRECISIONS if f"{p}.tflite" in self.manifest["files"])

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Figures by precision, then by split ("validation", "test")."""
        return self.manifest.get("metrics", {})

    @property
    def latency(self) -> Mapping[str, Any]:
        """Milliseconds a photo by precision, with the machine they were measured on."""
        return self.manifest.get("latency", {})

    def has(self, file_name: str) -> bool:
        """Whether the bundle vouches for a file of this name."""
        return file_name in self.manifest["files"]

    def path(self, file_name: str) -> Path:
        """The path of one of the bundle's files, after its digest was checked (once a process).

        Raises BundleError when the file is not part of the bundle, is missing, or is not the one it vouches for.
        """
        entry = self.manifest["files"].get(file_name)
        if entry is None:
            raise BundleError(f"The model '{self.name}' comes without {file_name}.")
        path = self.folder / file_name
        with self._lock:
            if file_name not in self._verified:
                if not path.is_file():
                    raise BundleError(f"{path} is missing; fetch the model '{self.name}' again or train it anew.")
                if path.stat().st_size != entry["bytes"] or sha256_of(path) != entry["sha256"]:
                    raise BundleError(
                        f"{path} is damaged or was changed: its SHA-256 is not the one in {MANIFEST}. "
                        f"Fetch the model '{self.name}' again or make the file anew with its script."
                    )
                self._verified.add(file_name)
        return path

    def head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The linear layer: weights W (channels, classes) and bias b (classes,), float32."""
        with np.load(self.path("head.npz"), allow_pickle=False) as stored:
            return stored["W"].astype(np.float32), stored["b"].astype(np.float32)


def load_bundle(folder: Path) -> Bundle:
    """Read and check a bundle's manifest; its files are checked when they are used.

    Raises BundleError when there is no manifest, or one that this version cannot use.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"There is no model in {folder}: {MANIFEST} is missing.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} is not readable as JSON: {error}.") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"{path} does not describe a model.")
    missing = [key for key in _REQUIRED if key not in manifest]
    if missing:
        raise BundleError(f"{path} lacks {', '.join(missing)}.")
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise BundleError(
            f"{path} has schema version {manifest['schema_version']}; this version reads {SCHEMA_VERSION}."
        )
    for name in manifest["files"]:
        if not isinstance(name, str) or Path(name).name != name or name in (".", ".."):
            raise BundleError(f"{path} names a file outside its folder: {name!r}.")
    try:
        return Bundle(folder, manifest)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path} is malformed: {error}.") from error


def list_bundles(models_dir: Path) -> list[Bundle]:
    """The bundles in a folder, the default one first, then by name. Folders without a manifest are left out."""
    folders = sorted(path.parent for path in models_dir.glob(f"*/{MANIFEST}"))
    bundles = [load_bundle(folder) for folder in folders]
    return sorted(bundles, key=lambda bundle: (bundle.name != DEFAULT_BUNDLE, bundle.name))


class BundleWriter:
    """Builds a bundle step by step; after each step the folder holds a manifest that is true of its files."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def create(
        cls, folder: Path, *, name: str, backbone: str, crop_rule: CropRule, classes: list[str]
    ) -> "BundleWriter":
        """Start a new bundle. An older one in the folder stays whole until the first file of this one is added."""
        if not _NAME.fullmatch(name):
            raise BundleError(
                f"'{name}' cannot name a model: use lower-case letters, digits, '.', '_' and '-', "
                "a letter or digit first."
            )
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "name": name,
            "backbone": backbone,
            "input": crop_rule.to_json(),
            "classes": classes,
            "files": {},
        }
        return cls(folder, manifest)

    @classmethod
    def open(cls, folder: Path) -> "BundleWriter":
        """Go on with the bundle in a folder. Raises BundleError when there is none."""
        return cls(folder, dict(load_bundle(folder).manifest))

    def add_file(self, file_name: str, write: Callable[[Path], None]) -> None:
        """Write one file of the bundle and record its size and digest.

        The manifest forgets the file before it is replaced and names it after, so that a run that dies between the two
        leaves a bundle that lacks the file rather than one that vouches for the wrong bytes.
        """
        if self.manifest["files"].pop(file_name, None) is not None:
            self.save()
        path = self.folder / file_name
        write_atomically(path, write)
        self.manifest["files"][file_name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        self.save()

    def remove_file(self, file_name: str) -> None:
        """Take a file out of the bundle and off the disk."""
        if self.manifest["files"].pop(file_name, None) is not None:
            self.save()
        (self.folder / file_name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete the folder's files that the manifest does not vouch for: what an older bundle left behind."""
        for path in self.folder.iterdir():
            if path.is_file() and path.name != MANIFEST and path.name not in self.manifest["files"]:
                path.unlink()

    def set(self, key: str, value: Any) -> None:
        """Record one entry of the manifest; dataclasses are stored as objects."""
        self.manifest[key] = asdict(value) if isinstance(value, Calibration) else value
        self.save()

    def set_metrics(self, precision: str, split: str, figures: Mapping[str, Any]) -> None:
        """Record the figures of one precision on one split."""
        self.manifest.setdefault("metrics", {}).setdefault(precision, {})[split] = dict(figures)
        self.save()

    def save(self) -> None:
        """Write the manifest."""
        text = json.dumps(self.manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(self.folder / MANIFEST, lambda path: _write_text(path, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
