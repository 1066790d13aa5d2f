"""The table of `results.md` that compares what was reached with the targets."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowers_core.reports.ablation import BASE
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import megabytes, percent, table


@dataclass(frozen=True)
class Goal:
    """A target for one run.

    Attributes:
        what: network and training photos, in words.
        run: the run's name.
        numeric_format: of the model that is measured.
        top1, balanced_accuracy: lowest acceptable test accuracy, 0…1; None for no target.
        megabytes: largest acceptable file; None for no target.
    """

    what: str
    run: str
    numeric_format: str
    top1: float
    balanced_accuracy: float | None = None
    megabytes: float | None = None


GOALS = (
    Goal("InceptionV3 cut at mixed8, 1020 photos", "inception_v3", "float32", 0.91),
    Goal("EfficientNet-Lite0, 1020 photos", BASE, "int8", 0.91, 0.925, 5.0),
    Goal("EfficientNet-Lite0, 2040 photos", "efficientnet_lite0", "int8", 0.945, None, 4.3),
    Goal("an ensemble, 1020 photos", "ensemble", "float32", 0.94),
    Goal("smallest model, 1020 photos", "efficientnet_lite0_small", "int8", 0.88, None, 2.5),
)


def goals_table(records: Sequence[RunRecord]) -> str:
    """A row for each target, with what its run reached."""
    by_name = {record.name: record for record in records}
    rows = []
    for goal in GOALS:
        record = by_name.get(goal.run)
        test = record.metrics.get(goal.numeric_format, {}).get("test") if record else None
        targets = [f"top-1 ≥ {percent(goal.top1)}"]
        if goal.balanced_accuracy is not None:
            targets.append(f"balanced accuracy ≥ {percent(goal.balanced_accuracy)}")
        if goal.megabytes is not None:
            targets.append(f"≤ {goal.megabytes:g} MB")
        if record is None or test is None:
            rows.append((goal.what, goal.run, ", ".join(targets), "—", "—", "—"))
            continue
        size = record.model_bytes.get(goal.numeric_format)
        reached = (percent(test.top1), percent(test.balanced_accuracy), "—" if size is None else megabytes(size))
        rows.append((goal.what, f"{goal.run}, {goal.numeric_format}", ", ".join(targets), *reached))
    return table(("goal", "run", "target", "top-1", "balanced accuracy", "MB"), rows)
