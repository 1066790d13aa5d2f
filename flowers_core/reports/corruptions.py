"""The table of `results.md` on corrupted photos."""

from collections.abc import Sequence

from flowers_core.reports.run_records import RunRecord, evaluated
from flowers_core.reports.tables import percent, percent_or_dash, table


def robustness_note() -> str:
    """What the table below it shows."""
    return (
        "Top-1 on photos of a split spoilt in fourteen ways: small in the frame, several, cut off, back light, colour "
        "cast, blur, noise and more (`flowers evaluate --corruptions`); of the test split a sample of ten a class. "
        "*Misleading* is the share of answers that are wrong and given with a calibrated probability of at least 90 %. "
        "Choices were made by the validation rows."
    )


def robustness_table(records: Sequence[RunRecord]) -> str:
    """Mean and worst kind of every precision and split, of the runs that answered the test photos too."""
    rows = [
        (
            record.name,
            precision,
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
        for precision, splits in record.corruptions.items()
        for split, figures in splits.items()
    ]
    return table(("model", "precision", "split", "photos", "mean", "worst", "worst kind", "misleading", "ECE"), rows)
