"""The table of exported models, cell by cell, and its record."""

from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.reports.exports import (
    EXPORTS_FILE,
    ExportFigures,
    ExportRecord,
    ExportsError,
    exports_note,
    exports_table,
    keep_exports,
    load_exports,
)
from flowers_core.reports.results import results_document

MEDIAPIPE = ExportFigures("1.2", "a machine", "int8", 3_812_345, 1000, 998, 0.0012, 0.0456, 11.2, 13.8)
WEB = replace(
    MEDIAPIPE,
    version="Chromium 9",
    photos=500,
    alike=499,
    mean_correlation=0.9991,
    least_correlation=0.9912,
    first_answers=(1.5, 0.9, 1.1),
    requests_elsewhere=0,
)
RECORD = ExportRecord("lite", {"mediapipe": MEDIAPIPE, "web": WEB})


def test_a_row_for_each_client() -> None:
    assert exports_table(RECORD).splitlines()[2:] == [
        "| MediaPipe Tasks 1.2 | int8 | 3.81 | 1000 | 998 | 99.80 | 0.0012 | 0.046 | — | — | 11 | 14 | — | — |",
        "| the static page, Chromium 9 | int8 | 3.81 | 500 | 499 | 99.80 | 0.0012 | 0.046 | 0.9991 | 0.9912 | 11 "
        "| 14 | 1.10 | 1.50 |",
    ]
    assert "asked nothing of any other machine" in exports_note(RECORD)
    assert "asked 3 of any" in exports_note(ExportRecord("lite", {"web": replace(WEB, requests_elsewhere=3)}))
    assert "The page asked" not in exports_note(ExportRecord("lite", {"mediapipe": MEDIAPIPE}))


def test_clients_are_kept_one_by_one_of_the_same_model(tmp_path: Path) -> None:
    assert load_exports(tmp_path) is None
    for name, figures in RECORD.clients.items():
        keep_exports(ExportRecord("lite", {name: figures}), tmp_path)
    assert load_exports(tmp_path) == RECORD
    other = ExportRecord("small", {"web": WEB})
    keep_exports(other, tmp_path)
    assert load_exports(tmp_path) == other
    (tmp_path / EXPORTS_FILE).write_text('{"clients": 3}')
    with pytest.raises(ExportsError, match="is no record of exported models"):
        load_exports(tmp_path)


def test_they_stand_in_the_results() -> None:
    document = results_document([], exports=RECORD)
    assert f"## On phones, in browsers, in other runtimes\n\n{exports_note(RECORD)}" in document
    assert exports_table(RECORD) in document
    assert "in other runtimes" not in results_document([])
