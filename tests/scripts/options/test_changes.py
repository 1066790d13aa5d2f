"""The changes of a recipe, each as `flowers train` understands it."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from flowers_core.inference.commands import option_words
from scripts.options.changes import BASE, CHANGES, applied, needs_bundle
from scripts.options.training import parse_training

LINE = "--backbone efficientnet_lite0 --size 256 --fine-tune 30 --epochs 32 --augmentation wild --learning-rate 0.0006"


def recipe(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", ["train", *words])
    options = parse_training("")
    return {**asdict(options.recipe), "size": options.size}


def test_each_change_changes_what_it_names_and_nothing_else(monkeypatch: pytest.MonkeyPatch):
    base = recipe(monkeypatch, LINE.split())
    changed = {}
    for name, change in CHANGES.items():
        ours = recipe(monkeypatch, [*LINE.split(), *option_words(change)])
        changed[name] = {key for key in base if ours[key] != base[key]}
        assert len(changed[name]) == len(set(change) - {"teacher"}), name
    assert changed["no_label_smoothing"] == {"label_smoothing"}
    assert changed["fewer_unfrozen"] == {"unfrozen_layers"}
    assert changed["larger_input"] == {"size"}
    assert changed["sgd"] == {"optimizer", "learning_rate"}


def test_the_bundle_that_is_varied_stands_for_itself():
    assert needs_bundle("taught_by_itself")
    assert not needs_bundle("sgd")
    assert applied("taught_by_itself", Path("models/a")) == {"teacher": ("models/a",), "teacher_weight": 0.5}
    assert applied("sgd", Path("models/a")) == CHANGES["sgd"]
    assert CHANGES["taught_by_itself"]["teacher"] == (BASE,)
