"""Training speed: how long a first good model takes, compared with plain `model.fit`. The record and its table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowers_core.errors import FlowersError
from flowers_core.reports.tables import percent, table
from flowers_core.storage.events import Event
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import read_record, to_json

TRAINING_SPEED_FILE = "training_speed.json"
#: The targets: most minutes to a first model above the published best, and least ratio of plain fit's time to ours.
TARGET_MINUTES, TARGET_RATIO = 10, 8
# The steps before the first phase, by the titles of their progress.
_PREPARED = {"photos decoded": "photos", "views": "views"}
_PHASES = {"head": "head warm-up on cached features", "tail": "fine-tuning of the unfrozen tail"}


class TrainingSpeedError(FlowersError):
    """A record of training speed that cannot be used; the message says why."""


@dataclass(frozen=True)
class TrainingSpeed:
    """One run of the project's own training from an empty cache, and epochs of plain `model.fit` before and after it.

    Attributes:
        machine: where it was timed.
        command: the line that was timed.
        bar: validation accuracy, 0…1, that the first good model exceeds.
        epochs: of each phase.
        first: phase, epoch and validation accuracy of the first model above the bar.
        seconds: from the start of the process to "photos" (imported, built, decoded), "views" (through the frozen
            layers), "first" (the first model above the bar), "head" and "tail" (the ends of the phases) and "end"
            (bundle written, process over).
        phase_seconds: of all epochs of each phase.
        plain: seconds of one plain epoch of each phase, "training" and "validation" apart; the mean of `plain_epochs`.
        plain_start: seconds from the start of the process of plain fit to its first step.
        plain_epochs: how many plain epochs of each phase were timed.
        validation: best accuracy of each phase, 0…1.
        test: "top1" and "per_class" (balanced accuracy) on the test photos after each phase, 0…1; not timed.
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
        """The seconds that plain fit needs for all epochs of a phase.

        Args:
            phase: "head" or "tail".
            validating: whether each epoch also validates.
        """
        epoch = self.plain[phase]
        return self.epochs[phase] * (epoch["training"] + (epoch["validation"] if validating else 0.0))

    def ratio(self, phase: str | None = None, *, validating: bool) -> float:
        """How many times as long plain fit takes.

        Args:
            phase: "head" or "tail" for its epochs alone; None for everything from start to end.
            validating: whether each epoch of plain fit also validates.
        """
        if phase is not None:
            return self.plain_seconds(phase, validating=validating) / self.phase_seconds[phase]
        plain = self.plain_start + sum(self.plain_seconds(name, validating=validating) for name in self.epochs)
        return plain / self.seconds["end"]


def timings(events: Iterable[Event], seconds: float, bar: float) -> dict[str, Any]:
    """The attributes of TrainingSpeed that a run's events give.

    Args:
        events: with the seconds since the run's process began.
        seconds: when that process was over.
        bar: validation accuracy, 0…1, that the first good model exceeds.

    Raises:
        TrainingSpeedError: no epoch was above the bar.
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
        raise TrainingSpeedError(f"No epoch had a validation accuracy of more than {bar:.4f}; the best was {best:.4f}.")
    return {
        "epochs": epochs,
        "first": first,
        "seconds": {name: round(at, 2) for name, at in (ends | {"end": seconds}).items()},
        "phase_seconds": {phase: round(ends[phase] - at, 2) for phase, at in begins.items()},
        "validation": validation,
    }


def save_training_speed(speed: TrainingSpeed, models_dir: Path) -> Path:
    """Write a record and return its path.

    Args:
        speed: the record.
        models_dir: the models folder that it goes into.
    """
    path = models_dir / TRAINING_SPEED_FILE
    write_json(path, to_json(speed))
    return path


def load_training_speed(models_dir: Path) -> TrainingSpeed | None:
    """The record in a models folder, or None. Raises TrainingSpeedError if the file is not a record."""
    path = models_dir / TRAINING_SPEED_FILE
    if not path.is_file():
        return None
    return read_record(TrainingSpeed, path, "training speed", TrainingSpeedError)


def training_speed_text(speed: TrainingSpeed) -> str:
    """The section of `results.md`: when the first good model was ready, and a row for each step."""
    first, seconds = speed.first, speed.seconds
    reached = "; ".join(
        f"after {_PHASES[phase]} {percent(speed.validation[phase])} on validation, {percent(figures['top1'])} on test "
        f"(balanced accuracy {percent(figures['per_class'])})"
        for phase, figures in speed.test.items()
    )
    summary = (
        f"Measured on {speed.machine}, with an empty cache and from the start of the process. The first model with a "
        f"validation accuracy above {percent(speed.bar)} %, the best published test accuracy, is ready after "
        f"**{seconds['first'] / 60:.1f} minutes** ({percent(first['validation_top1'])} after epoch {first['epoch']} of "
        f"{_PHASES[first['phase']]}; target: at most {TARGET_MINUTES} minutes). The whole recipe takes "
        f"{seconds['end'] / 60:.1f} minutes. Top-1: {reached}."
    )
    note = (
        "*Plain fit* is Keras' `model.fit` over as many epochs of the same network at the same size, with the same "
        "layers unfrozen, the same batches, and augmentation of the same kind. There, tf.data decodes each JPEG in "
        f"every epoch, and the whole network computes it. {speed.plain_epochs} of its epochs were timed for each "
        "phase, half of them before and half after our run, without TensorFlow's tracing, and scaled to the number of "
        "epochs. Ours validates after every epoch; plain fit is given without validation and with it. Target: at least "
        f"{TARGET_RATIO} times as long."
    )
    # Older records hold the line that runs the module.
    command = speed.command.replace("python -m scripts.", "flowers ", 1)
    return f"{summary}\n\n{_rows(speed)}\n\n{note}\n\nCommand: `{command}`"


def _rows(speed: TrainingSpeed) -> str:
    seconds = speed.seconds
    rows = [
        ("start, photos decoded", "—", f"{seconds['photos']:.0f}", f"{speed.plain_start:.0f}", "—", "—", "—"),
        (
            "augmented views through the frozen layers",
            "—",
            f"{seconds['views'] - seconds['photos']:.0f}",
            "—",
            "—",
            "—",
            "—",
        ),
    ]
    for phase, name in _PHASES.items():
        rows.append(
            (
                name,
                str(speed.epochs[phase]),
                f"{speed.phase_seconds[phase]:.0f}",
                *_compared(
                    *(speed.plain_seconds(phase, validating=validating) for validating in (False, True)),
                    *(speed.ratio(phase, validating=validating) for validating in (False, True)),
                ),
            )
        )
    whole = (speed.plain_start + sum(speed.plain_seconds(p, validating=v) for p in speed.epochs) for v in (False, True))
    ratios = (speed.ratio(validating=validating) for validating in (False, True))
    rows.append(
        ("from start to end", str(sum(speed.epochs.values())), f"{seconds['end']:.0f}", *_compared(*whole, *ratios))
    )
    header = ("step", "epochs", "s", "plain fit, s", "ratio", "with validation, s", "ratio, with validation")
    return table(header, rows)


def _compared(plain: float, validating: float, ratio: float, ratio_validating: float) -> tuple[str, str, str, str]:
    return f"{plain:.0f}", f"{ratio:.1f}", f"{validating:.0f}", f"{ratio_validating:.1f}"
