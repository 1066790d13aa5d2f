"""The table of `results.md` on photos that have nothing to do with the dataset."""

from collections.abc import Sequence

from flowers_core.inference.records.external import ExternalMetrics
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table

# The flowers that most people know: how well these are told is asked of its own.
KNOWN = ("rose", "oxeye daisy", "sunflower")


def outside_note() -> str:
    """What the table below it shows, and what it cannot."""
    return (
        "The spoilt photos above are still the data set's. These are other people's, from desktop backgrounds "
        "(`flowers study download_external`, `flowers study evaluate_external`), INT8: photos that show one of the 102 "
        "flowers, and "
        "others that show no flower. *Misleading* counts answers given with a calibrated probability of at least 90 % "
        "that are wrong; for a photo without a flower any such answer is. *Sure* is the verdict on *Identify*; "
        "*suggested* is what a closer look offers where there is none, and how many of these are right. The photos are "
        "too few to tell two models apart, as the 95 % intervals (Wilson 1927) say; none was chosen by them. "
        "Wanted, of roses, daisies and sunflowers: 60 % top-1, 85 % top-5, fewer than 2 % misleading."
    )


def outside_table(records: Sequence[RunRecord]) -> str:
    """A row for each model and kind of photo; nothing where none was measured."""
    header = (
        *("model", "photos of", "photos", "top-1", "95 % interval", "top-5"),
        *("misleading", "sure", "right", "suggested", "right"),
    )
    rows = [row for record in records if record.external for row in _rows(record.name, record.external)]
    return table(header, rows) if rows else ""


def _rows(name: str, found: ExternalMetrics) -> list[tuple[str, ...]]:
    flowers, others = found.flowers, found.no_flower
    known = [found.classes[kind] for kind in KNOWN if kind in found.classes]
    photos = sum(counts.photos for counts in known)
    counts = (
        flowers.high_confidence_errors,
        flowers.sure,
        flowers.sure_correct,
        flowers.suggested,
        flowers.suggested_correct,
    )
    shares = (*_top1(round(flowers.top1 * flowers.photos), flowers.photos), percent(flowers.top5))
    rows = [(name, "flowers", str(flowers.photos), *shares, *(str(count) for count in counts))]
    if photos:
        correct, in_top5 = sum(counts.correct for counts in known), sum(counts.in_top5 for counts in known)
        figures = (str(photos), *_top1(correct, photos), percent(in_top5 / photos))
        rows.append((name, "roses, daisies, sunflowers of these", *figures, *["—"] * 5))
    nothing = (str(others.high_confidence_errors), str(others.sure), "—", str(others.suggested), "—")
    return [*rows, (name, "no flower", str(others.photos), *["—"] * 3, *nothing)]


def _top1(correct: int, photos: int) -> tuple[str, str]:
    from scipy.stats import binomtest

    interval = binomtest(correct, photos).proportion_ci(method="wilson")
    return percent(correct / photos), f"{100 * interval.low:.0f} to {100 * interval.high:.0f}"
