"""The tables of `results.md` on LIME against the `lime` package."""

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.lime import PACKAGE, LimeRecord
from flowers_core.reports.tables import table


def lime_note() -> str:
    """What the tables below it show."""
    return (
        "This project's LIME, and the `lime` package with its defaults (quickshift, 1000 samples) on the same INT8 "
        "model and on Keras' `predict`, in turns (`flowers benchmarks lime`). *Seconds* of one explanation, and *÷ "
        "ours* on the same photo, are medians, the rest means, with 95 % bootstrap intervals over photos. *Deletion* "
        "and *insertion* are as above; *top 5 alike* is the Jaccard index of the five strongest superpixels of two "
        "seeds, each way over its own superpixels."
    )


def lime_sentence(record: LimeRecord) -> str:
    """Where the table was measured, and what it says of ours against the package."""
    how = ", place by place," if record.per_position else ""
    told = (
        f"{record.backends[PACKAGE].photos} photos of the {record.split} split (seed {record.seed}), {record.machine}. "
        f"Ours{how} took {record.samples:.0f} looks in the median; for {100 * record.converged:.0f} % of the photos "
        f"the ranking was settled. Its deletion is lower by {_interval(record.deletion_gain)}"
    )
    if record.stability_gain is not None:
        told += (
            f", and on {record.stability_photos} photos with {record.seeds} seeds each its top 5 are more alike by "
            f"{_interval(record.stability_gain)}"
        )
    return told + "."


def lime_table(record: LimeRecord) -> str:
    """One row a way; "—" for what was not measured of it."""
    rows = [
        (
            name,
            str(way.photos),
            *(
                _interval(figure) if figure else "—"
                for figure in (way.seconds, way.times_ours, way.deletion, way.insertion, way.stability)
            ),
        )
        for name, way in record.backends.items()
    ]
    return table(("LIME", "photos", "seconds", "÷ ours", "deletion", "insertion", "top 5 alike"), rows)


def _interval(figure: Interval) -> str:
    digits = 1 if abs(figure.value) >= 1 else 3
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
