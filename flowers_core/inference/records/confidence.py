"""What a bundle records of its confidence: the fitted rules, what they were fitted to, and the figures they reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowers_core.inference.confidence_model import ConfidenceModel
from flowers_core.inference.looks_rule import LooksRule
from flowers_core.inference.novelty import NoveltyRule
from flowers_core.inference.prediction_set import SetRule

#: An ROC curve is kept at true positive rates of 0, 1/50, … 1.
ROC_STEPS = 50


@dataclass(frozen=True)
class ReliabilityBin:
    """Photos whose confidence lies in (low, high].

    Attributes:
        low: exclusive, in [0, 1].
        high: inclusive, in [0, 1].
        confidence: their mean confidence, in [0, 1].
        accuracy: the fraction of correct answers, in [0, 1].
        count: their number.
    """

    low: float
    high: float
    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class ConfidenceFigures:
    """Figures over the answers to so many photos; fractions in [0, 1].

    Attributes:
        photos: how many.
        top1: fraction of right answers.
        ece: expected calibration error of the confidence in 15 bins; `ece_temperature` that of the top probability with
            the bundle's one temperature.
        aurc: area under risk against coverage of the confidence; `aurc_temperature` likewise.
        aurc_gain_low, aurc_gain_high: 95 % bootstrap interval of aurc_temperature − aurc.
        sure: fraction of answers given without doubt.
        sure_top1: fraction of these that are right; None where there are none.
        set_coverage: fraction of photos whose set holds the true class.
        set_size: mean number of classes in a set.
        reliability: the bins of `ece`, lowest first, without empty ones; none in records from before they were kept.
    """

    photos: int
    top1: float
    ece: float
    ece_temperature: float
    aurc: float
    aurc_temperature: float
    aurc_gain_low: float
    aurc_gain_high: float
    sure: float
    sure_top1: float | None
    set_coverage: float
    set_size: float
    reliability: tuple[ReliabilityBin, ...] = ()


@dataclass(frozen=True)
class DetectionFigures:
    """How one score tells known flowers from other pictures, with 95 % bootstrap intervals.

    Attributes:
        auroc, auroc_low, auroc_high: area under the ROC curve.
        fpr, fpr_low, fpr_high: fraction of the pictures that pass where 95 % of the flowers do.
        fpr_at: the same fraction where 0, 1/`ROC_STEPS`, … 1 of the flowers do; none in records from before it was
            kept.
    """

    auroc: float
    auroc_low: float
    auroc_high: float
    fpr: float
    fpr_low: float
    fpr_high: float
    fpr_at: tuple[float, ...] = ()


@dataclass(frozen=True)
class NoveltyFigures:
    """Clean photos of a split against pictures without a flower.

    Attributes:
        split: whose photos.
        known, others: how many photos and pictures.
        others_sure: answers to the pictures that are given without doubt.
        others_flagged: pictures that look like none of the flowers by the rule.
        scores: by the score's name.
    """

    split: str
    known: int
    others: int
    others_sure: int
    others_flagged: int
    scores: Mapping[str, DetectionFigures]


@dataclass(frozen=True)
class ConfidenceSource:
    """What the rules were fitted to.

    Attributes:
        split, photos: clean photos, and how many.
        corrupted, others: how many corrupted photos and pictures without a flower.
        model: name of the counterpart that had not learnt from these photos, where it was not the model itself.
        unknown: how many photos stood for flowers that the network does not know.
    """

    split: str
    photos: int
    corrupted: int
    others: int
    model: str | None = None
    unknown: int = 0


@dataclass(frozen=True)
class ConfidenceRecord:
    """The rules of a bundle's confidence.

    Attributes:
        model, novelty, sets: the rules.
        source: what they were fitted to.
        looks: how several looks become one answer; None where that was not fitted.
        figures: by split, then "clean" or "corrupted".
        novelty_figures: by the kind of the pictures without a flower.
    """

    model: ConfidenceModel
    novelty: NoveltyRule
    sets: SetRule
    source: ConfidenceSource
    looks: LooksRule | None = None
    figures: Mapping[str, Mapping[str, ConfidenceFigures]] = field(default_factory=dict)
    novelty_figures: Mapping[str, NoveltyFigures] = field(default_factory=dict)
