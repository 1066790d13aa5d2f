"""What a manifest records of how often a model is right, on clean and on corrupted photos."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
