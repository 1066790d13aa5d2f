"""A fine-tuning run as a person at a terminal follows it: prepared, trained in its phases, told epoch by epoch."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import HISTORY_FILE, Bundle, reference_to
from flowers_core.inference.commands import Command
from flowers_core.inference.manifest import Training
from flowers_core.storage.events import HEAD, TAIL, Emit, Event, unheard
from flowers_core.storage.typed_json import read_json

if TYPE_CHECKING:
    from flowers_core.training.forgetting import ImagenetHead
    from flowers_core.training.recipe import Recipe

# What a run is, and its whole history.
Made = tuple[Training, dict[str, Any]]


@dataclass(frozen=True)
class Plan:
    """What a run is to do.

    Attributes:
        recipe: of the layers that are unfrozen.
        head: of the head warm-up, or None where the head is fitted by logistic regression or drawn at random.
        teachers: bundles to learn from.
        reference: the bundle whose run is repeated with the validation photos.
        folder: of checkpoints.
        cache: of what is computed once.
        logs: of TensorBoard, or None.
        events: told to other processes.
        imagenet_head: of the pretrained backbone, where the recipe learns without forgetting.
    """

    recipe: "Recipe"
    head: "Recipe | None"
    teachers: list[Bundle]
    reference: Bundle | None
    folder: Path
    cache: Path
    logs: Path | None
    events: Emit = unheard
    imagenet_head: "ImagenetHead | None" = None


def fine_tuned(
    classifier: Any,
    flowers: OxfordFlowers,
    rule: CropRule,
    plan: Plan,
    command: Command,
    after_head: Callable[[Training, dict[str, Any]], None] | None = None,
) -> Made:
    """Train a classifier in place and return its record and its whole history.

    command: what began the run, for the record.
    after_head: called with those of the first phase while the classifier is as that left it: nothing unfrozen.
    """
    from flowers_core.training.examples import Fixed
    from flowers_core.training.fit import fine_tune
    from flowers_core.training.head_warmup import train_head
    from flowers_core.training.prepare import prepare

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
        progress=_tell_progress(plan.events),
    )
    fixed = None
    if reference is not None:
        chosen = read_json(reference.path(HISTORY_FILE))
        fixed = Fixed((chosen["probe"] or {}).get("strength", 0.0), chosen["interpolation"]["share"])
    common = Training(
        method="the head alone, on frozen features",
        splits=("train",) if reference is None else ("train", "validation"),
        photos=len(examples.labels),
        command=command,
        teachers=tuple(reference_to(teacher) for teacher in plan.teachers),
    )
    first: dict[str, Any] = {}
    if head is not None:
        print("The head alone, on frozen features:", flush=True)
        told = _Told(HEAD, head.epochs, plan.logs and plan.logs / "head", plan.events)
        plan.events(Event("phase begins", phase=HEAD))
        first = train_head(
            classifier,
            partition,
            examples,
            head,
            plan.folder / "head",
            fixed=fixed is not None,
            report=told.epoch,
            progress=_tell_progress(plan.events),
        )
        plan.events(Event("phase ends", phase=HEAD, validation_top1=first.get("validation_top1")))
        print(
            f"The head alone: {_judged(first)}the last {recipe.unfrozen_layers} layers learn with it now.", flush=True
        )
        if after_head is not None:
            after_head(_record(common, head, first, told), first)

    told = _Told(TAIL, recipe.epochs, plan.logs, plan.events)
    plan.events(Event("phase begins", phase=TAIL))
    history = fine_tune(
        classifier,
        partition,
        examples,
        recipe,
        plan.folder,
        fixed=fixed,
        trained_head=head is not None,
        report=told.epoch,
    )
    plan.events(Event("phase ends", phase=TAIL, validation_top1=history.get("validation_top1")))
    share = history["interpolation"]["share"]
    print(f"Fine-tuned: {_judged(history)}{share:.0%} of the way from the {'probe' if head is None else 'head alone'}.")
    if head is not None:
        method = "fine-tuning after the head alone"
    else:
        method = "fine-tuning after a linear probe" if recipe.probe_views else "fine-tuning from a random head"
    record = replace(_record(common, recipe, history, told), method=method, freeze_point=partition.freeze_point)
    if head is not None:
        return replace(record, head_recipe=head.to_json()), history | {"head": first}
    return record, history


def _record(common: Training, recipe: "Recipe", history: dict[str, Any], told: "_Told") -> Training:
    return replace(
        common,
        recipe=recipe.to_json(),
        kept_epoch=history["kept_epoch"],
        wise_ft_alpha=history["interpolation"]["share"],
        probe_regularization=(history["probe"] or {}).get("strength"),
        validation_top1=history.get("validation_top1"),
        seed=recipe.seed,
        # Not known of a run that was broken off: the history, which must not depend on that, has no times.
        epoch_seconds=round(sum(told.took), 1) if len(told.took) == len(history["epochs"]) else None,
    )


class _Told:
    """One line an epoch, with the time left; an event; and TensorBoard's logs, where a folder is given."""

    def __init__(self, phase: str, epochs: int, logs: Path | None, events: Emit) -> None:
        self.phase, self.epochs, self.logs, self.events = phase, epochs, logs, events
        self.took: list[float] = []

    def epoch(self, epoch: dict[str, Any]) -> None:
        self.took.append(epoch["seconds"])
        self.events(
            Event(
                "epoch",
                phase=self.phase,
                done=epoch["epoch"],
                total=self.epochs,
                loss=float(epoch["loss"]),
                validation_top1=epoch.get("validation_top1"),
            )
        )
        last = self.took[-5:]
        left = (self.epochs - epoch["epoch"]) * sum(last) / len(last)
        print(
            f"epoch {epoch['epoch']}/{self.epochs}: loss {epoch['loss']:.4f}, {_judged(epoch)}"
            f"{epoch['seconds']:.0f} s, about {left / 60:.0f} min left",
            flush=True,
        )
        if self.logs:
            _log(self.logs, epoch)


def _judged(figures: dict[str, Any]) -> str:
    accuracy = figures.get("validation_top1")
    return "" if accuracy is None else f"{accuracy:.4f} of validation right, "


def _tell_progress(events: Emit) -> Callable[[str, int, int], None]:
    started: dict[str, float] = {}

    def tell(what: str, done: int, total: int) -> None:
        events(Event("progress", title=what, done=done, total=total))
        begun = started.setdefault(what, time.perf_counter())
        if done == total or (done > 1 and what.startswith("views")):
            print(f"{what}: {done} of {total}, {time.perf_counter() - begun:.0f} s", flush=True)

    return tell


def _log(folder: Path, epoch: dict[str, Any]) -> None:
    import tensorflow as tf

    with tf.summary.create_file_writer(str(folder)).as_default(step=epoch["epoch"]):
        for name in ("loss", "training_top1", "learning_rate", "validation_top1", "validation_nll"):
            if name in epoch:
                tf.summary.scalar(name, epoch[name])
