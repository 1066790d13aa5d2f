"""A fine-tuning recipe on the command line: one option for each of its entries, with the recipe's own defaults.

`--recipe NAME` gives other defaults, and `--head-epochs` puts a phase before it in which the head alone learns.
"""

import argparse
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowers_core.inference.commands import OptionValue

if TYPE_CHECKING:
    from flowers_core.training.recipe import Recipe

#: What may be given for a run that is otherwise repeated as it was.
REPEATED_WITH = ("augmentation", "epochs", "views")
_HEAD_WORDS = {
    "head_epochs": "epochs of the head alone on frozen features, from a random start; goes with --probe-views 0",
    "head_learning_rate": "its highest learning rate meanwhile; 0 for --learning-rate",
    "head_lower_rate": "its lowest, likewise",
}


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """One option for each entry of a recipe but the number of unfrozen layers."""
    from flowers_core.training.augmentation import AUGMENTATIONS, FORMER_NAMES
    from flowers_core.training.recipe import Recipe, entries
    from flowers_core.training.recipes import RECIPES

    group = parser.add_argument_group("fine-tuning", "used with --fine-tune")
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        dest="named_recipe",
        help="take what is not given here from this recipe, whose --fine-tune depends on the backbone",
    )
    defaults = {field.name: field.default for field in dataclasses.fields(Recipe)}
    for name, entry in entries().items():
        if name == "unfrozen_layers":
            continue
        default: Any = "crops" if name == "augmentation" else defaults[name]
        if default is dataclasses.MISSING:
            default = 24
        kind: dict[str, Any] = {"type": int if default is None else type(default)}
        if isinstance(default, bool):
            kind = {"action": argparse.BooleanOptionalAction}
        elif name == "augmentation":
            kind = {"choices": tuple(AUGMENTATIONS), "type": lambda word: FORMER_NAMES.get(word, word)}
        elif entry.choices:
            kind = {"choices": entry.choices}
        group.add_argument(_option(name), default=default, help=f"{entry.help} (default: {default})", **kind)
    for name, words in _HEAD_WORDS.items():
        number: int | float = 0 if name == "head_epochs" else 0.0
        group.add_argument(_option(name), default=number, type=type(number), help=f"{words} (default: {number})")


def parse_with_recipe(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line; what was not typed comes from the recipe that it names, if any."""
    options = parser.parse_args()
    if options.named_recipe:
        from flowers_core.training.recipes import RECIPES

        parser.set_defaults(**RECIPES[options.named_recipe](options.backbone))
        options = parser.parse_args()
    return options


def recipe_of(options: argparse.Namespace, unfrozen_layers: int) -> "Recipe":
    """The recipe that the options describe.

    Args:
        options: of `add_recipe_options`, parsed.
        unfrozen_layers: how many layers, from the end, are fine-tuned.

    Raises:
        RecipeError: when they make no sense.
    """
    from flowers_core.training.augmentation import AUGMENTATIONS
    from flowers_core.training.recipe import Recipe, entries

    values = {name: getattr(options, name) for name in entries() if name != "unfrozen_layers"}
    values["augmentation"] = AUGMENTATIONS[options.augmentation]
    return Recipe(unfrozen_layers=unfrozen_layers, **values)


def changed(recipe: "Recipe", given: Mapping[str, OptionValue]) -> "Recipe":
    """The recipe of a run that is repeated, with the entries that may be given anew (`REPEATED_WITH`).

    Args:
        recipe: of the run.
        given: the options that were typed, by name.

    Raises:
        RecipeError: they do not fit the rest of the recipe.
    """
    from flowers_core.training.augmentation import AUGMENTATIONS

    values: dict[str, Any] = {name: value for name, value in given.items() if name in REPEATED_WITH}
    if "augmentation" in values:
        values["augmentation"] = AUGMENTATIONS[values["augmentation"]]
    return dataclasses.replace(recipe, **values)


def head_recipe_of(options: argparse.Namespace) -> "Recipe | None":
    """The recipe of the phase of the head alone, None where there is none. Raises RecipeError as `recipe_of` does."""
    if not options.head_epochs:
        return None
    if options.probe_views:
        from flowers_core.training.recipe import RecipeError

        raise RecipeError(
            "The head is either fitted to views or trained for epochs: --probe-views 0 or --head-epochs 0."
        )
    return dataclasses.replace(
        recipe_of(options, 0),
        epochs=options.head_epochs,
        learning_rate=options.head_learning_rate or options.learning_rate,
        lower_rate=options.head_lower_rate or options.lower_rate,
        interpolate=False,
        lwf_weight=0.0,
        l2_sp=0.0,
    )


def given(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, OptionValue]:
    """The recipe's options that differ from their defaults, by name.

    Args:
        options: parsed.
        parser: that parsed them.
    """
    from flowers_core.training.recipe import entries

    names = (*(name for name in entries() if name != "unfrozen_layers"), *_HEAD_WORDS)
    named = {"recipe": options.named_recipe} if options.named_recipe else {}
    values = {name: getattr(options, name) for name in names}
    return named | {name: value for name, value in values.items() if value != parser.get_default(name)}


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
