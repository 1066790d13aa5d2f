"""A bundle's manifest, `bundle.json`: a tree of frozen dataclasses with one reader and one writer.

Nobody else spells its keys. Schema 2 is written; schema 1 is converted on reading. A new figure is a new field here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flowers_core.data.model_input import CropRule
from flowers_core.errors import FlowersError
from flowers_core.inference.commands import Command
from flowers_core.inference.confidence_record import ConfidenceRecord
from flowers_core.inference.schema_1 import converted
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import JsonValueError, from_json, read_json, to_json

SCHEMA_VERSION = 2
MANIFEST = "bundle.json"

Record = TypeVar("Record")

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestError(FlowersError):
    """A manifest that cannot be used; the message names the file and the key."""


@dataclass(frozen=True)
class FileEntry:
    """One file that a bundle vouches for: its size in bytes and its SHA-256 in lower-case hexadecimal."""

    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if self.bytes < 0 or not _SHA256.fullmatch(self.sha256):
            raise ValueError("a file has a size and the 64 hexadecimal digits of a SHA-256.")


@dataclass(frozen=True)
class ModelReference:
    """Another bundle, by its name and the SHA-256 of its Keras classifier."""

    name: str
    classifier: str


@dataclass(frozen=True)
class Training:
    """How a model was made.

    Attributes:
        method: in a few words.
        splits: of the official split whose photos it was fitted to.
        photos: how many these are.
        command: what made it.
        seed: of everything drawn at random; None where nothing is.
        recipe: the fine-tuning recipe's values, which `training.recipe.Recipe` reads.
        head_recipe: likewise of the head warm-up, where the head was trained by gradient descent first.
        named_recipe: the recipe by name that the options began with.
        teachers: the bundles it learnt from.
        freeze_point: the last frozen layer.
        kept_epoch: whose weights were kept, 1-based.
        wise_ft_alpha: 0…1, how far from the probed to the fine-tuned weights (Wortsman et al. 2022, arXiv 2109.01903).
        probe_regularization: C of the logistic regression that the head began with.
        validation_top1: what choices were made by, 0…1; None where the validation photos were learnt from.
        validation_top1_by_regularization: of a linear probe, by C.
        epoch_seconds, seconds: of the epochs, and of the whole call.
        frozen: name of the bundle of the model before any layer was unfrozen.
        random_weights: whether the backbone began without ImageNet weights.
        members: of a soup or an ensemble, by name.
        member_commands: of a soup, by member.
        member_weights: of an ensemble, by numeric format, in the members' order.
        versions: of the packages that matter.
    """

    method: str
    splits: tuple[str, ...]
    photos: int
    command: Command
    seed: int | None = None
    recipe: Any = None
    head_recipe: Any = None
    named_recipe: str | None = None
    teachers: tuple[ModelReference, ...] = ()
    freeze_point: str | None = None
    kept_epoch: int | None = None
    wise_ft_alpha: float | None = None
    probe_regularization: float | None = None
    validation_top1: float | None = None
    validation_top1_by_regularization: Mapping[str, float] = field(default_factory=dict)
    epoch_seconds: float | None = None
    seconds: float | None = None
    frozen: str | None = None
    random_weights: bool = False
    members: tuple[str, ...] = ()
    member_commands: Mapping[str, Command] = field(default_factory=dict)
    member_weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Calibration:
    """How logits become honest probabilities.

    Attributes:
        temperature: above 0, divides the logits (Guo et al. 2017, arXiv 1706.04599).
        conformal_coverage: in (0, 1), the fraction of photos whose prediction set holds the true class.
        conformal_threshold: in [0, 1]; a class is in the set when 1 − p ≤ threshold (Sadinle et al. 2019).
        unsure_below: in [0, 1], the top probability below which an answer is given with doubt.
    """

    temperature: float
    conformal_coverage: float
    conformal_threshold: float
    unsure_below: float


@dataclass(frozen=True)
class CalibrationSource:
    """What a calibration was fitted to.

    Attributes:
        split, photos: whose photos, and how many.
        precision: the numeric format whose logits they were.
        corruptions: with how many corruptions of each photo beside it; 0 for none.
        model: the counterpart that had not learnt from these photos, where it was not the model itself.
    """

    split: str
    precision: str
    photos: int
    corruptions: int = 0
    model: ModelReference | None = None


@dataclass(frozen=True)
class Accuracy:
    """Figures over so many photos: fractions in [0, 1], and the negative log-likelihood in nats.

    Attributes:
        photos: how many.
        top1: fraction with the right class first.
        balanced_accuracy: mean of the classes' recalls.
        top5: fraction with the right class among the first five.
        ece: expected calibration error in 15 bins, with the bundle's temperature.
        nll: negative log-likelihood, likewise.
    """

    photos: int
    top1: float
    balanced_accuracy: float
    top5: float
    ece: float
    nll: float


@dataclass(frozen=True)
class NearDuplicateRule:
    """When two photos count as near-duplicates.

    Attributes:
        max_distance_of_64_bits: in which their perceptual hashes may differ.
        min_cosine: that their embeddings have at least.
        model: whose embeddings these are.
    """

    max_distance_of_64_bits: int
    min_cosine: float
    model: str


@dataclass(frozen=True)
class AccuracyByRule(Accuracy):
    """Figures of the photos without a near-duplicate in another split, by `rule`."""

    rule: NearDuplicateRule


@dataclass(frozen=True)
class Metrics(Accuracy):
    """Figures of one numeric format on one split.

    Attributes:
        ece_uncalibrated: expected calibration error without a temperature.
        agreement: fraction of photos that get the same class as from the model's most exact format.
        without_duplicates: without the photos that are in another split too, byte for byte.
        without_near_duplicates: without those that have a near-duplicate there.
    """

    ece_uncalibrated: float | None = None
    agreement: float | None = None
    without_duplicates: Accuracy | None = None
    without_near_duplicates: AccuracyByRule | None = None


#: Figures by numeric format, then by split.
MetricsByFormat = Mapping[str, Mapping[str, Metrics]]


@dataclass(frozen=True)
class Counterpart:
    """The same recipe's model on the training photos alone, beside one that learnt from the validation photos too."""

    name: str
    photos: int
    metrics: MetricsByFormat = field(default_factory=dict)


@dataclass(frozen=True)
class DataFingerprint:
    """The data set that was trained on: the digest of its files, and how many photos they are."""

    fingerprint: str
    photos: int


@dataclass(frozen=True)
class FormatLoss:
    """What a numeric format loses on the validation photos against float32.

    Attributes:
        top1, balanced_accuracy: percentage points, positive where the format is worse.
        agreement: fraction of photos with the same class.
        logit_error: root mean square over photos and classes.
    """

    top1: float
    balanced_accuracy: float
    agreement: float
    logit_error: float | None = None


@dataclass(frozen=True)
class Quantization:
    """How the TFLite models were made.

    Attributes:
        representative_photos: ids of the photos that activations were observed on.
        split, seed: where they were drawn, and what drew them.
        equalization: 0…1, strength of the cross-layer equalization.
        bias_correction: whether INT8's biases make up for rounding.
        float_head: whether the linear layer stays in float.
        qat: the record of quantization-aware training, as `quantization.qat` gives it.
        float_layers: layers that INT8 leaves in float.
        loss_on_validation: by numeric format.
    """

    representative_photos: tuple[int, ...]
    split: str
    seed: int
    equalization: float | None = None
    bias_correction: bool = False
    float_head: bool = False
    qat: Any = None
    float_layers: tuple[str, ...] = ()
    loss_on_validation: Mapping[str, FormatLoss] = field(default_factory=dict)


@dataclass(frozen=True)
class CorruptionMetrics:
    """Figures of one numeric format on a split's corrupted photos.

    Attributes:
        photos: how many, each under every corruption.
        mean: top-1 over all of them.
        worst: the corruption with the lowest top-1.
        top1: by corruption.
        ece: over all of them.
        high_confidence_errors: fraction that is wrong with a calibrated probability of at least 0.9.
        high_confidence_errors_by_corruption: likewise.
    """

    photos: int
    mean: float
    worst: str
    top1: Mapping[str, float]
    ece: float | None = None
    high_confidence_errors: float | None = None
    high_confidence_errors_by_corruption: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class MultiCropCounts:
    """What multi-crop gives on photos of one kind.

    Attributes:
        top1: of the whole photos.
        abstained: photos whose answer is not sure.
        suggested: of these, how many got a suggestion.
        suggested_correct: how many suggestions are right.
        answered_correct: how many answers about the whole photo were right where there was a suggestion.
        top1_applied: top-1 with the suggestion in the answer's place.
    """

    top1: float
    abstained: int
    suggested: int
    suggested_correct: int
    answered_correct: int
    top1_applied: float


@dataclass(frozen=True)
class MultiCropMetrics:
    """Multi-crop on a split's sample of so many photos, by corruption; the photos as they are among them."""

    precision: str
    photos: int
    seed: int
    corruptions: Mapping[str, MultiCropCounts]


@dataclass(frozen=True)
class ExternalFlowers:
    """Counts over external photos of the known flowers; top1 and top5 are fractions.

    Attributes:
        high_confidence_errors: wrong with a calibrated probability of at least 0.9.
        sure, sure_correct: answers that are given as sure, and how many of these are right.
        suggested, suggested_correct: suggestions of multi-crop, and how many of these are right.
    """

    photos: int
    top1: float
    top5: float
    high_confidence_errors: int
    sure: int
    sure_correct: int
    suggested: int
    suggested_correct: int


@dataclass(frozen=True)
class ExternalClass:
    """Counts over the external photos of one class."""

    photos: int
    correct: int
    in_top5: int


@dataclass(frozen=True)
class ExternalWithoutFlower:
    """Counts over external photos that show no flower; any sure or suggested name is wrong."""

    photos: int
    high_confidence_errors: int
    sure: int
    suggested: int


@dataclass(frozen=True)
class ExternalMetrics:
    """One numeric format's answers to external photos; classes by their names."""

    precision: str
    flowers: ExternalFlowers
    classes: Mapping[str, ExternalClass]
    no_flower: ExternalWithoutFlower


@dataclass(frozen=True)
class GalleryFacts:
    """The gallery's size in photos and bytes, whose embeddings it holds, and its recall of their 10 nearest."""

    photos: int
    precision: str
    compression: str
    bytes: int
    recall_at_10: float


@dataclass(frozen=True)
class KnnRule:
    """How neighbours are weighted: each of the k nearest by exp(cosine / temperature), normalized.

    Attributes:
        k: how many neighbours are asked, at least 1.
        temperature: above 0.
        floor: in (0, 1), the probability that is spread over all classes, since the true class may be among none of
            the k.
        splits: whose photos are asked.
        top1: accuracy on the photos that the rule was chosen on.
        nll: mean negative log-likelihood there, in nats.
        photos: their number.
    """

    k: int
    temperature: float
    floor: float
    splits: tuple[str, ...]
    top1: float
    nll: float
    photos: int

    def __post_init__(self) -> None:
        if not (self.k >= 1 and self.temperature > 0 and 0 < self.floor < 1):
            raise ValueError("a k-NN rule has k of at least 1, a temperature above 0 and a floor between 0 and 1.")


@dataclass(frozen=True)
class Timing:
    """One way of running a model, one photo at a time.

    Attributes:
        median_ms, p95_ms: median and 95th percentile in milliseconds.
        ratio_to_int8: to INT8 on one thread, interleaved in the same run.
        ratio_to_int8_same_threads: to INT8 with as many threads.
        threads: that computed.
    """

    median_ms: float
    p95_ms: float
    ratio_to_int8: float
    ratio_to_int8_same_threads: float | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Latency:
    """Interleaved timings of every way of running a model.

    Attributes:
        machine, cores: where; None for cores where it was not noted.
        rounds: of the interleaving.
        paths: by the backend's name and its threads.
        seconds_to_first_answer: of a process in which nothing is imported, by numeric format, and of Keras.
        peak_megabytes: the most memory that such a process holds, likewise.
    """

    machine: str | None = None
    cores: int | None = None
    rounds: int | None = None
    paths: Mapping[str, Timing] = field(default_factory=dict)
    seconds_to_first_answer: Mapping[str, float] = field(default_factory=dict)
    peak_megabytes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What is needed to use a model, what made it, every figure shown anywhere, and the files it vouches for.

    Attributes:
        name: of the bundle, which is its folder's too.
        backbone: the network's name.
        input: how a photo becomes the model's input.
        classes: English names, in the order of the logits.
        files: by file name.
        training, data, quantization: how it was made; None where that is not known.
        calibration, calibration_source: None where it was not evaluated yet.
        counterpart: the same recipe's model on the training photos alone.
        model_bytes: of every TFLite model that was evaluated, by numeric format, also of those left out.
        metrics: by numeric format, then by split.
        corruptions: likewise, on corrupted photos.
        multi_crop: by split.
        external: on external photos.
        gallery, knn: of the gallery, and the rule of its nearest neighbours.
        latency: measured.
        confidence: the rules of confidence, novelty and sets; None where they were not fitted yet.
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
    external: ExternalMetrics | None = None
    gallery: GalleryFacts | None = None
    knn: KnnRule | None = None
    latency: Latency = field(default_factory=Latency)
    confidence: ConfidenceRecord | None = None


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest of schema 1 or 2.

    Raises:
        ManifestError: when it is no manifest, has another schema, or a key does not hold what it should.
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
    """A manifest from its JSON values. Raises JsonValueError where a key does not hold what it should."""
    return typed_record(Manifest, values)


def typed_record(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """A manifest, or another dataclass of some of its keys, from JSON values of schema 1 or 2.

    Raises:
        JsonValueError: where the schema is another, or a key does not hold what it should.
    """
    version = values.get("schema_version", 1)
    if version == 1:  # what it kept that nobody reads is dropped
        return from_json(kind, converted(values), strict=False)
    if version != SCHEMA_VERSION:
        raise JsonValueError(f"It has schema version {version}; this version reads 1 and {SCHEMA_VERSION}.")
    return from_json(kind, {key: value for key, value in values.items() if key != "schema_version"})


def record_values(record: Any) -> dict[str, Any]:
    """A manifest, or another dataclass of some of its keys, as JSON values of schema 2.

    Raises:
        JsonValueError: for a number that is not finite.
    """
    return {"schema_version": SCHEMA_VERSION, **to_json(record)}


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest, in one step. Raises JsonValueError for a number that is not finite."""
    write_json(path, record_values(manifest))
