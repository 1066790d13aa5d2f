from dataclasses import replace

from flowers_core.inference.records.teaching import TeachingFigures
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.teaching import teaching_table
from tests.fixtures.manifests import training

FIGURES = TeachingFigures("own", "test", "validation", 10, 1, 20, 0.9301, 0.965, 0.92, 0.9189, 0.75, 0.98)


def test_a_row_for_each_kind_of_lesson() -> None:
    imagenet = replace(FIGURES, embeddings="imagenet", in_a_row=5, sure=None, sure_right=None)
    record = RunRecord("tiny", "none", training(), {}, teaching=(FIGURES, imagenet))
    rows = teaching_table([record]).splitlines()[2:]
    assert [[cell.strip() for cell in row.strip("|").split("|")] for row in rows] == [
        ["tiny", "its own", "test", "validation", "20, alone", "10", "93.01", "96.50", "0.11", "75.00", "98.00"],
        [
            *("tiny", "of ImageNet alone", "test", "validation", "20, 5 in a row", "10"),
            *("93.01", "96.50", "0.11", "—", "—"),
        ],
    ]
    assert teaching_table([replace(record, teaching=())]) == ""
