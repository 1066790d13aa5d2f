"""The table of `results.md` that says what looking at parts of a photo gives."""

from collections.abc import Sequence

from flowers_core.inference.multi_crop import AT_LEAST, NAMES, TIMES_THE_ODDS
from flowers_core.inference.prototypes import FARTHER
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table


def closer_look_note() -> str:
    """What the table below it shows, and the rule."""
    rule = (
        f"At least {AT_LEAST} of them must give a name a calibrated probability of {100 * NAMES:.0f} % or more and "
        f"none another, one must have {TIMES_THE_ODDS} times the odds that any part gives to any other, and one must "
        f"lie as near to the mean embedding of that class as {100 - 100 * FARTHER:.0f} % of the photos learnt from"
    )
    return (
        "Where an answer is not sure, *Identify* tries square parts of the photo, in four sizes down to a third of its "
        f"short side, and may suggest one (`scripts.study.evaluate_multi_crop`). {rule}; the rule was chosen on "
        "validation "
        "photos and on pictures without a flower. *Right* counts suggestions, *answer right* the answers about the "
        "whole photo where there was one, *if taken* is top-1 with the suggestion, where there is one, in the answer's "
        "place."
    )


def closer_look_table(records: Sequence[RunRecord]) -> str:
    """A row for each kind of photo of each measured split; nothing where none was measured."""
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
    header = ("model", "kind", "split", "photos", "top-1", "not sure", "suggested", "right", "answer right", "if taken")
    return table(header, rows) if rows else ""
