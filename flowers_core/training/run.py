"""A whole training run, by linear probe or fine-tuning: from pretrained weights to the record that a bundle keeps.

A run prints nothing. It emits events, which a terminal or a log shows as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from flowers_core.data.batches import input_batches
from flowers_core.data.dataset import SPLITS, Dataset
from flowers_core.data.model_input import CropRule
from flowers_core.data.progress import Track, untracked
from flowers_core.inference.bundle import Bundle, BundleError, reference_to
from flowers_core.inference.commands import Command
from flowers_core.inference.records.training import Training
from flowers_core.networks.classifier import set_head
from flowers_core.storage.events import HEAD, TAIL, Emit, Event, unheard
from flowers_core.training.examples import Fixed
from flowers_core.training.fit import fine_tune
from flowers_core.training.forgetting import ImagenetHead
from flowers_core.training.head_warmup import train_head
from flowers_core.training.linear_probe import MANY, embed, fit_probe
from flowers_core.training.prepare import prepare
from flowers_core.training.recipe import Recipe

# The record of a run, and its whole history.
Made = tuple[Training, dict[str, Any]]
_BATCH = 32


@dataclass(frozen=True)
class Plan:
    """The choices of a fine-tuning run.

    Attributes:
        recipe: for the unfrozen layers and the head.
        head: recipe of the head warm-up; None where the head is fitted by logistic regression or drawn at random.
        teachers: bundles to learn from.
        reference: the bundle whose run is repeated with the photos that validated it, or None.
        held_out_half: of the test photos, which validates while the other half is learnt; None for the official splits.
        folder: for checkpoints.
        cache: folder for decoded photos and features.
        logs: folder for TensorBoard, or None.
        emit: called with each event of the run.
        imagenet_head: of the pretrained backbone, where the recipe learns without forgetting.
    """

    recipe: Recipe
    head: Recipe | None
    teachers: list[Bundle]
    reference: Bundle | None
    folder: Path
    cache: Path
    logs: Path | None
    emit: Emit = unheard
    imagenet_head: ImagenetHead | None = None
    held_out_half: int | None = None


def recipes_of(reference: Bundle) -> tuple[Recipe, Recipe | None]:
    """The recipe of a fine-tuned bundle, and that of its head warm-up, or None.

    Raises:
        BundleError: the bundle's run cannot be repeated with the photos that validated it.
    """
    training = reference.training
    held_out = training.splits == ("train",) or training.held_out_half is not None
    if training.recipe is None or not held_out:
        raise BundleError(
            f"'{reference.name}' cannot be repeated with the photos that validated it: "
            "it was not fine-tuned, or none did."
        )
    head = Recipe.from_json(training.head_recipe) if training.head_recipe else None
    return Recipe.from_json(training.recipe), head


def probed(
    classifier: keras.Model, flowers: Dataset, rule: CropRule, command: Command, *, track: Track = untracked
) -> Made:
    """Fit the head of a classifier by a linear probe.

    Args:
        classifier: with the backbone's pretrained weights; its head is set.
        flowers: the head is fitted to the training photos, each also mirrored where they are not `MANY`; the validation
            photos choose the regularization.
        rule: how a photo becomes the classifier's input.
        command: of the run, for the record.
        track: shows the progress over the batches.

    Returns:
        The run's record and history.
    """
    embedded = {}
    mirrored = 2 * len(flowers.split_ids("train")) <= MANY
    for split in ("train", "validation"):
        ids = flowers.split_ids(split)
        batches = track(input_batches(flowers, ids, rule), f"embedding {split}", -(-len(ids) // _BATCH))
        embedded[split] = embed(classifier, batches, flips=mirrored and split == "train")
    labels = {split: flowers.labels[flowers.splits == split] for split in embedded}
    probe = fit_probe(
        embedded["train"].reshape(-1, embedded["train"].shape[-1]),
        np.tile(labels["train"], 1 + mirrored),
        (embedded["validation"], labels["validation"]),
        classes=len(flowers.names),
    )
    set_head(classifier, probe.W, probe.b)
    trials = {f"{C:g}": accuracy for C, accuracy in probe.trials}
    # There is no seed, since the problem is convex and nothing is drawn at random.
    record = Training(
        method="linear probe",
        splits=("train",),
        photos=len(labels["train"]),
        command=command,
        probe_regularization=probe.C,
        validation_top1_by_regularization=trials,
    )
    return record, {"validation_top1_by_regularization": trials}


def fine_tuned(
    classifier: keras.Model,
    flowers: Dataset,
    rule: CropRule,
    plan: Plan,
    command: Command,
    after_head: Callable[[Training, dict[str, Any]], None] | None = None,
) -> Made:
    """Fine-tune a classifier in place.

    Args:
        classifier: with the backbone's pretrained weights.
        flowers: the data set.
        rule: how a photo becomes the classifier's input.
        plan: every choice.
        command: of the run, for the record.
        after_head: called with record and history of the head warm-up, before any other layer learns.

    Returns:
        The run's record and history.
    """
    recipe, head, reference = plan.recipe, plan.head, plan.reference
    partition, examples = prepare(
        flowers,
        classifier,
        rule,
        recipe,
        plan.cache,
        teachers=plan.teachers,
        imagenet_head=plan.imagenet_head,
        with_validation=reference is not None,
        progress=_emitting(plan.emit),
    )
    fixed = None
    if reference is not None:
        chosen = reference.training
        alpha = 1.0 if chosen.wise_ft_alpha is None else chosen.wise_ft_alpha
        fixed = Fixed(chosen.probe_regularization or 0.0, alpha)
    common = Training(
        method="the head alone, on frozen features",
        splits=_learnt(plan),
        photos=len(examples.labels),
        held_out_half=plan.held_out_half,
        command=command,
        teachers=tuple(reference_to(teacher) for teacher in plan.teachers),
    )
    first: dict[str, Any] = {}
    if head is not None:
        phase = _Phase(HEAD, head, plan.logs and plan.logs / "head", plan.emit)
        first = train_head(
            classifier,
            partition,
            examples,
            head,
            plan.folder / "head",
            fixed=fixed is not None,
            report=phase.epoch,
            progress=_emitting(plan.emit),
        )
        record = phase.end(common, first)
        if after_head is not None:
            after_head(record, first)

    phase = _Phase(TAIL, recipe, plan.logs, plan.emit)
    history = fine_tune(
        classifier,
        partition,
        examples,
        recipe,
        plan.folder,
        fixed=fixed,
        trained_head=head is not None,
        report=phase.epoch,
    )
    if head is not None:
        method = "fine-tuning after the head alone"
    else:
        method = "fine-tuning after a linear probe" if recipe.probe_views else "fine-tuning from a random head"
    record = replace(phase.end(common, history), method=method, freeze_point=partition.freeze_point)
    if head is not None:
        return replace(record, head_recipe=head.to_json()), history | {"head": first}
    return record, history


def _learnt(plan: Plan) -> tuple[str, ...]:
    half = plan.reference.training.held_out_half if plan.reference else plan.held_out_half
    if half is not None:
        return SPLITS
    return SPLITS[:1] if plan.reference is None else SPLITS[:2]


class _Phase:
    """The reports of one phase: an event for its start, each epoch and its end, and TensorBoard's logs."""

    def __init__(self, name: str, recipe: Recipe, logs: Path | None, emit: Emit) -> None:
        self._name, self._recipe, self._logs, self._emit = name, recipe, logs, emit
        self._seconds: list[float] = []
        emit(Event("phase begins", phase=name))

    def epoch(self, epoch: dict[str, Any]) -> None:
        """Report a finished epoch."""
        self._seconds.append(epoch["seconds"])
        self._emit(
            Event(
                "epoch",
                phase=self._name,
                done=epoch["epoch"],
                total=self._recipe.epochs,
                loss=float(epoch["loss"]),
                validation_top1=epoch.get("validation_top1"),
                seconds=float(epoch["seconds"]),
            )
        )
        if self._logs:
            _log(self._logs, epoch)

    def end(self, common: Training, history: dict[str, Any]) -> Training:
        """Report the end of the phase, and return its record."""
        accuracy = history.get("validation_top1")
        self._emit(Event("phase ends", phase=self._name, validation_top1=accuracy))
        # Unknown for a resumed run: the history has no times, so that it does not depend on interruptions.
        whole = len(self._seconds) == len(history["epochs"])
        return replace(
            common,
            recipe=self._recipe.to_json(),
            kept_epoch=history["kept_epoch"],
            wise_ft_alpha=history["wise_ft"]["alpha"],
            probe_regularization=(history["probe"] or {}).get("regularization"),
            validation_top1=accuracy,
            seed=self._recipe.seed,
            epoch_seconds=round(sum(self._seconds), 1) if whole else None,
        )


def _emitting(emit: Emit) -> Callable[[str, int, int], None]:
    def progress(what: str, done: int, total: int) -> None:
        emit(Event("progress", title=what, done=done, total=total))

    return progress


def _log(folder: Path, epoch: dict[str, Any]) -> None:
    with tf.summary.create_file_writer(str(folder)).as_default(step=epoch["epoch"]):
        for name in ("loss", "training_top1", "learning_rate", "validation_top1", "validation_nll"):
            if name in epoch:
                tf.summary.scalar(name, epoch[name])
