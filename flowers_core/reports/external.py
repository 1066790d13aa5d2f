"""The table of `results.md` on external photos, which have nothing to do with the data set."""

from collections.abc import Sequence

from flowers_core.inference.records.external import ExternalMetrics
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table

# The flowers that most people know have a row of their own.
KNOWN = ("rose", "oxeye daisy", "sunflower")


def external_note() -> str:
    """What the table of external photos shows, and what it cannot show."""
    return (
        "The corrupted photos above come from the data set. The external photos are other people's, from desktop "
        "backgrounds (`flowers study download_external`, `flowers study evaluate_external`). Some show one of the 102 "
        "flowers, others show no flower. All rows are INT8. *High-confidence errors* counts wrong answers with a "
        "calibrated probability of at least 90 %; any such answer to a photo without a flower is wrong. *Sure* counts "
        "the answers that are given without doubt, and *right* those of them that are right. Rows with *all looks* "
        "also look at crops where the whole photo leaves doubt, as *Identify* does; the others take one look. The "
        "photos are too few to distinguish two models, as the 95 % intervals (Wilson 1927) show, and no model was "
        "chosen by them alone. They did lead to the bars below which nothing is given without doubt, 90 % from one "
        "look and 98 % from crops. The photos without a flower to which confidence is fitted are others. Targets: 70 % "
        "top-1, 88 % top-5, fewer than 1 % high-confidence errors."
    )


def external_table(records: Sequence[RunRecord]) -> str:
    """A row for each model, number of looks and kind of photo; nothing where none was measured."""
    header = (
        *("model", "photos of", "photos", "top-1", "95 % interval", "top-5"),
        *("high-confidence errors", "sure", "right"),
    )
    rows = [
        row
        for record in records
        for looks, found in (("", record.external), (", all looks", record.external_looks))
        if found
        for row in _rows(record.name + looks, found)
    ]
    return table(header, rows) if rows else ""


def _rows(name: str, found: ExternalMetrics) -> list[tuple[str, ...]]:
    flowers, others = found.flowers, found.no_flower
    known = [found.classes[kind] for kind in KNOWN if kind in found.classes]
    photos = sum(counts.photos for counts in known)
    counts = (flowers.high_confidence_errors, flowers.sure, flowers.sure_correct)
    accuracy = (*_top1(round(flowers.top1 * flowers.photos), flowers.photos), percent(flowers.top5))
    rows = [(name, "flowers", str(flowers.photos), *accuracy, *(str(count) for count in counts))]
    if photos:
        correct, in_top5 = sum(counts.correct for counts in known), sum(counts.in_top5 for counts in known)
        figures = (str(photos), *_top1(correct, photos), percent(in_top5 / photos))
        rows.append((name, "roses, daisies, sunflowers of these", *figures, *["—"] * 3))
    no_flower = (str(others.high_confidence_errors), str(others.sure), "—")
    return [*rows, (name, "no flower", str(others.photos), *["—"] * 3, *no_flower)]


def _top1(correct: int, photos: int) -> tuple[str, str]:
    from scipy.stats import binomtest

    interval = binomtest(correct, photos).proportion_ci(method="wilson")
    return percent(correct / photos), f"{100 * interval.low:.0f} to {100 * interval.high:.0f}"
