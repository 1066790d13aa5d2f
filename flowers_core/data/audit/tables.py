"""The findings of an audit as tables (a header and rows each), and a summary with warnings."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.audit.image_statistics import ImageStatistics
from flowers_core.data.audit.outliers import Outlier
from flowers_core.data.audit.record import AuditRecord
from flowers_core.data.dataset import SPLITS, Dataset
from flowers_core.data.taxonomy import Taxonomy

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def photo_table(flowers: Dataset, statistics: ImageStatistics, taxonomy: Taxonomy) -> Table:
    """A row for each photo: class, split, size, statistics, digest.

    Args:
        flowers: labels and splits of the photos.
        statistics: the measured photos.
        taxonomy: names of the classes.
    """
    header = ["id", "label", "class", "split", "width", "height", "sharpness", "highlights", "shadows", "sha256"]
    measured = (statistics.sharpness, statistics.highlights, statistics.shadows)
    return header, (
        [
            int(photo_id),
            flowers.label_of(photo_id),
            taxonomy[flowers.label_of(photo_id)].name,
            flowers.split_of(photo_id),
            *statistics.sizes[row].tolist(),
            *(round(float(values[row]), 4) for values in measured),
            statistics.sha256[row],
        ]
        for row, photo_id in enumerate(statistics.ids)
    )


def class_table(flowers: Dataset, taxonomy: Taxonomy) -> Table:
    """A row for each class: its names and its number of photos in each split.

    Args:
        flowers: labels and splits of the photos.
        taxonomy: names of the classes.
    """
    counts = _counts(flowers, len(taxonomy))
    return ["label", "class", "latin", "family", *SPLITS, "all"], (
        [taxon.label, taxon.name, taxon.latin, taxon.family, *of_class, sum(of_class)]
        for taxon in taxonomy
        for of_class in [[int(counts[split][taxon.label - 1]) for split in SPLITS]]
    )


def near_duplicate_table(record: AuditRecord, flowers: Dataset) -> Table:
    """A row for each pair of photos that show one picture.

    Args:
        record: the findings.
        flowers: labels and splits of the photos.
    """
    header = ["first", "second", "first_split", "second_split", "first_label", "second_label"]
    return [*header, "distance", "mirrored", "cosine", "identical"], (
        [pair.first, pair.second]
        + [flowers.split_of(photo) for photo in (pair.first, pair.second)]
        + [flowers.label_of(photo) for photo in (pair.first, pair.second)]
        + [pair.distance, pair.mirrored, round(pair.cosine, 4), pair.identical]
        for pair in record.near_duplicates
    )


def label_issue_table(record: AuditRecord, flowers: Dataset) -> Table:
    """A row for each label that is probably wrong.

    Args:
        record: the findings.
        flowers: splits of the photos and names of the classes.
    """
    header = ["id", "split", "label", "class", "suggested", "suggested_class", "self_confidence", "margin"]
    return header, (
        [
            issue.photo_id,
            flowers.split_of(issue.photo_id),
            issue.label,
            flowers.names[issue.label - 1],
            issue.suggested,
            flowers.names[issue.suggested - 1],
            round(issue.self_confidence, 4),
            round(issue.margin, 4),
        ]
        for issue in record.label_issues
    )


def outlier_table(record: AuditRecord) -> Table:
    """A row for each photo that is unlike the others."""
    header = ["id" if field.name == "photo_id" else field.name for field in fields(Outlier)]
    return header, (astuple(outlier) for outlier in record.outliers)


def summary(flowers: Dataset, statistics: ImageStatistics) -> dict[str, Any]:
    """Counts of photos by split and class, their sizes and colour, and warnings in sentences.

    Args:
        flowers: labels and splits of the photos.
        statistics: the measured photos.

    Returns:
        Plain values for JSON.
    """
    sizes = {split: int((flowers.splits == split).sum()) for split in SPLITS}
    a_class = np.sum(list(_counts(flowers, len(flowers.names)).values()), axis=0)
    a_class = a_class[a_class > 0]
    short, long = np.sort(statistics.sizes, axis=1).T
    return {
        "photos": len(statistics),
        "splits": sizes,
        "classes": len(a_class),
        "photos_a_class": {
            "least": int(a_class.min()),
            "median": float(np.median(a_class)),
            "most": int(a_class.max()),
        },
        "short_side": _spread(short),
        "long_side": _spread(long),
        "long_over_short": _spread(long / short),
        "mean_colour": statistics.mean_colour.mean(axis=0).round(4).tolist(),
        "warnings": list(_warnings(sizes, statistics)),
    }


def _warnings(sizes: dict[str, int], statistics: ImageStatistics) -> Iterable[str]:
    if sizes["test"] > sizes["train"] > 0:
        yield (
            f"There are {sizes['test'] / sizes['train']:.1f} times as many test photos as training photos; results "
            "that train on the larger part are not comparable with those on the official split."
        )
    duplicates = len(statistics) - len(set(statistics.sha256))
    if duplicates:
        yield f"{duplicates} photos are exact duplicates of another, byte for byte."


def _counts(flowers: Dataset, classes: int) -> dict[str, NDArray[np.int64]]:
    """Split → (classes,) photos of each class."""
    return {split: np.bincount(flowers.labels[flowers.splits == split] - 1, minlength=classes) for split in SPLITS}


def _spread(values: NDArray[Any]) -> dict[str, float]:
    low, middle, high = np.percentile(values, (0, 50, 100))
    return {"least": round(float(low), 4), "median": round(float(middle), 4), "most": round(float(high), 4)}
