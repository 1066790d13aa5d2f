"""A fine-tuning recipe on the command line: one option for each of its entries, with the recipe's own defaults."""

import argparse
import dataclasses
from typing import Any

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
    "patience": "stop after so many epochs without a better validation accuracy",
    "interpolate": "choose on validation between the probed and the fine-tuned weights",
    "teacher_weight": "share of the teachers' answer in what is learnt",
    "teacher_temperature": "softens the teachers' answer",
    "seed": "of everything drawn at random",
}


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """One option for each entry of a recipe but the number of unfrozen layers."""
    from flowers_core.training.augmentation import AUGMENTATIONS
    from flowers_core.training.recipe import AVERAGES, OPTIMIZERS, SCHEDULES, Recipe

    choices = {
        "augmentation": tuple(AUGMENTATIONS),
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
        "average": AVERAGES,
    }
    group = parser.add_argument_group("fine-tuning", "used with --fine-tune")
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


def recipe_of(options: argparse.Namespace, unfrozen_layers: int) -> Any:
    """The recipe that the options describe. Raises ValueError with a sentence when they make no sense."""
    from flowers_core.training.augmentation import AUGMENTATIONS
    from flowers_core.training.recipe import Recipe

    values = {entry.name: getattr(options, entry.name) for entry in dataclasses.fields(Recipe) if entry.name in _WORDS}
    values["augmentation"] = AUGMENTATIONS[options.augmentation]
    return Recipe(unfrozen_layers=unfrozen_layers, **values)


def told(options: argparse.Namespace, parser: argparse.ArgumentParser) -> str:
    """The recipe's options that differ from their defaults, as they would be typed."""
    words = []
    for name in _WORDS:
        value = getattr(options, name)
        if value == parser.get_default(name):
            continue
        if isinstance(value, bool):
            words.append(_option(name) if value else _option(f"no-{name}"))
        else:
            words.append(f"{_option(name)} {value:g}" if isinstance(value, float) else f"{_option(name)} {value}")
    return " ".join(words)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
