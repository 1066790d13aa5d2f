"""What a manifest records of how often a model is right, on clean and on corrupted photos."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Accuracy:
    """Figures over a number of photos. Fractions lie in [0, 1].

    Attributes:
        photos: number of photos.
        top1: fraction with the right class first.
        balanced_accuracy: mean of the classes' recalls.
        top5: fraction with the right class among the first five.
        ece: expected calibration error in 15 bins, with the bundle's temperature.
        nll: mean negative log-likelihood in nats, with the bundle's temperature.
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
        max_distance_of_64_bits: the most bits in which their perceptual hashes differ.
        min_cosine: the least cosine of their embeddings.
        model: name of the bundle that computed the embeddings.
    """

    max_distance_of_64_bits: int
    min_cosine: float
    model: str


@dataclass(frozen=True)
class AccuracyByRule(Accuracy):
    """Figures of the photos that have no near-duplicate in another split.

    Attributes:
        rule: when two photos count as near-duplicates.
    """

    rule: NearDuplicateRule


@dataclass(frozen=True)
class Metrics(Accuracy):
    """Figures of one numeric format on one split.

    Attributes:
        ece_uncalibrated: expected calibration error without a temperature.
        agreement: fraction of photos with the same class as in the model's most exact format.
        without_duplicates: figures without the photos that are, byte for byte, in another split too.
        without_near_duplicates: figures without the photos that have a near-duplicate in another split.
    """

    ece_uncalibrated: float | None = None
    agreement: float | None = None
    without_duplicates: Accuracy | None = None
    without_near_duplicates: AccuracyByRule | None = None


#: Figures by numeric format, then by split.
MetricsByFormat = Mapping[str, Mapping[str, Metrics]]


@dataclass(frozen=True)
class Counterpart:
    """The model of the same recipe that was fitted to fewer photos, so that photos were left to calibrate or test it.

    Attributes:
        name: its bundle's name.
        photos: number of photos it was fitted to.
        metrics: its figures.
    """

    name: str
    photos: int
    metrics: MetricsByFormat = field(default_factory=dict)


@dataclass(frozen=True)
class CorruptionMetrics:
    """Figures of one numeric format on a split's corrupted photos.

    Attributes:
        photos: number of photos, each under every corruption.
        mean: top-1 over all corruptions.
        worst: the corruption with the lowest top-1.
        top1: corruption → top-1.
        ece: expected calibration error over all corruptions.
        high_confidence_errors: fraction that is wrong with a calibrated probability of at least 0.9.
        high_confidence_errors_by_corruption: corruption → that fraction.
    """

    photos: int
    mean: float
    worst: str
    top1: Mapping[str, float]
    ece: float | None = None
    high_confidence_errors: float | None = None
    high_confidence_errors_by_corruption: Mapping[str, float] = field(default_factory=dict)
