"""The tables of large galleries, cell by cell, and their record."""

from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.reports.large_galleries import (
    LARGE_GALLERIES_FILE,
    GalleryFigures,
    LargeGalleriesError,
    LargeGalleryRecord,
    PageFigures,
    StoreFigures,
    keep_large_galleries,
    large_galleries_text,
    load_large_galleries,
    pages_table,
    stores_table,
)
from flowers_core.reports.results import results_document

SCAN = StoreFigures("a scan", 1.0, 12.345, 512.0, 0.0)
QUICK = StoreFigures("quick", 0.9734, 0.142, 137.6, 61.5, 420.4)
KEPT = {"recall_at_10": 0.8, "same_class_whole": 0.961, "same_class_projected": 0.958}
SMALL = GalleryFigures("a machine", (SCAN,), 1.0, 700.0, 2.0)
LARGE = GalleryFigures("a machine", (SCAN, QUICK), 40.0, 1234.5, 99.6)
PAGE = PageFigures("a machine", (2.04, 0.66), 1.5, 2.25, (0.31, 0.44), 812.3)
RECORD = LargeGalleryRecord("lite", 128, KEPT, {"1000000": LARGE}, {"1000000": PAGE})


def test_a_row_for_each_store_and_page() -> None:
    assert stores_table(RECORD).splitlines()[2:] == [
        "| 1,000,000 | a scan | 1.000 | 12.35 | 512 | — | — |",
        "| 1,000,000 | quick | 0.973 | 0.14 | 138 | 62 | 420 |",
    ]
    assert pages_table(RECORD).splitlines()[2:] == ["| 1,000,000 | 2.0 / 0.7 | 1.5 | 2.2 | 0.3 / 0.4 | 812 |"]
    text = large_galleries_text(RECORD)
    assert "of the ten nearest 0.800 stay after the projection; of the same flower are 0.958" in text
    assert "Of 1,000,000 photos, LanceDB took 40 s to add them and has 1,234 bytes a photo on disk" in text
    assert "near-duplicates among all were found in 100 s" in text
    assert pages_table(RECORD) in text
    assert "gallery_pages" not in large_galleries_text(replace(RECORD, pages={}))


def test_sizes_are_kept_one_by_one_in_order(tmp_path: Path) -> None:
    assert load_large_galleries(tmp_path) is None
    pages = LargeGalleryRecord("lite", 128, pages=RECORD.pages)
    for record in (replace(RECORD, pages={}), pages, replace(RECORD, galleries={"10000": SMALL})):
        keep_large_galleries(record, tmp_path)
    found = load_large_galleries(tmp_path)
    assert found == replace(RECORD, galleries={"10000": SMALL, "1000000": LARGE})
    assert list(found.galleries) == ["10000", "1000000"]
    other = replace(RECORD, dimension=64)
    keep_large_galleries(other, tmp_path)
    assert load_large_galleries(tmp_path) == other
    (tmp_path / LARGE_GALLERIES_FILE).write_text('{"model": 3}')
    with pytest.raises(LargeGalleriesError, match="is no record of large galleries"):
        load_large_galleries(tmp_path)


def test_they_stand_in_the_results() -> None:
    assert f"## Large galleries\n\n{large_galleries_text(RECORD)}" in results_document([], large=RECORD)
    assert "## Large galleries" not in results_document([])
