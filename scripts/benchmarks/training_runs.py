"""The runs that `flowers benchmarks training` compares, each in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from flowers_core.storage.events import Event, read_events

_ROOT = Path(__file__).resolve().parents[2]


def run_module(words: Sequence[str], events: Path) -> tuple[list[Event], float]:
    """Run a module that notes what it does; leave with its exit code where it fails.

    Args:
        words: the module and its words.
        events: the file for its notes.

    Returns:
        The notes, in seconds since the process began, and the seconds that it took in all.
    """
    begun = time.time()
    done = subprocess.run([sys.executable, "-m", *words, "--events", str(events)], cwd=_ROOT, check=False)
    seconds = time.time() - begun
    if done.returncode:
        sys.exit(done.returncode)
    return [replace(event, at=event.at - begun) for event in read_events(events)], seconds


def run_plain_fit(line: Sequence[str], folders: Sequence[str], epochs: int) -> dict[str, Any]:
    """Time epochs of plain `model.fit` and print them.

    Args:
        line: the options of the recipe.
        folders: the options that name the data set and the weights.
        epochs: of each phase.

    Returns:
        `phases`: seconds of each epoch's `training` and `validation`, by phase; `start`: seconds until it began.
    """
    begun = time.time()
    words = ["scripts.benchmarks.plain_fit", *line, *folders, "--timed-epochs", str(epochs)]
    done = subprocess.run([sys.executable, "-m", *words], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for phase, timed in found["phases"].items():
        each = ", ".join(f"{epoch['training']:.1f} + {epoch['validation']:.1f} s" for epoch in timed)
        print(f"plain fit, an epoch of the {phase} and its validation: {each}", flush=True)
    return found | {"start": found["ready_at"] - begun}


def mean_epoch(runs: Sequence[Sequence[Mapping[str, float]]]) -> dict[str, float]:
    """Mean seconds of an epoch's training and validation, over the epochs of all runs."""
    epochs = [epoch for run in runs for epoch in run]
    return {part: float(np.mean([epoch[part] for epoch in epochs])) for part in ("training", "validation")}
