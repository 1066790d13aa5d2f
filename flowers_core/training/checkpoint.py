"""A run's state after an epoch, in one file that is written atomically."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flowers_core.errors import FlowersError
from flowers_core.storage.files import write_npz
from flowers_core.training.averaging import Weights

FILE_NAME = "checkpoint.npz"
_ARRAYS = ("weights", "averaged", "begin", "kept", "optimizer")


class CheckpointError(FlowersError):
    """A checkpoint that this run cannot resume; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that changes during a run, and the settings of the run.

    Attributes:
        settings: see `bookkeeping.settings_of`.
        epoch: epochs done.
        history: one record an epoch.
        probe: the record of the first head, or None for a random one.
        averaged_count: how many sets of weights the average over epochs holds.
        best_epoch: counted from 1.
        weights: after `epoch` epochs.
        averaged: their average.
        begin: before the first epoch.
        kept: those that the run would end with.
        optimizer: the optimizers' own variables, step counts included.
    """

    settings: dict[str, Any]
    epoch: int
    history: list[dict[str, Any]]
    probe: dict[str, Any] | None
    averaged_count: int
    best_epoch: int
    weights: Weights = field(default_factory=list)
    averaged: Weights = field(default_factory=list)
    begin: Weights = field(default_factory=list)
    kept: Weights = field(default_factory=list)
    optimizer: Weights = field(default_factory=list)


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint atomically.

    Args:
        folder: of the run.
        checkpoint: its present state.
    """
    arrays = {f"{name}_{i}": array for name in _ARRAYS for i, array in enumerate(getattr(checkpoint, name))}
    plain = {k: v for k, v in vars(checkpoint).items() if k not in _ARRAYS}
    plain["counts"] = {name: len(getattr(checkpoint, name)) for name in _ARRAYS}
    text = np.array(json.dumps(plain))
    write_npz(folder / FILE_NAME, state=text, **arrays)


def load_checkpoint(
    folder: Path, settings: dict[str, Any], defaults: Mapping[str, Any] | None = None
) -> Checkpoint | None:
    """The folder's checkpoint, or None where there is none.

    Args:
        folder: of the run.
        settings: that the checkpoint must have been written with.
        defaults: values of the settings that older checkpoints lack.

    Raises:
        CheckpointError: it is damaged, or belongs to a run with other settings; the message names what differs.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            plain: dict[str, Any] = json.loads(str(stored["state"]))
            counts = plain.pop("counts")
            arrays: dict[str, Any] = {name: [stored[f"{name}_{i}"] for i in range(counts[name])] for name in _ARRAYS}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is damaged ({error}); delete it to start the run anew.") from error
    expected = json.loads(json.dumps(settings))
    found = _completed(plain["settings"], json.loads(json.dumps(defaults or {})))
    differing = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    if differing:
        raise CheckpointError(
            f"{folder} holds a run with other settings ({', '.join(differing)}). "
            "Give this run another name, or delete that folder to start anew."
        )
    return Checkpoint(**plain, **arrays)


def _completed(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Values, with defaults for the missing ones, also in nested dicts."""
    inner = {
        key: _completed(values[key], default)
        for key, default in defaults.items()
        if isinstance(default, dict) and isinstance(values.get(key), dict)
    }
    return {**defaults, **values, **inner}
