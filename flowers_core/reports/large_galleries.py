"""The tables of `results.md` on large galleries, and the record that they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from flowers_core.errors import FlowersError
from flowers_core.reports.tables import table
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import read_record, to_json

T = TypeVar("T")
LARGE_GALLERIES_FILE = "large_galleries.json"


class LargeGalleriesError(FlowersError):
    """A file is no record of large galleries; the message says what is wrong with it."""


@dataclass(frozen=True)
class StoreFigures:
    """One kind of store at one size.

    Attributes:
        store: the kind.
        recall_at_10: fraction of the ten nearest by all float32 cosines that it finds, [0, 1].
        milliseconds: median of a query on one thread.
        bytes: of memory for a vector, with tables and numbers; None where they lie on disk.
        build_seconds: to make the index from vectors that are there.
        process_megabytes: what a process takes in memory that has opened the store and searched it; None for scans in
            the benchmark's own process.
    """

    store: str
    recall_at_10: float
    milliseconds: float
    bytes: float | None
    build_seconds: float
    process_megabytes: float | None = None


@dataclass(frozen=True)
class GalleryFigures:
    """A gallery of one size.

    Attributes:
        machine: on which it was measured.
        stores: each kind.
        adding_seconds: that LanceDB takes to add all entries.
        disk_bytes: of a photo in LanceDB's folder.
        duplicates_seconds: to find the near-duplicates among all.
    """

    machine: str
    stores: tuple[StoreFigures, ...]
    adding_seconds: float
    disk_bytes: float
    duplicates_seconds: float


@dataclass(frozen=True)
class PageFigures:
    """The dashboard over a gallery of one size, in a browser on the same machine.

    Attributes:
        machine: on which it was measured.
        first_page: seconds from the address to a page that takes a photo: the server's first visitor, and the next.
        neighbours: seconds from the address of a photo's answer to its nearest in the gallery, with their cards.
        map: seconds from the address of the map to its dots.
        closer: seconds from a loop to the photos within, and from there to the dots of a closer look.
        megabytes: that the server holds at most, resident.
    """

    machine: str
    first_page: tuple[float, ...]
    neighbours: float
    map: float
    closer: tuple[float, ...]
    megabytes: float


@dataclass(frozen=True)
class LargeGalleryRecord:
    """All that was measured of large galleries.

    Attributes:
        model: the bundle whose embeddings the vectors are made from.
        dimension: of a vector.
        projection: what the projection keeps on real photos, by name.
        galleries: figures by the number of vectors.
        pages: figures of the dashboard, likewise.
    """

    model: str
    dimension: int
    projection: Mapping[str, float] = field(default_factory=dict)
    galleries: Mapping[str, GalleryFigures] = field(default_factory=dict)
    pages: Mapping[str, PageFigures] = field(default_factory=dict)


def keep_large_galleries(record: LargeGalleryRecord, models_dir: Path) -> Path:
    """Write a record; what it lacks keeps its figures of the same model and dimension. A million takes its time.

    Args:
        record: the record.
        models_dir: the models folder that it goes into.

    Returns:
        The file.
    """
    before = load_large_galleries(models_dir)
    if before is not None and (before.model, before.dimension) == (record.model, record.dimension):
        record = replace(
            record,
            projection=record.projection or before.projection,
            galleries=_by_size({**before.galleries, **record.galleries}),
            pages=_by_size({**before.pages, **record.pages}),
        )
    path = models_dir / LARGE_GALLERIES_FILE
    write_json(path, to_json(record))
    return path


def load_large_galleries(models_dir: Path) -> LargeGalleryRecord | None:
    """The record in a models folder, or None. Raises LargeGalleriesError if the file is not a record."""
    path = models_dir / LARGE_GALLERIES_FILE
    if not path.is_file():
        return None
    return read_record(LargeGalleryRecord, path, "large galleries", LargeGalleriesError)


def large_galleries_text(record: LargeGalleryRecord) -> str:
    """The section: what the projection keeps, a row for each store and size, and one for the dashboard over each."""
    return "\n\n".join([_note(record), stores_table(record), *_pages(record)])


def stores_table(record: LargeGalleryRecord) -> str:
    """A row for each size and store."""
    header = ("photos", "store", "recall@10", "ms a query", "bytes a vector", "index made in, s", "process, MB")
    rows = [
        (
            f"{int(size):,}",
            store.store,
            f"{store.recall_at_10:.3f}",
            f"{store.milliseconds:.2f}",
            _or_dash(store.bytes),
            f"{store.build_seconds:.0f}" if store.build_seconds else "—",
            _or_dash(store.process_megabytes),
        )
        for size, figures in record.galleries.items()
        for store in figures.stores
    ]
    return table(header, rows)


def pages_table(record: LargeGalleryRecord) -> str:
    """A row for each size of a gallery that the dashboard was opened over."""
    rows = [
        (
            f"{int(size):,}",
            " / ".join(f"{seconds:.1f}" for seconds in page.first_page),
            f"{page.neighbours:.1f}",
            f"{page.map:.1f}",
            " / ".join(f"{seconds:.1f}" for seconds in page.closer),
            f"{page.megabytes:.0f}",
        )
        for size, page in record.pages.items()
    ]
    header = ("photos", "first page, s", "neighbours, s", "map, s", "loop / closer, s", "server, MB")
    return table(header, rows)


def _note(record: LargeGalleryRecord) -> str:
    kept = record.projection
    sizes = " ".join(
        f"Of {int(size):,} photos, LanceDB took {figures.adding_seconds:.0f} s to add them and has "
        f"{figures.disk_bytes:,.0f} bytes a photo on disk; near-duplicates among all were found in "
        f"{figures.duplicates_seconds:.0f} s."
        for size, figures in record.galleries.items()
    )
    return (
        f"Galleries of vectors that are made from **{record.model}**'s own (`flowers benchmarks gallery`; "
        f"{_machines(record)}), projected to {record.dimension} values. On real photos, of the ten nearest "
        f"{kept['recall_at_10']:.3f} stay after the projection; of the same flower are "
        f"{kept['same_class_projected']:.3f}, and before it {kept['same_class_whole']:.3f}. Queries run on one thread, "
        "each alone; recall is against all cosines after the projection. Targets at a million: a recall of 0.95 at "
        "1 ms a query, 160 bytes a vector, an index and the duplicates in 600 s each, a first page in 3 s, and "
        f"1500 MB. {sizes}"
    )


def _pages(record: LargeGalleryRecord) -> list[str]:
    if not record.pages:
        return []
    return [
        "The dashboard over such a gallery (`flowers benchmarks gallery_pages`), in a browser on the same machine. "
        "*First page* is until a photo can be given, for the server's first visitor and for the next. *Neighbours* is "
        "from an address to a photo's answer and its nearest in the gallery, *map* from an address to the dots; "
        "*loop* from a loop to the photos within it, *closer* to the dots of a closer look. *Server* is the most that "
        "its process held.",
        pages_table(record),
    ]


def _machines(record: LargeGalleryRecord) -> str:
    return ", ".join(dict.fromkeys(figures.machine for figures in record.galleries.values()))


def _or_dash(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f}"


def _by_size(figures: Mapping[str, T]) -> dict[str, T]:
    return {size: figures[size] for size in sorted(figures, key=int)}
