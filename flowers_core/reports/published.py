"""Published figures, and the table of `results.md` that compares this project's runs with them."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowers_core.reports.run_records import RunRecord, evaluated
from flowers_core.reports.tables import megabytes, percent, table


@dataclass(frozen=True)
class Published:
    """Top-1 on the official test split with 1020 training photos, in the student project that this one grew from.

    Attributes:
        model: the network.
        numeric_format: of its file.
        frozen: top-1, 0…1, before any layer is unfrozen; None where it was not given.
        unfrozen: top-1, 0…1, with the last layers unfrozen.
        megabytes: of the file; None where it was not given.
    """

    model: str
    numeric_format: str
    frozen: float | None
    unfrozen: float
    megabytes: float | None = None


PUBLISHED = (
    Published("VGG16", "Keras", 0.8037, 0.8291),
    Published("ResNet50", "Keras", 0.7441, 0.8446),
    Published("InceptionV3", "Keras", 0.8333, 0.8614, 80.6),
    Published("InceptionV3", "float32", None, 0.8614, 42.2),
    Published("InceptionV3", "float16", None, 0.8612, 21.1),
    Published("InceptionV3", "int8", None, 0.8611, 10.9),
)

# The published networks by the names of their backbones here.
_NETWORKS = {"VGG16": "vgg16", "ResNet50": "resnet50", "InceptionV3": "inception_v3"}


def published_table(records: Sequence[RunRecord]) -> str:
    """The published figures, the runs of the same networks, and other runs of the published recipe."""
    rows: list[tuple[str, ...]] = [
        (
            f"{row.model}, published",
            row.numeric_format,
            "—" if row.megabytes is None else f"{row.megabytes:.1f}",
            "—" if row.frozen is None else percent(row.frozen),
            percent(row.unfrozen),
        )
        for row in PUBLISHED
    ]
    frozen = {record.training.frozen for record in records}
    ours = [record for record in records if record.name not in frozen]
    for model, backbone in _NETWORKS.items():
        runs = sorted((r for r in ours if r.backbone.startswith(backbone)), key=lambda run: not _is_published(run))
        rows += _ours(runs, records)
        if not runs:
            rows.append((f"{model}, not run: its ImageNet weights are not available", "—", "—", "—", "—"))
    known = tuple(_NETWORKS.values())
    rows += _ours([r for r in ours if _is_published(r) and not r.backbone.startswith(known)], records)
    return table(("model", "format", "MB", "top-1, frozen", "top-1, unfrozen"), rows)


def _is_published(record: RunRecord) -> bool:
    return record.training.named_recipe == "published"


def _ours(runs: Sequence[RunRecord], records: Sequence[RunRecord]) -> list[tuple[str, ...]]:
    """Rows of the table of published figures.

    A run's frozen figure is that of the run that it began with, where that one's record is kept.
    """
    by_name = {record.name: record for record in records}
    rows: list[tuple[str, ...]] = []
    for run in runs:
        first = by_name.get(run.training.frozen or "")
        learnt = (run.training.recipe or {}).get("unfrozen_layers", 0) > 0
        for numeric_format, figures in evaluated(run):
            before = first.metrics.get(numeric_format, {}).get("test") if first else None
            reached = percent(figures["test"].top1)
            rows.append(
                (
                    f"{'here, same recipe' if _is_published(run) else 'here'}: {run.name}",
                    numeric_format,
                    megabytes(run.model_bytes[numeric_format]),
                    (percent(before.top1) if before else "—") if learnt else reached,
                    reached if learnt else "—",
                )
            )
    return rows
