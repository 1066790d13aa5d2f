"""What a manifest records of how a model was trained, and on which data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowers_core.inference.commands import Command


@dataclass(frozen=True)
class ModelReference:
    """A reference to another bundle.

    Attributes:
        name: the bundle's name.
        classifier: SHA-256 of its Keras classifier, hexadecimal.
    """

    name: str
    classifier: str


@dataclass(frozen=True)
class DataFingerprint:
    """The data set that a model was trained on.

    Attributes:
        fingerprint: the data set's `Dataset.fingerprint`, hexadecimal.
        photos: number of photos in it.
    """

    fingerprint: str
    photos: int


@dataclass(frozen=True)
class Training:
    """How a model was made.

    Attributes:
        method: the method in a few words.
        splits: the splits whose photos the model was fitted to.
        photos: number of these photos.
        held_out_half: 0 or 1, the half of the test photos that the model has not learnt from although it learnt the
            other (`Dataset.holding_out`); None where the official splits stand.
        command: the call that made the model.
        seed: seed of all random draws; None if nothing is drawn.
        recipe: values of the fine-tuning recipe, which `training.recipe.Recipe` reads.
        head_recipe: values of the head warm-up's recipe, if gradient descent trained the head first.
        named_recipe: name of the recipe that the options began with.
        teachers: the bundles that the model was distilled from.
        freeze_point: the last frozen layer.
        kept_epoch: the epoch whose weights were kept, 1-based.
        wise_ft_alpha: 0…1, position from the probed to the fine-tuned weights (Wortsman et al. 2022, arXiv 2109.01903).
        probe_regularization: C of the logistic regression that the head began with.
        validation_top1: accuracy that choices were made by, 0…1; None if the model learnt from the validation photos.
        validation_top1_by_regularization: C → accuracy of a linear probe, 0…1.
        epoch_seconds, seconds: duration of the epochs, and of the whole call.
        frozen: name of the bundle with the model before any layer was unfrozen.
        random_weights: whether the backbone began without ImageNet weights.
        members: names of the members of an ensemble, or of the branches.
        member_commands: member → its command, of branches.
        member_weights: numeric format → weights in the members' order, of an ensemble.
        versions: package → version, for the packages that matter.
    """

    method: str
    splits: tuple[str, ...]
    photos: int
    command: Command
    held_out_half: int | None = None
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

    @property
    def fitted_splits(self) -> tuple[str, ...]:
        """The splits of the bundle's data set (`dataset_of`) that the model was fitted to.

        A model that learnt one half of the test photos has the other half for validation: it was fitted to "train".
        """
        return self.splits if self.held_out_half is None else ("train",)
