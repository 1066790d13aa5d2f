"""Train a classifier and write it as a bundle.

    flowers train --backbone efficientnet_lite0

Without more options it is a linear probe: the backbone keeps its ImageNet weights, and logistic regression on its
embeddings of the training photos (each also mirrored) becomes the head. Validation chooses the regularization.

`--fine-tune N` starts from the probe and trains the backbone's last N layers with the head. A run is kept in
`runs/<name>` after every epoch; the same command again resumes it. `--head-epochs` starts from a head warm-up instead,
gradient descent on frozen features; `--frozen DIR` keeps that model as a bundle of its own. `--recipe published` is the
recipe of the project that this one grew from, with both.

`--photos DIR --out models/NAME` takes a folder of your own photos, checks them, and makes the bundle whole, so that the
pages show it. Where no recipe is given, the last third of the backbone learns too, from up to 5000 training photos and
as far as validation finds that better. A run that was killed goes on by the same command.

`--also-validation BUNDLE` repeats the run of that fine-tuned bundle on the training and validation photos together.
What validation chose there is kept. The calibration is that of BUNDLE's answers to the validation photos, which it had
not seen: half of a two-fold cross-validation. Where BUNDLE learnt from teachers, name them by `--teacher` again, or
name others, which may have learnt from the validation photos too.

`--hold-out-half 0` learns from all photos of the data set but one half of the test photos, which validates; with
`--hold-out-half 1` as well, two runs say of every test photo whether learning from others like it helps. After such a
run `--also-validation` learns from every photo there is; `--augmentation` gives it other views, `--epochs` and
`--views` fewer or more.
"""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from flowers_core.data.model_input import CropRule
from flowers_core.data.open_dataset import open_dataset
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.training import Training
from flowers_core.storage.events import Emit, Event, EventLog
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import progress, run
from scripts.options.own_photos import checked_photos, complete
from scripts.options.recipe import changed
from scripts.options.training import command_of, imagenet_head_of, parse_training, teachers_of, weights_of
from scripts.options.training_log import TrainingLog


def main() -> None:
    """Parse the command line, train, write the bundle."""
    options = parse_training(__doc__)
    flowers = checked_photos(options) if options.photos else open_dataset(options.data)
    if options.leave_out:
        flowers = flowers.leaving_out(options.leave_out)
    if options.hold_out_half is not None:
        flowers = flowers.holding_out(options.hold_out_half)
    from flowers_core.networks.backbones import backbone_named, build_backbone
    from flowers_core.networks.classifier import build_classifier
    from flowers_core.training.recipes import own_photos
    from flowers_core.training.run import Plan, fine_tuned, probed, recipes_of
    from flowers_core.training.write_bundle import write_trained

    reference = load_bundle(options.also_validation) if options.also_validation else None
    recipe, head = options.recipe, options.head_recipe
    if reference is not None:
        reference.require_calibration()
        options.backbone = reference.manifest.backbone
        options.random_weights = reference.training.random_weights
        options.named_recipe = reference.training.named_recipe
        recipe, head = recipes_of(reference)
        recipe = changed(recipe, options.given)
        if reference.training.held_out_half is not None:
            flowers = flowers.holding_out(reference.training.held_out_half)
    out = options.out = options.out or default_models_dir() / options.backbone
    teachers = teachers_of(options.teacher, recipe, reference)
    size = options.size or backbone_named(options.backbone).size
    rule = reference.crop_rule if reference else CropRule(size, options.crop_fraction)
    backbone = build_backbone(options.backbone, weights_dir=weights_of(options), size=rule.size)
    if options.photos and recipe is None:
        recipe = own_photos(len(flowers.split_ids("train")), len(backbone.layers), options.seed)
    classifier = build_classifier(backbone, len(flowers.names), dropout=recipe.dropout if recipe else 0.0)
    started, command = time.perf_counter(), command_of(options)

    def write(folder: Path, record: Training, history: dict[str, Any]) -> None:
        seconds = round(time.perf_counter() - started, 1)
        training = replace(
            record, seconds=seconds, named_recipe=options.named_recipe, random_weights=options.random_weights
        )
        writer = BundleWriter.create(
            folder, name=folder.name, backbone=options.backbone, crop_rule=rule, classes=flowers.names
        )
        write_trained(writer, flowers, classifier, training, history, reference)
        print(f"Wrote {folder}; `flowers quantize {folder.name}` makes the TFLite models.", flush=True)

    if recipe is None:
        record, history = probed(classifier, flowers, rule, command, track=progress)
        best = max(record.validation_top1_by_regularization.values())
        print(f"Linear probe: C = {record.probe_regularization:g}, {best:.4f} of the validation photos right.")
    else:
        heard: list[Emit] = [
            TrainingLog(recipe.unfrozen_layers),
            *([EventLog(options.events)] if options.events else []),
        ]

        def emit(event: Event) -> None:
            for hear in heard:
                hear(event)

        plan = Plan(
            recipe,
            head,
            teachers,
            reference,
            options.runs / out.name,
            options.cache,
            options.tensorboard and options.tensorboard / out.name,
            emit,
            imagenet_head_of(options) if recipe.lwf_weight else None,
            options.hold_out_half,
        )
        keep = partial(write, options.frozen) if options.frozen else None
        record, history = fine_tuned(classifier, flowers, rule, plan, command, keep)
        start = "the head warm-up's" if head else "the probe's"
        print(f"Kept: {record.wise_ft_alpha:.0%} of the way from {start} weights to the fine-tuned ones.")
        if options.frozen:
            record = replace(record, frozen=options.frozen.name)
    write(out, record, history)
    if options.photos:
        complete(out, flowers, options.cache)


if __name__ == "__main__":
    run(main)
