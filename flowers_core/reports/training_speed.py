"""How long training takes from nothing to a good model, beside plain `model.fit`: the record and its table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowers_core.errors import FlowersError
from flowers_core.reports.tables import percent, table
from flowers_core.storage.events import Event
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import JsonValueError, from_json, read_json, to_json

TRAINING_SPEED_FILE = "training_speed.json"
#: Minutes in which a first model above the published best is wanted, and how many times as long plain fit is to take.
WANTED_MINUTES, WANTED_RATIO = 10, 8
# What is prepared before the first phase, by the titles of its progress.
_PREPARED = {"photos decoded": "photos", "views": "views"}
_PHASES = {"head": "the head on cached features", "tail": "the unfrozen tail"}


class TrainingSpeedError(FlowersError):
    """A record of training speed that cannot be used; the message says why."""


@dataclass(frozen=True)
class TrainingSpeed:
    """One run of the project's own training from an empty cache, and epochs of plain `model.fit` around it.

    machine, command: where, and the line that was timed. bar: share of validation photos that the first model is to
    exceed. epochs: of each phase. first: phase, epoch and validation accuracy of the first model above the bar.
    seconds: from the start of the process to "photos" (imported, built, decoded), "views" (through the frozen part),
    "first" (the first model above the bar), "head" and "tail" (the ends of the phases) and "end" (written, process
    over). phase_seconds: of each phase's epochs. plain: of one plain epoch of each phase, "training" and "validation"
    apart, the mean of `plain_epochs` that were timed; "start" is from the process's start to its first step.
    test: top-1 and per-class accuracy on the test photos after each phase, read outside the clock.
    """

    machine: str
    command: str
    bar: float
    epochs: Mapping[str, int]
    first: Mapping[str, Any]
    seconds: Mapping[str, float]
    phase_seconds: Mapping[str, float]
    plain: Mapping[str, Mapping[str, float]]
    plain_start: float
    plain_epochs: int
    validation: Mapping[str, float]
    test: Mapping[str, Mapping[str, float]]

    def plain_seconds(self, phase: str, *, validating: bool) -> float:
        """What plain fit would take for a phase's epochs, with or without a look at the validation photos in each."""
        epoch = self.plain[phase]
        return self.epochs[phase] * (epoch["training"] + (epoch["validation"] if validating else 0.0))

    def ratio(self, phase: str | None = None, *, validating: bool) -> float:
        """How many times as long plain fit takes: for a phase's epochs alone, or for everything from start to end."""
        if phase is not None:
            return self.plain_seconds(phase, validating=validating) / self.phase_seconds[phase]
        plain = self.plain_start + sum(self.plain_seconds(name, validating=validating) for name in self.epochs)
        return plain / self.seconds["end"]


def timings(events: Iterable[Event], seconds: float, bar: float) -> dict[str, Any]:
    """What a run's events say of its speed: the entries of TrainingSpeed that come from them.

    Args:
        events: with the seconds since the run's process began.
        seconds: when that process was over.
        bar: validation accuracy that the first good model is above.

    Raises:
        TrainingSpeedError: when no epoch was above the bar.
    """
    ends: dict[str, float] = {}
    begins: dict[str, float] = {}
    epochs: dict[str, int] = {}
    validation: dict[str, float] = {}
    first: dict[str, Any] | None = None
    for event in events:
        phase, accuracy = event.phase or "", event.validation_top1
        if event.kind == "progress" and event.title in _PREPARED:
            ends[_PREPARED[event.title]] = event.at
        elif event.kind == "phase begins":
            begins[phase] = event.at
        elif event.kind == "phase ends":
            ends[phase] = event.at
        elif event.kind == "epoch" and accuracy is not None:
            epochs[phase] = event.total or 0
            validation[phase] = max(validation.get(phase, 0.0), accuracy)
            if first is None and accuracy > bar:
                first = {"phase": phase, "epoch": event.done, "validation_top1": accuracy}
                ends["first"] = event.at
    if first is None:
        best = max(validation.values(), default=0.0)
        raise TrainingSpeedError(f"No epoch named more than {bar:.4f} of the validation photos; the best: {best:.4f}.")
    return {
        "epochs": epochs,
        "first": first,
        "seconds": {name: round(at, 2) for name, at in (ends | {"end": seconds}).items()},
        "phase_seconds": {phase: round(ends[phase] - at, 2) for phase, at in begins.items()},
        "validation": validation,
    }


def save_training_speed(speed: TrainingSpeed, models_dir: Path) -> Path:
    """Write the record into a models folder and return its path."""
    path = models_dir / TRAINING_SPEED_FILE
    write_json(path, to_json(speed))
    return path


def load_training_speed(models_dir: Path) -> TrainingSpeed | None:
    """The record in a models folder; None where there is none. Raises TrainingSpeedError where it is not one."""
    path = models_dir / TRAINING_SPEED_FILE
    if not path.is_file():
        return None
    try:
        return from_json(TrainingSpeed, read_json(path))
    except JsonValueError as error:
        raise TrainingSpeedError(f"{path} is not a record of training speed: {error}") from error


def training_speed_text(speed: TrainingSpeed) -> str:
    """The section of `results.md`: when the first good model was there, and a row for each part of the way."""
    first, seconds = speed.first, speed.seconds
    reached = "; ".join(
        f"after {_PHASES[phase]} {percent(speed.validation[phase])} on validation, {percent(figures['top1'])} on test "
        f"({percent(figures['per_class'])} per class)"
        for phase, figures in speed.test.items()
    )
    told = (
        f"From nothing, with an empty cache and the start of the process counted, on {speed.machine}: the first model "
        f"above {percent(speed.bar)} % of the validation photos, the best figure published on test photos, is there "
        f"after **{seconds['first'] / 60:.1f} minutes** ({percent(first['validation_top1'])} after epoch "
        f"{first['epoch']} of {_PHASES[first['phase']]}; wanted: at most {WANTED_MINUTES} minutes), the whole recipe "
        f"after {seconds['end'] / 60:.1f}. Top-1: {reached}."
    )
    note = (
        "*Plain fit* is Keras' `model.fit` over as many epochs of the same network at the same size, with the same "
        "layers unfrozen, the same batches, and augmentation of the same kind: tf.data decodes each JPEG in every "
        f"epoch, and the whole network computes it. {speed.plain_epochs} of its epochs were timed for each phase, half "
        "of them before and half after our run, once TensorFlow had traced, and scaled to the number of epochs. Ours "
        "looks at the validation photos after every epoch; plain fit is given without that, and with it. Wanted: at "
        f"least {WANTED_RATIO} times as long."
    )
    return f"{told}\n\n{_rows(speed)}\n\n{note}\n\nThe line: `{speed.command}`"


def _rows(speed: TrainingSpeed) -> str:
    seconds = speed.seconds
    rows = [
        ("start, photos decoded", "—", f"{seconds['photos']:.0f}", f"{speed.plain_start:.0f}", "—", "—", "—"),
        ("views through the frozen part", "—", f"{seconds['views'] - seconds['photos']:.0f}", "—", "—", "—", "—"),
    ]
    for phase, name in _PHASES.items():
        rows.append(
            (
                name,
                str(speed.epochs[phase]),
                f"{speed.phase_seconds[phase]:.0f}",
                *_beside(
                    *(speed.plain_seconds(phase, validating=validating) for validating in (False, True)),
                    *(speed.ratio(phase, validating=validating) for validating in (False, True)),
                ),
            )
        )
    whole = (speed.plain_start + sum(speed.plain_seconds(p, validating=v) for p in speed.epochs) for v in (False, True))
    ratios = (speed.ratio(validating=validating) for validating in (False, True))
    rows.append(
        ("from start to end", str(sum(speed.epochs.values())), f"{seconds['end']:.0f}", *_beside(*whole, *ratios))
    )
    return table(("part", "epochs", "s", "plain fit, s", "ratio", "validating, s", "ratio, validating"), rows)


def _beside(plain: float, validating: float, ratio: float, ratio_validating: float) -> tuple[str, str, str, str]:
    return f"{plain:.0f}", f"{ratio:.1f}", f"{validating:.0f}", f"{ratio_validating:.1f}"
