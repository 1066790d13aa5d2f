"""The table of `results.md` on corrupted photos."""

from collections.abc import Sequence

from flowers_core.reports.run_records import RunRecord, evaluated
from flowers_core.reports.tables import percent, percent_or_dash, table


def corruptions_note() -> str:
    """What the table of corruptions shows."""
    return (
        "Top-1 under fourteen corruptions: small in the frame, several flowers, cut off, back light, colour cast, "
        "blur, noise and more (`flowers evaluate --corruptions`). The test rows are measured on a sample of ten photos "
        "a class. *High-confidence errors* is the fraction of answers that are wrong and have a calibrated probability "
        "of at least 90 %. Choices were made by the validation rows."
    )


def corruptions_table(records: Sequence[RunRecord]) -> str:
    """Mean and worst corruption by numeric format and split, for each run that was evaluated on the test photos."""
    rows = [
        (
            record.name,
            numeric_format,
            split,
            str(figures.photos),
            percent(figures.mean),
            percent(figures.top1[figures.worst]),
            figures.worst,
            percent_or_dash(figures.high_confidence_errors),
            percent_or_dash(figures.ece),
        )
        for record in records
        if any(evaluated(record))
        for numeric_format, splits in record.corruptions.items()
        for split, figures in splits.items()
    ]
    header = (
        "model",
        "format",
        "split",
        "photos",
        "mean",
        "worst",
        "worst corruption",
        "high-confidence errors",
        "ECE",
    )
    return table(header, rows)
