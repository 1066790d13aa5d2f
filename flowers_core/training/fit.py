"""Fine-tuning in two phases: the head on frozen features first, then the last layers with it (LP-FT).

Everything drawn at random comes from (seed, epoch), and a checkpoint is written after every epoch: a run that was
killed goes on from its last epoch and ends with the same history.
"""

import dataclasses
import hashlib
import itertools
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flowers_core.networks.classifier import LOGITS, set_head
from flowers_core.training.averaging import (
    ExponentialAverage,
    Weights,
    best_interpolation,
    interpolated,
    running_mean,
)
from flowers_core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from flowers_core.training.examples import Examples, Fixed, TrainingError, check_examples, identity, targets
from flowers_core.training.feature_cache import in_batches, run_network
from flowers_core.training.linear_probe import fit_probe
from flowers_core.training.partition import Split
from flowers_core.training.recipe import Recipe
from flowers_core.training.trainable_weights import Learner

_SHARES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
# Several views of a photo leave less to regularize than one does, and each value costs a minute.
_STRENGTHS = (0.1, 0.3, 1.0)
EpochReport = Callable[[dict[str, Any]], None]


def fine_tune(
    classifier: keras.Model,
    split: Split,
    examples: Examples,
    recipe: Recipe,
    folder: Path,
    *,
    fixed: Fixed | None = None,
    trained_head: bool = False,
    report: EpochReport | None = None,
) -> dict[str, Any]:
    """Train the tail of a classifier in place and return the run's history.

    Args:
        classifier: the whole network; its head is set and its unfrozen layers are changed.
        split: the network cut in two by `split_classifier`, which also says what learns.
        examples: features as they pass the cut, and labels.
        recipe: every choice.
        folder: where the run's checkpoint is; when one of the same recipe is there, the run goes on from it.
        fixed: what cannot be chosen where no validation photos are held out; needed then, and only then;
            the last epoch's weights are kept.
        trained_head: go on from the head that the classifier has, as `train_head` left it, rather than fit or draw one.
        report: called with each epoch's record.

    Raises:
        TrainingError: when a class has no photo, when the loss is no longer a number, or when `folder` holds the
            checkpoint of another recipe.
    """
    check_examples(examples, recipe)
    if (fixed is None) != (examples.validation is not None):
        raise TrainingError(
            "What validation would choose must be given when, and only when, no photo is held out for it."
        )
    run = _Run(classifier, split, examples, recipe, folder, fixed, trained_head)
    run.start()
    while run.epoch < recipe.epochs and not run.stopped_early:
        record = run.one_epoch()
        if report is not None:
            report(record)
    return run.finish()


def stepper(
    classifier: keras.Model,
    split: Split,
    examples: Examples,
    recipe: Recipe,
    *,
    trained_head: bool = False,
) -> Callable[[float], float]:
    """For a range test: fits or draws the head, unless it is trained; the function returned makes one step at a given
    rate and returns its loss."""
    check_examples(examples, recipe)
    run = _Run(
        classifier, split, examples, dataclasses.replace(recipe, schedule="constant"), Path(), None, trained_head
    )
    run.fit_head()
    made = itertools.count()

    def step(rate: float) -> float:
        epoch, number = divmod(next(made), run.steps_per_epoch)
        for (_, optimizer), factor in zip(reversed(run.groups), (recipe.head_rate, 1.0), strict=False):
            optimizer.learning_rate.assign(rate * factor)
        return run.make_step(epoch, run.batches(epoch)[number])[0]

    return step


class _Run:
    """The state of one run; everything in it that changes is in its checkpoint."""

    def __init__(
        self,
        classifier: keras.Model,
        split: Split,
        examples: Examples,
        recipe: Recipe,
        folder: Path,
        fixed: Fixed | None,
        trained_head: bool,
    ) -> None:
        self.fixed, self.trained_head = fixed, trained_head
        self.classifier, self.split, self.tail = classifier, split, split.tail
        self.examples, self.recipe, self.folder = examples, recipe, folder
        # A checkpoint is of use to a run of the same recipe that learns the same features of the same photos.
        self.settings = {
            **recipe.to_json(),
            "data": identity(examples),
            "fixed": dataclasses.asdict(fixed) if fixed else None,
            **({"head": _digest(classifier.get_layer(LOGITS).get_weights())} if trained_head else {}),
        }
        self.steps_per_epoch = len(examples.labels) // recipe.batch_size
        steps = self.steps_per_epoch * recipe.epochs
        self.learner = Learner(self.tail, classifier.get_layer(LOGITS))
        self.variables, body = self.learner.variables, self.learner.body
        self.groups = [(body, recipe.make_optimizer(steps))] if body.stop else []
        self.groups.append((self.learner.head, recipe.make_optimizer(steps, recipe.head_rate)))
        for part, optimizer in self.groups:
            optimizer.build(self.variables[part])
        self.train_step = tf.function(self._step, autograph=False, reduce_retracing=True)
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.probe: dict[str, Any] | None = None
        self.averaged_count, self.best_epoch = 0, 0
        self.stopped_early = False

    def start(self) -> None:
        """Go on from the checkpoint, or begin: the head is fitted to frozen features."""
        stored = load_checkpoint(self.folder, self.settings)
        if stored is None:
            self.fit_head()
        else:
            self.probe, self.epoch, self.history = stored.probe, stored.epoch, stored.history
            self.averaged_count, self.best_epoch = stored.averaged_count, stored.best_epoch
            self.learner.assign(stored.weights)
            for variable, value in zip(self._optimizer_variables(), stored.optimizer, strict=True):
                variable.assign(value)
        self.begin = stored.begin if stored else self.learner.weights()
        self.kept = stored.kept if stored else self.begin
        self.average = ExponentialAverage(self.variables, self.recipe.ema_decay)
        self.mean = stored.averaged if stored else self.begin
        if stored and self.recipe.average == "ema":
            self.average.set(stored.averaged)
        self.stopped_early = self._patience_is_over()

    def one_epoch(self) -> dict[str, Any]:
        """One pass over the photos, each in its next view; then validation, then the checkpoint."""
        started, recipe = time.perf_counter(), self.recipe
        self._seed_dropout()
        first_step = self.epoch * self.steps_per_epoch
        losses, right = [], 0
        for number, batch in enumerate(self.batches(self.epoch)):
            loss, correct = self.make_step(self.epoch, batch)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss became {loss} in step {number + 1} of epoch {self.epoch + 1}, at a learning rate "
                    f"of {self._rate(first_step + number):.2g}. Try a lower learning rate; the run so far is kept."
                )
            losses.append(loss)
            right += correct
            if recipe.average == "ema":
                self.average.step(first_step + number + 1)
        self.epoch += 1
        self._average_at_valley()
        record = self._judge(losses, right / (self.steps_per_epoch * recipe.batch_size))
        self.history.append(record)
        self._save()
        self.stopped_early = self._patience_is_over()
        return {**record, "seconds": time.perf_counter() - started}

    def batches(self, epoch: int) -> NDArray[np.int64]:
        """The photos of each step of an epoch: (steps, batch size)."""
        order = np.random.default_rng([self.recipe.seed, epoch]).permutation(len(self.examples.labels))
        return order[: self.steps_per_epoch * self.recipe.batch_size].reshape(self.steps_per_epoch, -1)

    def make_step(self, epoch: int, batch: NDArray[np.int64]) -> tuple[float, int]:
        """One training step: its loss, and how many photos were named rightly before it."""
        examples = self.examples
        # Each photo starts at another view, so that a batch mixes them and view 0 has its turn like the others.
        view = (epoch + batch) % self.recipe.views
        loss, correct = self.train_step(
            tf.constant(examples.features[view, batch]),
            tf.constant(targets(examples, self.recipe, view, batch)),
            tf.constant(examples.labels[batch].astype(np.int64)),
        )
        return float(loss), int(correct)

    def finish(self) -> dict[str, Any]:
        """Choose between the probed and the fine-tuned weights, put the choice into the network, tell the history."""
        share, curve = (self.fixed.share if self.fixed else 1.0), list[tuple[float, float, float]]()
        if self.fixed is None and self.recipe.interpolate and self.probe is not None:
            share, curve = best_interpolation(self.begin, self.kept, self._score, _SHARES)
        self.learner.assign(interpolated(self.begin, self.kept, share))
        return {
            "probe": self.probe,
            "epochs": self.history,
            "best_epoch": self.best_epoch,
            "kept_epoch": self.best_epoch if self.recipe.kept_epoch == "best" else self.epoch,
            "stopped_early": self.stopped_early and self.epoch < self.recipe.epochs,
            "interpolation": {"share": share, "curve": [list(point) for point in curve]},
            **self._figures(self.learner.weights()),
        }

    def fit_head(self) -> None:
        recipe, examples = self.recipe, self.examples
        if self.trained_head:
            self.probe = self._figures(self.learner.weights())
            return
        if not recipe.probe_views:
            set_head(self.classifier, *_random_head(self.classifier, recipe.seed))
            return
        embedder = self.split.embedder(self.classifier)
        embed = run_network(embedder) if embedder is not None else lambda embeddings: embeddings
        embedded = np.concatenate([in_batches(embed, examples.features[v]) for v in range(recipe.probe_views)])
        labels = np.tile(examples.labels, recipe.probe_views) + 1
        strengths: tuple[float, ...] = _STRENGTHS
        if self.fixed is None:
            assert examples.validation is not None
            assert examples.validation_labels is not None
            judged = in_batches(embed, examples.validation), examples.validation_labels + 1
        else:  # a single strength: nothing is chosen by these
            judged, strengths = (embedded[:1], labels[:1]), (self.fixed.probe_strength,)
        probe = fit_probe(embedded, labels, judged, classes=len(examples.class_names), strengths=strengths)
        set_head(self.classifier, probe.W, probe.b)
        self.probe = {"strength": probe.strength, **self._figures(self.learner.weights())}
        if self.fixed is None:
            self.probe["validation_top1_by_strength"] = [list(trial) for trial in probe.trials]

    def _step(self, features: tf.Tensor, targets: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = self.tail(tf.cast(features, tf.float32), training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, self.variables)
        if self.recipe.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.recipe.clip_norm)
        for part, optimizer in self.groups:
            optimizer.apply(gradients[part], self.variables[part])
        return loss, tf.math.count_nonzero(tf.argmax(logits, axis=1) == labels)

    def _average_at_valley(self) -> None:
        if self.recipe.average != "valleys":
            return
        if self.recipe.schedule in ("triangular", "triangular2", "exp_range"):
            cycle = 2 * self.recipe.step_size
            steps = self.epoch * self.steps_per_epoch
            due = steps // cycle > (steps - self.steps_per_epoch) // cycle
        else:
            due = self.epoch > 0.75 * self.recipe.epochs
        if due:
            self.averaged_count += 1
            self.mean = running_mean(self.mean, self.learner.weights(), self.averaged_count)

    def _averaged(self) -> Weights:
        if self.recipe.average == "ema":
            return self.average.get()
        return self.mean if self.recipe.average == "valleys" and self.averaged_count else self.learner.weights()

    def _judge(self, losses: list[float], right: float) -> dict[str, Any]:
        averaged = self._averaged()
        figures = self._figures(averaged)
        better = self.fixed or not self.history or _rank(figures) > _rank(self.history[self.best_epoch - 1])
        if better:
            self.best_epoch = self.epoch
        if better or self.recipe.kept_epoch == "last":
            self.kept = averaged
        return {
            "epoch": self.epoch,
            "loss": float(np.mean(losses)),
            "step_losses": [round(loss, 5) for loss in losses],
            "training_top1": right,
            "learning_rate": self._rate(self.epoch * self.steps_per_epoch - 1),
            **figures,
        }

    def _figures(self, weights: Weights) -> dict[str, float]:
        """What validation says of these weights, for the history; nothing where no photos are held out."""
        if self.fixed is not None:
            return {}
        accuracy, negative_loss = self._score(weights)
        return {"validation_top1": accuracy, "validation_nll": -negative_loss}

    def _score(self, weights: Weights) -> tuple[float, float]:
        inputs, labels = self.examples.validation, self.examples.validation_labels
        assert inputs is not None
        assert labels is not None
        return self.learner.score(weights, inputs, labels)

    def _patience_is_over(self) -> bool:
        patience = self.recipe.patience
        return patience is not None and self.epoch - self.best_epoch >= patience and self.epoch > 0

    def _rate(self, step: int) -> float:
        rate = self.recipe.rate(self.steps_per_epoch * self.recipe.epochs)
        return rate if isinstance(rate, float) else float(rate(step))

    def _seed_dropout(self) -> None:
        for layer in self.tail.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([self.recipe.seed, self.epoch])

    def _optimizer_variables(self) -> list[keras.Variable]:
        return [variable for _, optimizer in self.groups for variable in optimizer.variables]

    def _save(self) -> None:
        save_checkpoint(
            self.folder,
            Checkpoint(
                settings=self.settings,
                epoch=self.epoch,
                history=self.history,
                probe=self.probe,
                averaged_count=self.averaged_count,
                best_epoch=self.best_epoch,
                weights=self.learner.weights(),
                averaged=self.average.get() if self.recipe.average == "ema" else self.mean,
                begin=self.begin,
                kept=self.kept,
                optimizer=[np.asarray(variable.numpy()) for variable in self._optimizer_variables()],
            ),
        )


def _digest(weights: Weights) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(weight).tobytes() for weight in weights)).hexdigest()[:16]


def _random_head(classifier: keras.Model, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Glorot & Bengio's uniform weights, from the run's own seed rather than from whatever drew before it."""
    channels, classes = classifier.get_layer(LOGITS).get_weights()[0].shape
    limit = math.sqrt(6.0 / (channels + classes))
    return np.random.default_rng(seed).uniform(-limit, limit, (channels, classes)), np.zeros(classes)


def _rank(figures: Mapping[str, Any]) -> tuple[float, float]:
    return figures["validation_top1"], -figures["validation_nll"]
