"""What a run has reached: its epochs, the best of them, and the weights that it would end with."""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from flowers_core.networks.classifier import LOGITS
from flowers_core.training.augmentation import NONE
from flowers_core.training.averaging import Weights
from flowers_core.training.checkpoint import Checkpoint
from flowers_core.training.examples import Examples, Fixed, examples_digest
from flowers_core.training.recipe import Recipe

# Checkpoints lack the entries that were added after they were written.
DEFAULTS: Mapping[str, Any] = {
    **{entry.name: entry.default for entry in dataclasses.fields(Recipe) if entry.default is not dataclasses.MISSING},
    "augmentation": dataclasses.asdict(NONE),
    "kept_epoch": "best",
}


class Bookkeeping:
    """The history of a run and the weights that it keeps.

    Attributes:
        begin: the weights before the first epoch.
        kept: those that the run would end with, as `Recipe.kept_epoch` and `Recipe.average` have it.
        epochs: one record an epoch.
        best_epoch: the one with the highest validation accuracy, counted from 1, or the last where nothing validates.
        probe: the record of the head that the run started from, or None where that was random.
    """

    def __init__(self, recipe: Recipe, begin: Weights, probe: dict[str, Any] | None) -> None:
        """The books of a run before its first epoch.

        Args:
            recipe: of the run.
            begin, probe: as the attributes.
        """
        self._recipe = recipe
        self.begin = self.kept = begin
        self.probe = probe
        self.epochs: list[dict[str, Any]] = []
        self.best_epoch = 0

    @classmethod
    def restored(cls, recipe: Recipe, checkpoint: Checkpoint) -> "Bookkeeping":
        """The books of a run that is resumed.

        Args:
            recipe: of the run.
            checkpoint: of the same run.
        """
        books = cls(recipe, checkpoint.begin, checkpoint.probe)
        books.kept, books.epochs, books.best_epoch = checkpoint.kept, checkpoint.history, checkpoint.best_epoch
        return books

    def add(self, record: dict[str, Any], weights: Weights) -> None:
        """Take in an epoch.

        Args:
            record: of the epoch, with "validation_top1" and "validation_nll" where photos are held out.
            weights: to keep if this epoch is the one to keep.
        """
        validated = "validation_top1" in record
        better = not validated or not self.epochs or _rank(record) > _rank(self.epochs[self.best_epoch - 1])
        self.epochs.append(record)
        if better:
            self.best_epoch = len(self.epochs)
        if better or self._recipe.kept_epoch == "last":
            self.kept = weights

    @property
    def patience_is_over(self) -> bool:
        """Whether the run stops here, because no epoch of the last `Recipe.patience` was better."""
        patience, epoch = self._recipe.patience, len(self.epochs)
        return patience is not None and epoch - self.best_epoch >= patience and epoch > 0

    def to_json(self) -> dict[str, Any]:
        """The history for a bundle, but for what is chosen and measured at the end."""
        epoch = len(self.epochs)
        return {
            "probe": self.probe,
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "kept_epoch": self.best_epoch if self._recipe.kept_epoch == "best" else epoch,
            "stopped_early": self.patience_is_over and epoch < self._recipe.epochs,
        }


def settings_of(
    recipe: Recipe, examples: Examples, fixed: Fixed | None, trained_head: keras.Model | None
) -> dict[str, Any]:
    """The settings that a checkpoint and the run that resumes it must share: the recipe and the training data.

    Args:
        recipe: of the run.
        examples: that it learns from.
        fixed: the choices taken from another run, or None.
        trained_head: the classifier whose head the run starts from, or None where the run makes its own.
    """
    settings = {
        **recipe.to_json(),
        "data": examples_digest(examples),
        "fixed": dataclasses.asdict(fixed) if fixed else None,
    }
    return settings | ({"head": _digest(trained_head.get_layer(LOGITS).get_weights())} if trained_head else {})


def _digest(weights: Weights) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(weight).tobytes() for weight in weights)).hexdigest()[:16]


def _rank(record: Mapping[str, Any]) -> tuple[float, float]:
    return record["validation_top1"], -record["validation_nll"]
