"""The table of `results.md` on several photos of one plant."""

from collections.abc import Sequence

from flowers_core.inference.several_photos import STRAY
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, percent_or_dash, table


def several_photos_note() -> str:
    """What the table shows, the rule, and the target."""
    return (
        "*Identify* answers several photos of one plant as one (`flowers study evaluate_several_photos`). Their "
        f"calibrated probabilities multiply, where each photo may with probability {STRAY:.2f} show something else. "
        "The rule was chosen on validation photos. Here photos of a class are dealt into plants. *Error of one* is "
        "the fraction of wrong answers to their single photos, *error* that of the answers to all photos of a plant. "
        "*Wrongly odd* counts the plants of which a photo is said to show something else. In *stranger* columns one "
        "photo of each plant is replaced by a photo of another class: *found* is the fraction where that photo alone "
        "is pointed at. Photos of a class mostly show different plants on different days. Photos that a person takes "
        "of one plant have more in common, so the gain on them is smaller. Target: half of the error of one."
    )


def several_photos_table(records: Sequence[RunRecord]) -> str:
    """A row for each measured model and kind of photo; "" where none was measured."""
    rows = [
        (
            record.name,
            f"{found.split}, {kind}",
            str(found.photos),
            str(figures.plants),
            percent(figures.error_of_one),
            percent(figures.error),
            percent(figures.sure),
            percent_or_dash(figures.sure_top1),
            percent(figures.wrongly_odd),
            percent(figures.stranger_error),
            percent(figures.stranger_found),
        )
        for record in records
        if (found := record.several_photos)
        for kind, figures in found.kinds.items()
    ]
    header = (
        *("model", "photos", "a plant", "plants", "error of one", "error", "sure", "right"),
        *("wrongly odd", "stranger: error", "stranger: found"),
    )
    return table(header, rows) if rows else ""
