"""A bundle's manifest, `bundle.json`: a tree of frozen dataclasses with one reader and one writer.

Only the dataclasses here and in `inference.records` spell its keys. Schema 2 is written; schema 1 is converted on
reading. A new figure is a new field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flowers_core.data.model_input import CropRule
from flowers_core.errors import FlowersError
from flowers_core.inference.records.calibration import Calibration, CalibrationSource
from flowers_core.inference.records.confidence import ConfidenceRecord
from flowers_core.inference.records.external import ExternalMetrics
from flowers_core.inference.records.gallery import GalleryFacts, KnnRule
from flowers_core.inference.records.latency import Latency
from flowers_core.inference.records.metrics import CorruptionMetrics, Counterpart, MetricsByFormat
from flowers_core.inference.records.multi_crop import MultiCropMetrics
from flowers_core.inference.records.quantization import Quantization
from flowers_core.inference.records.several_photos import SeveralPhotosMetrics
from flowers_core.inference.records.teaching import TaughtClass, TeachingFigures
from flowers_core.inference.records.training import DataFingerprint, Training
from flowers_core.inference.schema_1 import converted
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import JsonValueError, from_json, read_json, to_json

SCHEMA_VERSION = 2
MANIFEST = "bundle.json"

Record = TypeVar("Record")

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestError(FlowersError):
    """A manifest cannot be used; the message names the file and the key."""


@dataclass(frozen=True)
class FileEntry:
    """One file that a bundle vouches for.

    Attributes:
        bytes: the file's size, at least 0.
        sha256: digest of its content, in lower-case hexadecimal.
    """

    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if self.bytes < 0 or not _SHA256.fullmatch(self.sha256):
            raise ValueError("a file has a size and the 64 hexadecimal digits of a SHA-256.")


@dataclass(frozen=True)
class Manifest:
    """What is needed to use a model, what made it, every figure shown anywhere, and the files it vouches for.

    Attributes:
        name: the bundle's name, also that of its folder.
        backbone: the network's name.
        input: how a photo becomes the model's input.
        classes: English names, in the order of the logits.
        files: file name → the file's size and digest.
        training, data, quantization: how the model was made; None if that is not known.
        calibration, calibration_source: None before the model's first evaluation.
        counterpart: the model of the same recipe that was fitted to fewer photos, if that has the calibration.
        model_bytes: numeric format → size of the TFLite model, for every evaluated one, also those left out.
        metrics: numeric format → split → figures.
        corruptions: numeric format → split → figures on corrupted photos.
        multi_crop: split → figures of multi-crop.
        several_photos: figures of answers to several photos of one plant.
        external: figures on external photos, from one look at each; `external_looks` from all looks.
        gallery, knn: the gallery, and the rule of its nearest neighbours.
        latency: measured speed; `latency_elsewhere` on other kinds of processors, by their instruction sets.
        confidence: the rules of confidence, novelty and prediction sets; None before they are fitted.
        taught: what it has learnt from a few photos since, in order. Its head then answers outside of the graph, which
            does not know these classes.
        teaching: how well classes of its own are taught again.
    """

    name: str
    backbone: str
    input: CropRule
    classes: tuple[str, ...]
    files: Mapping[str, FileEntry]
    training: Training | None = None
    data: DataFingerprint | None = None
    quantization: Quantization | None = None
    calibration: Calibration | None = None
    calibration_source: CalibrationSource | None = None
    counterpart: Counterpart | None = None
    model_bytes: Mapping[str, int] = field(default_factory=dict)
    metrics: MetricsByFormat = field(default_factory=dict)
    corruptions: Mapping[str, Mapping[str, CorruptionMetrics]] = field(default_factory=dict)
    multi_crop: Mapping[str, MultiCropMetrics] = field(default_factory=dict)
    several_photos: SeveralPhotosMetrics | None = None
    external: ExternalMetrics | None = None
    external_looks: ExternalMetrics | None = None
    gallery: GalleryFacts | None = None
    knn: KnnRule | None = None
    latency: Latency = field(default_factory=Latency)
    latency_elsewhere: Mapping[str, Latency] = field(default_factory=dict)
    confidence: ConfidenceRecord | None = None
    taught: tuple[TaughtClass, ...] = ()
    teaching: tuple[TeachingFigures, ...] = ()


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest of schema 1 or 2.

    Raises:
        ManifestError: the file is no manifest, has another schema, or holds a value that does not fit its key.
    """
    try:
        values = read_json(path)
    except JsonValueError as error:
        raise ManifestError(str(error)) from error
    if not isinstance(values, dict):
        raise ManifestError(f"{path} does not describe a model.")
    try:
        manifest = manifest_of(values)
    except JsonValueError as error:
        raise ManifestError(f"{path} is malformed: {error}") from error
    for name in manifest.files:
        if Path(name).name != name or name in (".", ".."):
            raise ManifestError(f"{path} names a file outside its folder: {name!r}.")
    return manifest


def manifest_of(values: Mapping[str, Any]) -> Manifest:
    """A manifest from its JSON values. Raises JsonValueError if a value does not fit its key."""
    return typed_record(Manifest, values)


def typed_record(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """A manifest, or another dataclass of some of its keys, from JSON values of schema 1 or 2.

    Args:
        kind: the dataclass.
        values: plain values with a "schema_version"; without one they are of schema 1.

    Raises:
        JsonValueError: the schema is another, or a value does not fit its key.
    """
    version = values.get("schema_version", 1)
    if version == 1:  # keys that nobody reads any more are dropped
        return from_json(kind, converted(values), strict=False)
    if version != SCHEMA_VERSION:
        raise JsonValueError(f"It has schema version {version}; this version reads 1 and {SCHEMA_VERSION}.")
    return from_json(kind, {key: value for key, value in values.items() if key != "schema_version"})


def record_values(record: Any) -> dict[str, Any]:
    """A manifest, or another dataclass of some of its keys, as JSON values of schema 2.

    Raises:
        JsonValueError: a number is not finite.
    """
    return {"schema_version": SCHEMA_VERSION, **to_json(record)}


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest in one step.

    Args:
        manifest: the manifest.
        path: the file.

    Raises:
        JsonValueError: a number is not finite; the file stays as it was.
    """
    write_json(path, record_values(manifest))
