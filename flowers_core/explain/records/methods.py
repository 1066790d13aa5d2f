"""What an evaluation of the explanations found, as a bundle keeps it, and the method that it makes the default."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flowers_core.errors import FlowersError
from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.scorecard import BASELINES, Figure

EXPLANATIONS_FILE = "explanations.json"
#: Seconds in which a map must be there to stand beside the answer unasked.
AT_ONCE = 0.2
#: A map whose rank correlation with that of a model with a shuffled head is above this hardly depends on the model.
INSANE = 0.8


class MethodRecordError(FlowersError):
    """A record of an evaluation that cannot be read; the message says why."""


@dataclass(frozen=True, eq=False)
class MethodRecord:
    """Methods against each other on a model's photos.

    photos: how many, of the test split. seed: what drew them. figures: method or baseline → figure → mean and 95 %
    interval, as `scorecard` has them. sanity: method → rank correlation of its map with that of the same model with its
    head shuffled (Adebayo et al. 2018, arXiv 1810.03292), −1…1: near 1, the map does not depend on what was learnt.
    """

    photos: int
    seed: int
    figures: Mapping[str, Mapping[str, Figure]]
    sanity: Mapping[str, float]

    def gap(self, name: str) -> float:
        """Insertion less deletion, −1…1: how much of what the model needs the map puts first."""
        return self.figures[name]["insertion"].mean - self.figures[name]["deletion"].mean

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that were evaluated, the widest gap first."""
        return tuple(sorted((name for name in self.figures if name in METHODS), key=self.gap, reverse=True))


def save_methods(record: MethodRecord, path: Path) -> None:
    """Write a record as JSON."""
    path.write_text(json.dumps(asdict(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def load_methods(path: Path) -> MethodRecord:
    """Read a record. Raises MethodRecordError where it is none."""
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        figures = {
            method: {name: Figure(**value) for name, value in rows.items()}
            for method, rows in stored["figures"].items()
        }
        sanity = {name: float(value) for name, value in stored["sanity"].items()}
        return MethodRecord(int(stored["photos"]), int(stored["seed"]), figures, sanity)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise MethodRecordError(f"{path} is no record of evaluated explanations: {error}.") from error


def default_method(record: MethodRecord | None, among: Sequence[str] = tuple(METHODS)) -> str:
    """The method whose map stands beside the answer unasked.

    Of the methods that are there at once (`AT_ONCE` seconds on average, and no TensorFlow), follow what the model
    learnt (`INSANE`) and beat a map of the middle at deletion and at insertion, the one with the widest gap. Where none
    is left, or nothing was evaluated, the closed form, which is exact about the logit whatever it is worth.
    """
    if record is None:
        return "cam"
    fit = [name for name in record.methods if name in among and _fit(record, name)]
    return fit[0] if fit else "cam"


def _fit(record: MethodRecord, name: str) -> bool:
    own, centre = record.figures[name], record.figures.get("centre")
    return (
        not METHODS[name].keras
        and own["seconds"].mean <= AT_ONCE
        and record.sanity.get(name, 0.0) <= INSANE
        and centre is not None
        and own["deletion"].mean < centre["deletion"].mean
        and own["insertion"].mean > centre["insertion"].mean
    )


def default_sentence(record: MethodRecord) -> str:
    """Why the default is the default, and what a slower method would give."""
    chosen = default_method(record)
    # A method that hardly minds what the model learnt is no answer to “why”, however well it scores.
    first = next((name for name in record.methods if record.sanity.get(name, 0.0) <= INSANE), chosen)
    told = (
        f"On {record.photos} test photos {METHODS[chosen].title} is the best of the methods that are there at once: "
        f"insertion less deletion is {record.gap(chosen):.2f}, {record.gap('centre'):.2f} for a map of the middle and "
        f"{record.gap('random'):.2f} for random maps."
        if _fit(record, chosen) and set(BASELINES) <= set(record.figures)
        else f"{METHODS[chosen].title} is shown first because it is there at once and exact about the logit. On "
        f"{record.photos} test photos its insertion less deletion is {record.gap(chosen):.2f}{_middle(record)}: no "
        "method that is there at once beat the middle of the photo at both."
    )
    if first != chosen:
        seconds = record.figures[first]["seconds"].mean
        told += f" {METHODS[first].title} reaches {record.gap(first):.2f} in {seconds:.1f} s."
    return told


def _middle(record: MethodRecord) -> str:
    return f", that of a map of the middle {record.gap('centre'):.2f}" if "centre" in record.figures else ""
