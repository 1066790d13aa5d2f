"""The changes of `scripts.ablate`, each as `scripts.train` understands it."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from flowers_core.bundle import Bundle, BundleError
from flowers_core.photos import CropRule
from scripts import ablate, train

LINE = "--backbone efficientnet_lite0 --size 256 --fine-tune 30 --epochs 32 --augmentation wild --learning-rate 6e-4"


def bundle(command: str) -> Bundle:
    manifest = {"name": "base", "classes": ["rose"], "input": CropRule(256).to_json(), "training": {"command": command}}
    return Bundle(Path("base"), manifest)


def recipe(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", ["train", *words])
    return asdict(train._parse().recipe)


def test_a_run_keeps_the_recipe_and_not_the_name():
    made = bundle(f"python -m scripts.train {LINE} --out models/base")
    assert ablate._line_of(made) == LINE.split()
    assert ablate._name(made, "sgd") == "base_sgd"
    with pytest.raises(BundleError, match="nothing to vary"):
        ablate._line_of(bundle("python -m scripts.make_soup base one two"))


def test_each_change_changes_what_it_names_and_nothing_else(monkeypatch: pytest.MonkeyPatch):
    base = recipe(monkeypatch, LINE.split())
    changed = {}
    for name, words in ablate.CHANGES.items():
        options = {word for word in shlex.split(words) if word.startswith("--")}
        ours = recipe(monkeypatch, [*LINE.split(), *shlex.split(words)])
        changed[name] = {key for key in base if ours[key] != base[key]}
        assert len(changed[name]) == len(options - {"--teacher"}), name
    assert changed["no_label_smoothing"] == {"label_smoothing"}
    assert changed["fewer_unfrozen"] == {"unfrozen_layers"}
    assert changed["sgd"] == {"optimizer", "learning_rate"}
