"""The table of `results.md` on the training photos that decide."""

from collections.abc import Sequence

from flowers_core.explain.metrics.interval import Interval
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table


def representers_note() -> str:
    """What the table of representer points shows, and the targets."""
    return (
        "Each logit as a sum over the training photos (`flowers evaluate_representers`; Yeh et al. 2018, arXiv "
        "1811.09720). *Agreement* is the fraction of all test photos with the shipped head's answer; target ≥ 99.9. "
        "*Error* is the largest difference of a sum from the shipped logit; target ≤ 0.001. *Datamodelling* is the "
        "rank correlation between what heads fitted to random halves of the training photos answer and what the "
        "shares foretell (Park et al. 2023, arXiv 2303.14186); target ≥ 0.5. *Fall* is by how much of itself the "
        "logit falls, in per cent, when the photos that speak most for it are taken out and the head is fitted anew, "
        "*random* the same for random photos of the class; target: 5 times as far. That target is missed: after "
        "training the photos of a class are so alike to the head that each teaches it nearly the same, and where a "
        "class has ten photos, the ten that speak most for it are all of them. The coordinates were "
        "chosen after others had been tried on test photos of efficientnet_lite0, so its row is no independent test of "
        "the choice. Means with 95 % bootstrap intervals."
    )


def representers_table(records: Sequence[RunRecord]) -> str:
    """A row for each model that was measured; "" where none was."""
    rows = [
        (
            record.name,
            str(found.training_photos),
            percent(found.agreement),
            f"{found.largest_error:.0e}",
            _interval(found.datamodelling, 1, 3),
            _interval(found.fall, 100, 1),
            _interval(found.random_fall, 100, 1),
            f"{found.times_random:.2f}",
            f"{found.milliseconds:.1f}",
        )
        for record in records
        if (found := record.representers) is not None
    ]
    header = (
        *("model", "training photos", "agreement", "error", "datamodelling"),
        *("fall", "random", "× random", "ms"),
    )
    return table(header, rows) if rows else ""


def _interval(figure: Interval, scale: float, digits: int) -> str:
    value, low, high = (scale * end for end in (figure.value, figure.low, figure.high))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
