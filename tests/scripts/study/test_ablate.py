"""`flowers study ablate`: which runs are made, and what is kept of them."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.inference.bundle import BundleError
from flowers_core.inference.commands import option_words
from flowers_core.reports.run_records import RunRecord, save_record
from scripts.options.changes import CHANGES
from scripts.study import ablate
from tests.fixtures.manifests import training

LINE = "--backbone efficientnet_lite0 --size 256 --fine-tune 30 --epochs 32 --augmentation wild --learning-rate 0.0006"


def record(command: str) -> RunRecord:
    return RunRecord("base", "efficientnet_lite0", training(command), metrics={})


def test_a_run_keeps_the_recipe_and_not_the_name_nor_the_seed():
    made = record(f"python -m scripts.train {LINE} --seed 3 --out models/base")
    assert option_words(ablate._options_of(made)) == LINE.split()
    assert ablate._name(made, "sgd") == "base_sgd"
    assert ablate._name(made, "sgd", 2) == "base_sgd_seed_2"
    assert ablate._name(made, "none", 2) == "base_seed_2"
    with pytest.raises(BundleError, match="nothing to vary"):
        ablate._options_of(record("python -m scripts.join base one two"))


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The lines that would have been run: what they do is tested with each script."""
    calls: list[list[str]] = []
    monkeypatch.setattr(ablate, "_call", lambda *words: calls.append(list(words)))
    monkeypatch.setattr(ablate.shutil, "rmtree", lambda _folder: None)
    return calls


def test_of_a_run_that_is_not_shipped_the_record_will_do(tmp_path, monkeypatch, called):
    """Recipe and change with every seed, but what is on record, and the base itself."""
    for name in ("base", "base_sgd_seed_1"):
        save_record(replace(record(f"python -m scripts.train {LINE} --out models/base"), name=name), tmp_path)
    words = ["--changes", "none", "sgd", "--seeds", "0", "1", "--models", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["ablate", str(tmp_path / "base"), *words])
    ablate.main()
    trained = [words for words in called if words[0] == "train"]
    assert [Path(words[words.index("--out") + 1]).name for words in trained] == ["base_sgd", "base_seed_1"]
    assert [words[words.index("--out") - 1] for words in trained] == ["0", "1"]
    assert trained[0][1:15] == [*LINE.replace("0.0006", "0.01").split(), "--optimizer", "sgd"]
    assert all(importlib.util.find_spec(f"scripts.{words[0]}") for words in called)
    assert [words[0] for words in called] == 2 * ["train", "quantize", "evaluate", "study.keep_record"]


def test_a_record_cannot_teach(tmp_path, monkeypatch, called, capsys):
    """Asked for by name that is an error; of all changes the others are made."""
    save_record(record(f"python -m scripts.train {LINE} --out models/base"), tmp_path)
    words = ["ablate", str(tmp_path / "base"), "--models", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*words, "--changes", "taught_by_itself"])
    with pytest.raises(BundleError, match="make the bundle first"):
        ablate.main()
    assert called == []
    monkeypatch.setattr(sys, "argv", words)
    ablate.main()
    trained = [words for words in called if words[0] == "train"]
    assert len(trained) == len(CHANGES) - 2  # nor the base as it is
    teachers = {words[place + 1] for words in trained for place, word in enumerate(words) if word == "--teacher"}
    assert teachers == {"efficientnet_lite0_small", "inception_v3"}
    assert "taught_by_itself: of 'base' only the record is here" in capsys.readouterr().out


def test_what_is_neither_bundle_nor_record_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ablate", str(tmp_path / "absent"), "--models", str(tmp_path)])
    with pytest.raises(BundleError, match="absent"):
        ablate.main()
