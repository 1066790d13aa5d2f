"""Tables and summary of an audit, counted by hand on drawn flowers of which one lies there twice."""

import shutil

import pytest

from flowers_core.data.audit.image_statistics import ImageStatistics, measure_photos
from flowers_core.data.audit.label_issues import LabelIssue
from flowers_core.data.audit.near_duplicates import NearDuplicate
from flowers_core.data.audit.outliers import Outlier
from flowers_core.data.audit.record import AuditRecord
from flowers_core.data.audit.tables import (
    class_table,
    label_issue_table,
    near_duplicate_table,
    outlier_table,
    photo_table,
    summary,
)
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.taxonomy import load_taxonomy
from tests.fixtures.drawn_flowers import draw_dataset


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> OxfordFlowers:
    """Classes 5 and 6 with 1 training, 2 validation and 3 test photos each; the last test photo copies the first."""
    drawn = OxfordFlowers(draw_dataset(tmp_path_factory.mktemp("data"), classes=(5, 6), per_class=(1, 2, 3)))
    test = drawn.split_ids("test")
    shutil.copy(drawn.path(test[0]), drawn.path(test[-1]))
    return drawn


@pytest.fixture(scope="module")
def statistics(flowers: OxfordFlowers) -> ImageStatistics:
    return measure_photos(flowers.ids, flowers.path)


def rows(table) -> list[dict[str, object]]:
    header, body = table
    return [dict(zip(header, row, strict=True)) for row in body]


def test_each_photo_and_each_class_is_a_row(flowers: OxfordFlowers, statistics: ImageStatistics) -> None:
    photos = rows(photo_table(flowers, statistics, load_taxonomy()))
    assert [row["id"] for row in photos] == flowers.ids.tolist()
    assert [row["label"] for row in photos] == flowers.labels.tolist()
    assert [row["split"] for row in photos] == flowers.splits.tolist()
    assert {row["class"] for row in photos} == {load_taxonomy()[5].name, load_taxonomy()[6].name}
    classes = rows(class_table(flowers, load_taxonomy()))
    assert len(classes) == 102
    counts = {row["label"]: [row[name] for name in ("train", "validation", "test", "all")] for row in classes}
    assert counts.pop(5) == counts.pop(6) == [1, 2, 3, 6]
    assert set(map(tuple, counts.values())) == {(0, 0, 0, 0)}


def test_the_summary_warns_of_what_changes_a_figure(flowers: OxfordFlowers, statistics: ImageStatistics) -> None:
    found = summary(flowers, statistics)
    assert (found["photos"], found["classes"]) == (12, 2)
    assert found["splits"] == {"train": 2, "validation": 4, "test": 6}
    assert found["photos_a_class"] == {"least": 6, "median": 6.0, "most": 6}
    assert found["short_side"]["least"] == statistics.sizes.min()
    assert [warning.split(";")[0] for warning in found["warnings"]] == [
        "There are 3.0 times as many test photos as training photos",
        "1 photos are exact duplicates of another, byte for byte.",
    ]


def test_each_finding_is_a_row(flowers: OxfordFlowers) -> None:
    train, test = int(flowers.split_ids("train")[0]), int(flowers.split_ids("test")[-1])
    record = AuditRecord(
        photos=12,
        fingerprint="",
        model="tiny",
        near_duplicates=(NearDuplicate(train, test, 3, True, 0.91237, False),),
        judged_splits=("test",),
        label_issues=(LabelIssue(test, 6, 5, 0.12345, -0.5),),
        outliers=(Outlier(train, "blurred", 0.25),),
    )
    assert rows(near_duplicate_table(record, flowers)) == [
        {
            "first": train,
            "second": test,
            "first_split": "train",
            "second_split": "test",
            "first_label": flowers.label_of(train),
            "second_label": flowers.label_of(test),
            "distance": 3,
            "mirrored": True,
            "cosine": 0.9124,
            "identical": False,
        }
    ]
    (issue,) = rows(label_issue_table(record, flowers))
    assert (issue["id"], issue["split"], issue["label"], issue["suggested"]) == (test, "test", 6, 5)
    assert (issue["class"], issue["suggested_class"]) == (flowers.names[5], flowers.names[4])
    assert (issue["self_confidence"], issue["margin"]) == (0.1235, -0.5)
    assert rows(outlier_table(record)) == [{"id": train, "kind": "blurred", "value": 0.25}]
