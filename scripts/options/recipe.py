"""A fine-tuning recipe on the command line: one option for each of its entries, with the recipe's own defaults.

`--recipe NAME` gives other defaults, and `--head-epochs` puts a phase before it in which the head alone learns.
"""

import argparse
import dataclasses
from typing import Any

from flowers_core.inference.commands import OptionValue

# Entries told to a person in a few words; the recipe's docstring says more.
_WORDS = {
    "epochs": "passes over the training photos",
    "views": "different views of each photo, the central crop included",
    "probe_views": "views that the head is first fitted to",
    "batch_size": "photos a step",
    "augmentation": "how views are drawn",
    "optimizer": "",
    "schedule": "how the learning rate moves",
    "learning_rate": "its highest value",
    "lower_rate": "its lowest value in a cyclic schedule",
    "step_size": "steps of half a cycle in a cyclic schedule",
    "warmup": "share of the steps that the rate rises before a cosine",
    "head_rate": "the head's learning rate as a multiple of the backbone's",
    "weight_decay": "",
    "momentum": "of SGD",
    "clip_norm": "largest norm of all gradients together; 0 for any",
    "dropout": "share of the embedding left out in a step",
    "label_smoothing": "",
    "train_depthwise": "let depthwise kernels learn too",
    "average": "which average of the weights is kept",
    "ema_decay": "",
    "kept_epoch": "the last one's weights are kept, or those of the best by validation accuracy",
    "patience": "stop after so many epochs without a better validation accuracy",
    "interpolate": "choose on validation between the probed and the fine-tuned weights",
    "teacher_weight": "share of the teachers' answer in what is learnt",
    "teacher_temperature": "softens the teachers' answer",
    "seed": "of everything drawn at random",
}
_HEAD_WORDS = {
    "head_epochs": "epochs of the head alone on frozen features, from a random start; goes with --probe-views 0",
    "head_learning_rate": "its highest learning rate meanwhile; 0 for --learning-rate",
    "head_lower_rate": "its lowest, likewise",
}
RECIPES = ("fast", "published")


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """One option for each entry of a recipe but the number of unfrozen layers."""
    from flowers_core.training.augmentation import AUGMENTATIONS
    from flowers_core.training.recipe import AVERAGES, KEPT_EPOCHS, OPTIMIZERS, SCHEDULES, Recipe

    choices = {
        "augmentation": tuple(AUGMENTATIONS),
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
        "average": AVERAGES,
        "kept_epoch": KEPT_EPOCHS,
    }
    group = parser.add_argument_group("fine-tuning", "used with --fine-tune")
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        dest="named_recipe",
        help="take what is not given here from this recipe, whose --fine-tune depends on the backbone",
    )
    for entry in dataclasses.fields(Recipe):
        if entry.name == "unfrozen_layers":
            continue
        default: Any = "crops" if entry.name == "augmentation" else entry.default
        if default is dataclasses.MISSING:
            default = 24
        kind: dict[str, Any] = {"type": int if default is None else type(default)}
        if isinstance(default, bool):
            kind = {"action": argparse.BooleanOptionalAction}
        elif entry.name in choices:
            kind = {"choices": choices[entry.name]}
        words = _WORDS[entry.name] or entry.name.replace("_", " ")
        group.add_argument(_option(entry.name), default=default, help=f"{words} (default: {default})", **kind)
    for name, words in _HEAD_WORDS.items():
        number: int | float = 0 if name == "head_epochs" else 0.0
        group.add_argument(_option(name), default=number, type=type(number), help=f"{words} (default: {number})")


def parse_with_recipe(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line; what was not typed comes from the recipe that it names, if any."""
    options = parser.parse_args()
    if options.named_recipe:
        from flowers_core.training.fast import fast_options
        from flowers_core.training.published import published_options

        values = {"fast": fast_options, "published": published_options}[options.named_recipe](options.backbone)
        parser.set_defaults(**values)
        options = parser.parse_args()
    return options


def recipe_of(options: argparse.Namespace, unfrozen_layers: int) -> Any:
    """The recipe that the options describe. Raises ValueError with a sentence when they make no sense."""
    from flowers_core.training.augmentation import AUGMENTATIONS
    from flowers_core.training.recipe import Recipe

    values = {entry.name: getattr(options, entry.name) for entry in dataclasses.fields(Recipe) if entry.name in _WORDS}
    values["augmentation"] = AUGMENTATIONS[options.augmentation]
    return Recipe(unfrozen_layers=unfrozen_layers, **values)


def head_recipe_of(options: argparse.Namespace) -> Any:
    """The recipe of the phase of the head alone, None where there is none. Raises ValueError as `recipe_of` does."""
    if not options.head_epochs:
        return None
    if options.probe_views:
        raise ValueError(
            "The head is either fitted to views or trained for epochs: --probe-views 0 or --head-epochs 0."
        )
    return dataclasses.replace(
        recipe_of(options, 0),
        epochs=options.head_epochs,
        learning_rate=options.head_learning_rate or options.learning_rate,
        lower_rate=options.head_lower_rate or options.lower_rate,
        interpolate=False,
    )


def given(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, OptionValue]:
    """The recipe's options that differ from their defaults, by name."""
    named = {"recipe": options.named_recipe} if options.named_recipe else {}
    values = {name: getattr(options, name) for name in (*_WORDS, *_HEAD_WORDS)}
    return named | {name: value for name, value in values.items() if value != parser.get_default(name)}


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
