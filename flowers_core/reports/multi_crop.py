"""The table of `results.md` that says what multi-crop gives."""

from collections.abc import Sequence

from flowers_core.inference.multi_crop import MIN_AGREEING, MIN_ODDS_RATIO, NAMING_PROBABILITY
from flowers_core.inference.prototypes import REJECTED_FRACTION
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table


def multi_crop_note() -> str:
    """What the table below it shows, and the rule."""
    return (
        "Where an answer is not sure, *Identify* tries square crops of the photo, in four sizes down to a third of its "
        f"short side, and may suggest one (`flowers study evaluate_multi_crop`). At least {MIN_AGREEING} crops must "
        f"give a name a calibrated probability of {100 * NAMING_PROBABILITY:.0f} % or more, and none may name another "
        f"flower. One must have {MIN_ODDS_RATIO} times the odds that any crop gives to any other name, and one must "
        f"lie as near to the mean embedding of the class as {100 - 100 * REJECTED_FRACTION:.0f} % of its training "
        "photos. The rule was chosen on validation photos and on pictures without a flower. *Suggested* counts "
        "suggestions and *right* those that are right; *answer right* counts the answers about the whole photo that "
        "were right where there was a suggestion. *If applied* is top-1 with the suggestion in the answer's place."
    )


def multi_crop_table(records: Sequence[RunRecord]) -> str:
    """A row for each corruption of each measured split; nothing where none was measured."""
    rows = []
    for record in records:
        for split, found in record.multi_crop.items():
            for kind, counts in found.corruptions.items():
                rows.append(
                    (
                        record.name,
                        kind,
                        split,
                        str(found.photos),
                        percent(counts.top1),
                        str(counts.abstained),
                        str(counts.suggested),
                        str(counts.suggested_correct),
                        str(counts.answered_correct),
                        percent(counts.top1_applied),
                    )
                )
    header = (
        "model",
        "kind",
        "split",
        "photos",
        "top-1",
        "not sure",
        "suggested",
        "right",
        "answer right",
        "if applied",
    )
    return table(header, rows) if rows else ""
