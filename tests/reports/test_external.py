"""The table of models on external photos."""

from flowers_core.inference.records.external import (
    ExternalClass,
    ExternalFlowers,
    ExternalMetrics,
    ExternalWithoutFlower,
)
from flowers_core.reports.external import external_table
from flowers_core.reports.run_records import RunRecord
from tests.fixtures.manifests import training


def test_the_table_has_rows_for_flowers_known_ones_and_none() -> None:
    measured = ExternalMetrics(
        precision="int8",
        flowers=ExternalFlowers(
            photos=8,
            top1=0.5,
            top5=0.75,
            high_confidence_errors=1,
            sure=3,
            sure_correct=2,
        ),
        classes={
            "rose": ExternalClass(3, 2, 3),
            "sunflower": ExternalClass(1, 1, 1),
            "gaura": ExternalClass(4, 1, 2),
        },
        no_flower=ExternalWithoutFlower(photos=20, high_confidence_errors=2, sure=4),
    )
    two = RunRecord("two", "tiny", training(), {})
    rows = external_table([RunRecord("one", "tiny", training(), {}, external=measured), two])
    # Wilson's interval of 4 in 8, by hand: (4 + 1.9207 ± 1.96 √(4 · 4 / 8 + 0.9604)) / (8 + 3.8415) = 0.215 to 0.785.
    assert rows.splitlines()[2:] == [
        "| one | flowers | 8 | 50.00 | 22 to 78 | 75.00 | 1 | 3 | 2 |",
        "| one | roses, daisies, sunflowers of these | 4 | 75.00 | 30 to 95 | 100.00 | — | — | — |",
        "| one | no flower | 20 | — | — | — | 2 | 4 | — |",
    ]
    both = RunRecord("one", "tiny", training(), {}, external=measured, external_looks=measured)
    names = [line.split(" | ")[0] for line in external_table([both]).splitlines()[2:]]
    assert names == ["| one"] * 3 + ["| one, all looks"] * 3
    assert external_table([two]) == ""
