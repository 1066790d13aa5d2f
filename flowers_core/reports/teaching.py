"""The table of `results.md` on teaching a model a flower from a few photos."""

from collections.abc import Sequence

from flowers_core.inference.records.teaching import TeachingFigures
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, percent_or_dash, table

_EMBEDDINGS = {"own": "its own", "imagenet": "of ImageNet alone"}


def teaching_note() -> str:
    """What the table of teaching shows, what it cannot show, and the targets."""
    return (
        "Classes drawn at random are left out of the head and out of the stored photos, and taught again from a few "
        "photos (`flowers study evaluate_teaching`), one alone or several one after the other. *Right* is the fraction "
        "of their photos that is then named rightly, the mean over the classes; *with all* is the same by the head "
        "that was trained on all classes. *Lost* is how much the accuracy on all other classes falls, in percentage "
        "points. *Sure* is the fraction of the classes’ photos that are named rightly and without doubt, *sure and "
        "right* the fraction of the answers that name a taught class without doubt and are right. Where the embeddings "
        "are the model’s own, the figures are optimistic: its network was trained with the classes, so its embeddings "
        "tell them apart already. Embeddings of ImageNet alone never learnt the name of a flower; they tell all "
        "classes worse, those that were not left out too. Choices were made on validation photos. Targets on test "
        "photos: right on 85 % with 10 photos and on 70 % with 3, at most 0.3 points lost, and 97 % of the sure "
        "answers right."
    )


def teaching_table(records: Sequence[RunRecord]) -> str:
    """A row for each model and kind of lesson; "" where none was measured."""
    header = (
        *("model", "embeddings", "photos asked about", "lessons from", "classes", "photos"),
        *("right", "with all", "lost", "sure", "sure and right"),
    )
    rows = [(record.name, *_cells(figures)) for record in records for figures in record.teaching]
    return table(header, rows) if rows else ""


def _cells(figures: TeachingFigures) -> tuple[str, ...]:
    kind = "alone" if figures.in_a_row == 1 else f"{figures.in_a_row} in a row"
    return (
        _EMBEDDINGS.get(figures.embeddings, figures.embeddings),
        figures.split,
        figures.lesson_split,
        f"{figures.classes}, {kind}",
        str(figures.photos),
        percent(figures.right),
        percent(figures.right_untaught),
        f"{100 * (figures.others_before - figures.others_after):.2f}",
        *map(percent_or_dash, (figures.sure, figures.sure_right)),
    )
