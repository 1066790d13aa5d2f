"""The table of `results.md` on exported models in other people's runtimes, and the record that it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.reports.tables import megabytes, percent, table
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import read_record, to_json

EXPORTS_FILE = "exports.json"
_CLIENTS = {
    "mediapipe": "MediaPipe Tasks",
    "onnx": "ONNX Runtime",
    "onnx-float": "ONNX Runtime",
    "web": "the static page,",
}


class ExportsError(FlowersError):
    """A file is no record of exported models; the message says what is wrong with it."""


@dataclass(frozen=True)
class ExportFigures:
    """How far a client of an exported model and our own runtime agree about the same test photos.

    Attributes:
        version: of the client's package or browser.
        machine: on which it was asked.
        numeric_format: of the model, the client's and ours.
        size: of what was exported, in bytes.
        photos: that both were asked about.
        alike: of these, those for which the most probable class is the same.
        mean_difference, largest_difference: of that class's probability, 0…1.
        median_ms, p95_ms: that the client takes for a photo.
        mean_correlation, least_correlation: of the evidence maps of a photo; None where the client draws none.
        first_answers: seconds from the address to the answer in windows that kept nothing, each; of the page only.
        requests_elsewhere: what the page asked of any other machine; None where nobody watched.
    """

    version: str
    machine: str
    numeric_format: str
    size: int
    photos: int
    alike: int
    mean_difference: float
    largest_difference: float
    median_ms: float
    p95_ms: float
    mean_correlation: float | None = None
    least_correlation: float | None = None
    first_answers: tuple[float, ...] = ()
    requests_elsewhere: int | None = None


@dataclass(frozen=True)
class ExportRecord:
    """A model in every client that was asked.

    Attributes:
        model: the bundle's name.
        clients: figures by client.
    """

    model: str
    clients: Mapping[str, ExportFigures] = field(default_factory=dict)


def keep_exports(record: ExportRecord, models_dir: Path) -> Path:
    """Write a record; clients that it lacks keep their figures of the same model. Clients are installed apart.

    Args:
        record: the record.
        models_dir: the models folder that it goes into.

    Returns:
        The file.
    """
    before = load_exports(models_dir)
    kept = before.clients if before is not None and before.model == record.model else {}
    path = models_dir / EXPORTS_FILE
    write_json(path, to_json(ExportRecord(record.model, {**kept, **record.clients})))
    return path


def load_exports(models_dir: Path) -> ExportRecord | None:
    """The record in a models folder, or None. Raises ExportsError if the file is not a record."""
    path = models_dir / EXPORTS_FILE
    if not path.is_file():
        return None
    return read_record(ExportRecord, path, "exported models", ExportsError)


def exports_note(record: ExportRecord) -> str:
    """What the table shows, on which machines, and the targets."""
    machines = ", ".join(dict.fromkeys(figures.machine for figures in record.clients.values()))
    return (
        f"**{record.model}**, exported by `flowers export` and asked about test photos by each client, beside our own "
        "runtime with the same numeric format (`flowers benchmarks exports`; "
        f"{machines}). *Same name* is for how many photos the most probable class is the same (target: 99.5 % of 1000, "
        "of the page of 500). *Probability* is by how much that class's probability differs. *Map* is the correlation "
        "of the evidence maps (target: 0.99). *ms* is the median and the 95th percentile of what a photo takes, of "
        "the page from the choice of the file to the answer and its map on the screen (target: 150). *First answer* is "
        "the median and the longest time from the address to an answer in a window that kept nothing (target: 3 s). "
        "Target for the page's size: 8 MB." + _watched(record)
    )


def exports_table(record: ExportRecord) -> str:
    """A row for each client."""
    header = (
        *("client", "format", "MB", "photos", "same name", "%", "probability, mean", "at most"),
        *("map, mean", "at least", "ms", "95 %", "first answer, s", "longest"),
    )
    rows = [
        (
            f"{_CLIENTS.get(name, name)} {figures.version}",
            figures.numeric_format,
            megabytes(figures.size),
            str(figures.photos),
            str(figures.alike),
            percent(figures.alike / figures.photos),
            f"{figures.mean_difference:.4f}",
            f"{figures.largest_difference:.3f}",
            *(
                "—" if value is None else f"{value:.4f}"
                for value in (figures.mean_correlation, figures.least_correlation)
            ),
            f"{figures.median_ms:.0f}",
            f"{figures.p95_ms:.0f}",
            *_first(figures.first_answers),
        )
        for name, figures in record.clients.items()
    ]
    return table(header, rows)


def _first(seconds: tuple[float, ...]) -> tuple[str, str]:
    if not seconds:
        return "—", "—"
    return f"{sorted(seconds)[len(seconds) // 2]:.2f}", f"{max(seconds):.2f}"


def _watched(record: ExportRecord) -> str:
    asked = [figures for figures in record.clients.values() if figures.requests_elsewhere is not None]
    if not asked:
        return ""
    requests = sum(figures.requests_elsewhere or 0 for figures in asked)
    return f" The page asked {requests or 'nothing'} of any other machine."
