"""The table of `results.md` on multi-crop."""

from collections.abc import Sequence

from flowers_core.inference.multi_crop import MIN_AGREEING, MIN_ODDS_RATIO, NAMING_PROBABILITY
from flowers_core.inference.prototypes import REJECTED_FRACTION
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table


def multi_crop_note() -> str:
    """What the table of multi-crop shows, and the rule."""
    return (
        "Where an answer is not sure, *Identify* tries square crops of the photo, in four sizes down to a third of its "
        f"short side, and may suggest one (`flowers study evaluate_multi_crop`). At least {MIN_AGREEING} crops must "
        f"give a name a calibrated probability of {100 * NAMING_PROBABILITY:.0f} % or more, and no crop may name "
        f"another flower. One crop must have {MIN_ODDS_RATIO} times the odds that any crop gives to any other name. "
        f"One must lie as near to its class prototype as {100 - 100 * REJECTED_FRACTION:.0f} % of the training photos "
        "of the class. The rule was chosen on validation photos and on pictures without a flower. *Not sure* counts "
        "the answers in doubt, *suggested* the suggestions, and *right* those that are right. *Answer right* counts "
        "how many answers about the whole photo were right where there was a suggestion. *Top-1 if applied* is the "
        "accuracy with the suggestion in place of the answer."
    )


def multi_crop_table(records: Sequence[RunRecord]) -> str:
    """A row for each corruption of each measured split; nothing where none was measured."""
    rows = []
    for record in records:
        for split, found in record.multi_crop.items():
            for corruption, counts in found.corruptions.items():
                rows.append(
                    (
                        record.name,
                        corruption,
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
        "corruption",
        "split",
        "photos",
        "top-1",
        "not sure",
        "suggested",
        "right",
        "answer right",
        "top-1 if applied",
    )
    return table(header, rows) if rows else ""
