"""What a manifest records of how a model was trained, and on which data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowers_core.inference.commands import Command


@dataclass(frozen=True)
class ModelReference:
    """Another bundle, by its name and the SHA-256 of its Keras classifier."""

    name: str
    classifier: str


@dataclass(frozen=True)
class DataFingerprint:
    """The data set that was trained on: the digest of its files, and how many photos they are."""

    fingerprint: str
    photos: int


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
