"""Fine-tuning in two phases: the head on frozen features first, then the last layers with it (LP-FT).

All randomness derives from (seed, epoch), and a checkpoint is written after every epoch. So a killed run resumes after
its last epoch and ends with the same history.
"""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.networks.classifier import LOGITS
from flowers_core.training.averaging import RunAverage, Weights, best_interpolation, interpolated
from flowers_core.training.bookkeeping import DEFAULTS, Bookkeeping, settings_of
from flowers_core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from flowers_core.training.draws import draws
from flowers_core.training.examples import Examples, Fixed, TrainingError, check_examples, targets
from flowers_core.training.first_head import set_probed_head, set_random_head
from flowers_core.training.loss import TrainingStep
from flowers_core.training.mixup import mixed
from flowers_core.training.optimizers import rate_at
from flowers_core.training.partition import Partition
from flowers_core.training.recipe import Recipe
from flowers_core.training.trainable_weights import TrainableWeights

_ALPHAS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
EpochReport = Callable[[dict[str, Any]], None]


def fine_tune(
    classifier: keras.Model,
    partition: Partition,
    examples: Examples,
    recipe: Recipe,
    folder: Path,
    *,
    fixed: Fixed | None = None,
    trained_head: bool = False,
    report: EpochReport | None = None,
) -> dict[str, Any]:
    """Train the tail of a classifier in place.

    Args:
        classifier: the whole network; its head and its unfrozen layers change.
        partition: the same network, partitioned by `partition_classifier`, which also says which layers learn.
        examples: features as they leave the frozen layers, and labels.
        recipe: every choice.
        folder: of the run's checkpoint; a checkpoint of the same recipe is resumed.
        fixed: the choices of validation, required exactly where no photos are held out. The last epoch's weights are
            kept then.
        trained_head: start from the classifier's head, as `train_head` left it, rather than fit or draw one.
        report: called with each epoch's record.

    Returns:
        The run's history: "probe", "epochs", "best_epoch", "kept_epoch", "stopped_early", "wise_ft", and where
        photos are held out, "validation_top1" and "validation_nll" of the weights that the classifier ends with.

    Raises:
        TrainingError: a class has no photo, or the loss is no longer a number.
        CheckpointError: `folder` holds the checkpoint of another recipe, or a damaged one.
    """
    check_examples(examples, recipe)
    if (fixed is None) != (examples.validation is not None):
        raise TrainingError(
            "What validation would choose must be given when, and only when, no photo is held out for it."
        )
    run = _Run(classifier, partition, examples, recipe, fixed)
    run.start(folder, trained_head)
    while len(run.books.epochs) < recipe.epochs and not run.books.patience_is_over:
        record = run.one_epoch()
        if report is not None:
            report(record)
    return run.finish()


def stepper(
    classifier: keras.Model,
    partition: Partition,
    examples: Examples,
    recipe: Recipe,
    *,
    trained_head: bool = False,
) -> Callable[[float], float]:
    """The training step of a range test.

    Args:
        classifier, partition, examples, trained_head: as for `fine_tune`. The head is fitted or drawn at once, unless
            it is trained.
        recipe: every choice but the schedule.

    Returns:
        A function that makes one step at a given learning rate and returns its loss.

    Raises:
        TrainingError: as `fine_tune`.
    """
    check_examples(examples, recipe)
    run = _Run(classifier, partition, examples, dataclasses.replace(recipe, schedule="constant"), None)
    run.first_head(trained_head)
    made = itertools.count()

    def step(rate: float) -> float:
        epoch, number = divmod(next(made), run.steps_per_epoch)
        run.step.set_rate(rate)
        photos, views = draws(examples.labels, recipe, epoch)
        return run.make_step(epoch * run.steps_per_epoch + number, photos[number], views[number])[0]

    return step


class _Run:
    """One run: what it computes with, and its books."""

    def __init__(
        self, classifier: keras.Model, partition: Partition, examples: Examples, recipe: Recipe, fixed: Fixed | None
    ) -> None:
        self.classifier, self.partition, self.examples = classifier, partition, examples
        self.recipe, self.fixed = recipe, fixed
        self.steps_per_epoch = len(draws(examples.labels, recipe, 0)[0])
        self.steps = self.steps_per_epoch * recipe.epochs
        self.weights = TrainableWeights(partition.tail, classifier.get_layer(LOGITS))
        self.pretrained = examples.pretrained if recipe.lwf_weight else None
        head = self.pretrained.head if self.pretrained else None
        self.step = TrainingStep(classifier, partition, self.weights, recipe, self.steps, head)

    def start(self, folder: Path, trained_head: bool) -> None:
        """Resume from the checkpoint in `folder`, or begin with the first head."""
        self.folder = folder
        self.settings = settings_of(self.recipe, self.examples, self.fixed, self.classifier if trained_head else None)
        stored = load_checkpoint(folder, self.settings, DEFAULTS)
        if stored is None:
            probe = self.first_head(trained_head)
            self.books = Bookkeeping(self.recipe, self.weights.get(), probe)
        else:
            self.books = Bookkeeping.restored(self.recipe, stored)
            self.weights.assign(stored.weights)
            for variable, value in zip(self.step.variables, stored.optimizer, strict=True):
                variable.assign(value)
        self.average = RunAverage(self.recipe, self.weights.variables, self.steps_per_epoch)
        if stored is not None:
            self.average.restore(stored.averaged, stored.averaged_count)

    def first_head(self, trained_head: bool) -> dict[str, Any] | None:
        """Set the first head and return its record; None for a random one."""
        if trained_head:
            return self._validated(self.weights.get())
        if not self.recipe.probe_views:
            set_random_head(self.classifier, self.recipe.seed)
            return None
        record = set_probed_head(self.classifier, self.partition, self.examples, self.recipe, self.fixed)
        return record | self._validated(self.weights.get())

    def one_epoch(self) -> dict[str, Any]:
        """One pass over the photos, each in its next view; then validation, then the checkpoint."""
        started, epoch = time.perf_counter(), len(self.books.epochs)
        self._seed_dropout(epoch)
        losses, right = [], 0
        steps = zip(*draws(self.examples.labels, self.recipe, epoch), strict=True)
        for number, (photos, views) in enumerate(steps, epoch * self.steps_per_epoch):
            loss, correct = self.make_step(number, photos, views)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss became {loss} in step {number % self.steps_per_epoch + 1} of epoch {epoch + 1}, at a "
                    f"learning rate of {rate_at(self.recipe, self.steps, number):.2g}. Try a lower learning rate; the "
                    "run so far is kept."
                )
            losses.append(loss)
            right += correct
            self.average.after_step(number + 1)
        self.average.after_epoch(epoch + 1, self.weights.get())
        averaged = self.average.of(self.weights.get())
        record = {
            "epoch": epoch + 1,
            "loss": float(np.mean(losses)),
            "step_losses": [round(loss, 5) for loss in losses],
            "training_top1": right / (self.steps_per_epoch * self.recipe.batch_size),
            "learning_rate": rate_at(self.recipe, self.steps, (epoch + 1) * self.steps_per_epoch - 1),
            **self._validated(averaged),
        }
        self.books.add(record, averaged)
        self._save()
        return {**record, "seconds": time.perf_counter() - started}

    def make_step(self, number: int, photos: NDArray[np.int64], views: NDArray[np.int64]) -> tuple[float, int]:
        """The training step of that number in the run: its loss, and how many photos were right before it."""
        features, wanted = mixed(
            self.examples.features[views, photos],
            targets(self.examples, self.recipe, views, photos),
            self.recipe.mixup,
            np.random.default_rng([self.recipe.seed, number]),
        )
        return self.step(
            features,
            wanted,
            self.examples.labels[photos],
            self.pretrained.logits[views, photos] if self.pretrained else None,
        )

    def finish(self) -> dict[str, Any]:
        """Choose between the first head's weights and the fine-tuned ones, set them, and return the history."""
        books = self.books
        alpha, curve = (self.fixed.wise_ft_alpha if self.fixed else 1.0), list[tuple[float, float, float]]()
        if self.fixed is None and self.recipe.interpolate and books.probe is not None:
            alpha, curve = best_interpolation(books.begin, books.kept, self._score, _ALPHAS)
        self.weights.assign(interpolated(books.begin, books.kept, alpha))
        return {
            **books.to_json(),
            "wise_ft": {"alpha": alpha, "curve": [list(point) for point in curve]},
            **self._validated(self.weights.get()),
        }

    def _validated(self, weights: Weights) -> dict[str, float]:
        """Accuracy and loss on the validation photos, for the history; empty where no photos are held out."""
        if self.fixed is not None:
            return {}
        accuracy, likelihood = self._score(weights)
        return {"validation_top1": accuracy, "validation_nll": -likelihood}

    def _score(self, weights: Weights) -> tuple[float, float]:
        inputs, labels = self.examples.validation, self.examples.validation_labels
        assert inputs is not None
        assert labels is not None
        return self.weights.score(weights, inputs, labels)

    def _seed_dropout(self, epoch: int) -> None:
        for layer in self.partition.tail.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([self.recipe.seed, epoch])

    def _save(self) -> None:
        books = self.books
        save_checkpoint(
            self.folder,
            Checkpoint(
                settings=self.settings,
                epoch=len(books.epochs),
                history=books.epochs,
                probe=books.probe,
                averaged_count=self.average.count,
                best_epoch=books.best_epoch,
                weights=self.weights.get(),
                averaged=self.average.state(),
                begin=books.begin,
                kept=books.kept,
                optimizer=[np.asarray(variable.numpy()) for variable in self.step.variables],
            ),
        )
