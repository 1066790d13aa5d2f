"""The table of `results.md` that sets what was aimed at beside what was reached."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowers_core.reports.ablation import BASE
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table


@dataclass(frozen=True)
class Goal:
    """An aim for one run: at least so much top-1 and per-class accuracy, at most so many megabytes."""

    what: str
    run: str
    precision: str
    top1: float
    per_class: float | None = None
    megabytes: float | None = None


GOALS = (
    Goal("InceptionV3 cut at mixed8, 1020 photos", "inception_v3", "float32", 0.91),
    Goal("EfficientNet-Lite0, 1020 photos", BASE, "int8", 0.91, 0.925, 5.0),
    Goal("EfficientNet-Lite0, 2040 photos", "efficientnet_lite0", "int8", 0.945, None, 4.3),
    Goal("an ensemble, 1020 photos", "ensemble", "float32", 0.94),
    Goal("as small as it goes, 1020 photos", "efficientnet_lite0_small", "int8", 0.88, None, 2.5),
)


def goals_table(records: Sequence[RunRecord]) -> str:
    """Each aim beside what its run reached."""
    by_name = {record.name: record for record in records}
    rows = []
    for goal in GOALS:
        record = by_name.get(goal.run)
        test = record.metrics.get(goal.precision, {}).get("test") if record else None
        wanted = [f"top-1 ≥ {percent(goal.top1)}"]
        if goal.per_class is not None:
            wanted.append(f"per class ≥ {percent(goal.per_class)}")
        if goal.megabytes is not None:
            wanted.append(f"≤ {goal.megabytes:g} MB")
        if record is None or test is None:
            rows.append((goal.what, goal.run, ", ".join(wanted), "—", "—", "—"))
            continue
        megabytes = f"{record.model_bytes[goal.precision] / 1e6:.2f}" if goal.precision in record.model_bytes else "—"
        reached = (percent(test.top1), percent(test.balanced_accuracy), megabytes)
        rows.append((goal.what, f"{goal.run}, {goal.precision}", ", ".join(wanted), *reached))
    return table(("aim", "run", "wanted", "top-1", "per class", "MB"), rows)
