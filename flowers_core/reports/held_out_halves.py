"""The table of `results.md` on learning from the test photos too: each half of them judges who learnt the other."""

from collections.abc import Sequence

from flowers_core.inference.records.metrics import CorruptionMetrics, Metrics
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import percent, table

#: The same network and views, learnt from the training and validation photos alone: one branch, and two.
COMPARED = ("efficientnet_lite0_far", "efficientnet_lite0_joined")
_FORMAT, _SMALL = "int8", "small and off-centre"


def held_out_halves_note() -> str:
    """What the table shows, and the rule that it was made for."""
    one, two = COMPARED
    return (
        "A model for people's own photos may learn from all photos of the data set. Whether that helps is asked of two "
        "models. Each learns from the training and validation photos and from one half of the test photos, every class "
        "equally often, and names the other half (`flowers train --hold-out-half`). Together they name every test "
        f"photo once, as does {one}, which has the same network and views, 30 layers of it fine-tuned instead of 25, "
        "and has learnt from none. Both learn for ten epochs, half_0_far for sixteen. A name that ends in *joined* has "
        f"a branch for each of two kinds of views, as have the default and {two}; {two} learns for sixty-four epochs, "
        "from photos that are mixed with each other, the others for sixteen. "
        "The rule, stated before: learn from all if the halves are named better, clean and corrupted, and the models "
        "name as many of the external flowers on average. INT8, one look."
    )


def held_out_halves_table(records: Sequence[RunRecord]) -> str:
    """A row for each half, and one for the model that they are compared with; "" where no half was measured."""
    by_half = sorted(
        (record for record in records if record.training.held_out_half is not None),
        key=lambda record: (len(record.training.members), record.training.held_out_half or 0),
    )
    if not by_half:
        return ""
    rows = [_row(record, "validation", f"half {record.training.held_out_half}") for record in by_half]
    rows += [_row(record, "test", "both halves") for record in records if record.name in COMPARED]
    header = (
        *("model", "names", "training photos", "photos", "top-1", "balanced accuracy", "corrupted, mean"),
        *("small and off-centre", "external flowers, top-1", "top-5"),
    )
    return table(header, rows)


def _row(record: RunRecord, split: str, judged: str) -> tuple[str, ...]:
    clean: Metrics = record.metrics[_FORMAT][split]
    spoilt: CorruptionMetrics | None = record.corruptions.get(_FORMAT, {}).get(split)
    external = record.external.flowers if record.external else None
    return (
        record.name,
        judged,
        str(record.training.photos),
        str(clean.photos),
        percent(clean.top1),
        percent(clean.balanced_accuracy),
        percent(spoilt.mean) if spoilt else "—",
        percent(spoilt.top1[_SMALL]) if spoilt else "—",
        percent(external.top1) if external else "—",
        percent(external.top5) if external else "—",
    )
