"""Train a classifier and write it as a bundle.

    flowers train --backbone efficientnet_lite0

Without more, a linear probe: the backbone keeps its ImageNet weights, and logistic regression on its embedding of the
training photos (each also mirrored) becomes the head. How strongly it is regularized is chosen on validation.

With `--fine-tune N`, the probe is the start: then the backbone's last N layers learn with the head. A run is kept in
`runs/<name>` after every epoch; the same command again goes on where it was. With `--head-epochs` the start is the head
alone, trained by gradient descent on frozen features; `--frozen DIR` keeps that model as a bundle of its own.
`--recipe published` is the recipe of the project that this one grew from, with both.

With `--also-validation BUNDLE`, everything is done as for that fine-tuned bundle, but on the training and validation
photos. What validation chose there is kept, and the calibration is that of BUNDLE's answers to the validation photos,
which it had not seen: the half of a two-fold cross-validation that the official split offers. Where BUNDLE learnt from
teachers, name them by `--teacher` again, or others: teachers may have learnt from the validation photos by now too.
"""

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import Bundle, BundleError, BundleWriter, load_bundle
from flowers_core.inference.commands import Command
from flowers_core.inference.manifest import Training
from flowers_core.storage.events import EventLog, unheard
from flowers_core.storage.paths import default_models_dir
from scripts.fine_tuning import Plan, fine_tuned
from scripts.options.command import add_data_option, bundle_folder, progress, run, verb_parser
from scripts.options.recipe import add_recipe_options, given, head_recipe_of, parse_with_recipe, recipe_of
from scripts.trained_bundle import calibration_of, write_trained


def main() -> None:
    """Parse the command line, train, write the bundle."""
    options = _parse()
    flowers = OxfordFlowers(options.data)
    reference = load_bundle(options.also_validation) if options.also_validation else None
    if reference is not None:
        calibration_of(reference)
        options.backbone = reference.manifest.backbone
        options.random_weights = reference.training.random_weights
        options.named_recipe = reference.training.named_recipe
    options.out = options.out or default_models_dir() / options.backbone

    # TensorFlow takes seconds to import: only once the arguments are known to be good.
    from flowers_core.networks.backbones import backbone_named, build_backbone
    from flowers_core.networks.classifier import build_classifier

    recipe, head = _recipes_of(reference) if reference else (options.recipe, options.head_recipe)
    teachers = _teachers(options.teacher, recipe, reference)
    rule = (
        reference.crop_rule
        if reference
        else CropRule(options.size or backbone_named(options.backbone).size, options.crop_fraction)
    )
    weights = None if options.random_weights else options.weights
    backbone = build_backbone(options.backbone, weights_dir=weights, size=rule.size)
    classifier = build_classifier(backbone, len(flowers.names), dropout=recipe.dropout if recipe else 0.0)
    started = time.perf_counter()

    command = _command(options)

    def write(folder: Path, record: Training, history: dict[str, Any]) -> None:
        training = replace(
            record,
            seconds=round(time.perf_counter() - started, 1),
            named_recipe=options.named_recipe,
            random_weights=options.random_weights,
        )
        writer = BundleWriter.create(
            folder, name=folder.name, backbone=options.backbone, crop_rule=rule, classes=flowers.names
        )
        write_trained(writer, flowers, classifier, training, history, reference)

    if recipe is None:
        record, history = _fit_head(classifier, flowers, rule, command)
    else:
        name = options.out.name
        logs = options.tensorboard and options.tensorboard / name
        events = EventLog(options.events) if options.events else unheard
        imagenet_head = _imagenet_head(options) if recipe.lwf_weight else None
        plan = Plan(recipe, head, teachers, reference, options.runs / name, options.cache, logs, events, imagenet_head)
        keep = partial(write, options.frozen) if options.frozen else None
        record, history = fine_tuned(classifier, flowers, rule, plan, command, keep)
        if options.frozen:
            record = replace(record, frozen=options.frozen.name)
    write(options.out, record, history)


def _imagenet_head(options: argparse.Namespace) -> Any:
    from flowers_core.networks.download import load_imagenet_head
    from flowers_core.training.forgetting import ImagenetHead
    from flowers_core.training.recipe import RecipeError

    if options.random_weights:
        raise RecipeError("A network that learnt nothing from ImageNet can forget nothing: leave out --lwf-weight.")
    return ImagenetHead(*load_imagenet_head(options.backbone, options.weights))


def _fit_head(
    classifier: Any, flowers: OxfordFlowers, rule: CropRule, command: Command
) -> tuple[Training, dict[str, Any]]:
    from flowers_core.data.batches import input_batches
    from flowers_core.networks.classifier import set_head
    from flowers_core.training.linear_probe import embed, fit_probe

    embedded = {}
    for split in ("train", "validation"):
        ids = flowers.split_ids(split)
        batches = progress(input_batches(flowers, ids, rule), f"embedding {split}", -(-len(ids) // 32))
        embedded[split] = embed(classifier, batches, flips=split == "train")
    labels = {split: flowers.labels[flowers.splits == split] for split in embedded}
    probe = fit_probe(
        np.concatenate(embedded["train"]),
        np.tile(labels["train"], 2),
        (embedded["validation"], labels["validation"]),
        classes=len(flowers.names),
    )
    best = max(accuracy for _, accuracy in probe.trials)
    print(f"Linear probe: C = {probe.C:g}, {best:.4f} of the validation photos right.")
    set_head(classifier, probe.W, probe.b)
    trials = {f"{C:g}": accuracy for C, accuracy in probe.trials}
    # No seed: the problem is convex, and nothing is drawn at random.
    record = Training(
        method="linear probe",
        splits=("train",),
        photos=len(labels["train"]),
        command=command,
        probe_regularization=probe.C,
        validation_top1_by_regularization=trials,
    )
    return record, {"validation_top1_by_regularization": trials}


def _recipes_of(reference: Bundle) -> tuple[Any, Any]:
    """The recipe of a fine-tuned bundle, and that of its head warm-up, if there was one."""
    from flowers_core.training.recipe import Recipe

    training = reference.training
    if training.recipe is None or training.splits != ("train",):
        raise BundleError(
            f"'{reference.name}' cannot be repeated with the validation photos: "
            "it was not fine-tuned on the training ones alone."
        )
    head = Recipe.from_json(training.head_recipe) if training.head_recipe else None
    return Recipe.from_json(training.recipe), head


def _teachers(names: list[str], recipe: Any, reference: Bundle | None) -> list[Bundle]:
    """The bundles that are learnt from; raises RecipeError where the recipe wants some and there are none, or the other
    way round, before anything is computed."""
    from flowers_core.training.recipe import RecipeError

    wanted = recipe is not None and recipe.teacher_weight > 0
    if wanted and not names and reference is not None:
        before = ", ".join(teacher.name for teacher in reference.training.teachers)
        raise RecipeError(
            f"'{reference.name}' learnt from {before}: name by --teacher which bundle is to teach now, "
            "the same one or one that has learnt from the validation photos too."
        )
    if wanted and not names:
        raise RecipeError("--teacher-weight needs a bundle to learn from: name it by --teacher.")
    if names and not wanted:
        where = f"in the recipe of '{reference.name}'" if reference else "without --teacher-weight"
        raise RecipeError(f"A teacher has no say {where}: leave out --teacher.")
    return [load_bundle(bundle_folder(name)) for name in names]


def _command(options: argparse.Namespace) -> Command:
    """What makes this bundle again. A bundle's place is its own affair, its name is not: it says the models folder."""
    made: dict[str, Any] = {}
    teachers = {"teacher": tuple(Path(name).name for name in options.teacher)} if options.teacher else {}
    if options.also_validation:
        made |= {"also_validation": options.also_validation.name} | teachers
    else:
        made["backbone"] = options.backbone
        if options.random_weights:
            made["random_weights"] = True
        if options.size:
            made["size"] = options.size
        if options.crop_fraction != 1:
            made["crop_fraction"] = options.crop_fraction
        if options.fine_tune is not None:
            made |= {"fine_tune": options.fine_tune} | teachers | options.given
        if options.frozen and not options.named_recipe:
            made["frozen"] = f"models/{options.frozen.name}"
    if options.out.name != options.backbone:
        made["out"] = f"models/{options.out.name}"
    return Command("scripts.train", made)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0", help="name of the pretrained network")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the bundle's folder (default: models/<backbone>)")
    parser.add_argument("--size", type=int, help="side of the model's input in pixels (default: the backbone's own)")
    parser.add_argument("--crop-fraction", type=float, default=1.0, help="share of the short side that is seen")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="folder of the ImageNet weights (default: FLOWERS_WEIGHTS_DIR, or weights/)",
    )
    parser.add_argument(
        "--random-weights", action="store_true", help="begin with random weights: to try a network without ImageNet's"
    )
    add_data_option(parser)
    parser.add_argument(
        "--fine-tune",
        type=int,
        metavar="N",
        help="let the backbone's last N layers learn too, counted as Keras lists them",
    )
    parser.add_argument(
        "--teacher", action="append", default=[], metavar="BUNDLE", help="a bundle to learn from (again for several)"
    )
    parser.add_argument(
        "--also-validation",
        type=bundle_folder,
        metavar="BUNDLE",
        help="repeat this fine-tuned bundle's run on the training and the validation photos together",
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where checkpoints are kept")
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), metavar="DIR", help="where decoded photos and features are kept"
    )
    parser.add_argument("--events", type=Path, metavar="FILE", help="add what happens, one JSON object a line")
    parser.add_argument("--tensorboard", type=Path, metavar="DIR", help="write TensorBoard logs there")
    parser.add_argument(
        "--frozen",
        type=Path,
        metavar="DIR",
        help="with --head-epochs: the folder of a bundle of the model before any layer is unfrozen "
        "(default with --recipe: that of --out with _frozen)",
    )
    add_recipe_options(parser)
    options = parse_with_recipe(parser)
    options.given = given(options, parser)
    options.recipe = options.head_recipe = None
    if options.also_validation and (options.fine_tune is not None or options.size or options.frozen):
        parser.error("--also-validation takes everything from its bundle: leave out --fine-tune, --size and --frozen")
    if options.fine_tune is not None:
        try:
            options.recipe = recipe_of(options, options.fine_tune)
            options.head_recipe = head_recipe_of(options)
        except (FlowersError, ValueError) as error:
            parser.error(str(error))
    if options.frozen and options.head_recipe is None:
        parser.error("--frozen keeps what the head alone reached: it needs --fine-tune and --head-epochs")
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.backbones import backbone_named
    from flowers_core.storage.paths import default_weights_dir

    try:
        backbone_named(options.backbone)
    except (FlowersError, ValueError) as error:
        parser.error(str(error))
    if not 0 < options.crop_fraction <= 1:
        parser.error("--crop-fraction must be above 0 and at most 1")
    if options.size is not None and options.size < 32:
        parser.error("--size must be at least 32")
    options.weights = options.weights or default_weights_dir()
    if options.named_recipe and not options.also_validation:
        options.out = options.out or default_models_dir() / f"{options.backbone}_{options.named_recipe}"
        options.frozen = options.frozen or options.out.with_name(f"{options.out.name}_frozen")
    return options


if __name__ == "__main__":
    run(main)
