"""The findings of an audit as a file that can be part of a bundle: ids, scores and kinds, but no photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.audit.image_statistics import ImageStatistics
from flowers_core.data.audit.label_issues import LabelIssue, find_label_issues
from flowers_core.data.audit.near_duplicates import (
    MAX_DISTANCE,
    MIN_COSINE,
    NearDuplicate,
    duplicate_groups,
    find_near_duplicates,
)
from flowers_core.data.audit.outliers import Outlier, embedding_outliers, image_outliers
from flowers_core.errors import FlowersError
from flowers_core.storage.typed_json import JsonValueError, from_json, read_json, to_json

# One split: its name, photo ids (n,), calibrated probabilities (n, classes) and labels (n,).
Judged = tuple[str, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]

AUDIT_FILE = "audit.json"
SCHEMA_VERSION = 2
_SCHEMA_1 = {"near": "near_duplicates", "suspects": "label_issues", "oddities": "outliers"}
_ANEW = "`flowers audit_data` makes it anew."


class AuditError(FlowersError):
    """An audit file cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True)
class AuditRecord:
    """The findings of one audit.

    Attributes:
        photos: number of photos audited.
        fingerprint: the data set's `Dataset.fingerprint`.
        model: name of the bundle whose embeddings and predictions were used.
        near_duplicates: pairs that show one picture, identical files first.
        judged_splits: the splits whose labels were judged. The model must not have been fitted on them.
        label_issues: labels that are probably wrong, the most suspect first.
        outliers: kind by kind, the most unusual of each first.
        max_distance, min_cosine: the rule of `near_duplicates`, as in `find_near_duplicates`.
    """

    photos: int
    fingerprint: str
    model: str
    near_duplicates: tuple[NearDuplicate, ...]
    judged_splits: tuple[str, ...]
    label_issues: tuple[LabelIssue, ...]
    outliers: tuple[Outlier, ...]
    max_distance: int = MAX_DISTANCE
    min_cosine: float = MIN_COSINE

    @property
    def identical(self) -> list[tuple[int, ...]]:
        """Groups of photos whose files are the same, byte for byte."""
        return duplicate_groups(pair for pair in self.near_duplicates if pair.identical)

    def outliers_of(self, kind: str) -> tuple[Outlier, ...]:
        """The outliers of one kind, the most unusual first."""
        return tuple(photo for photo in self.outliers if photo.kind == kind)

    def to_json(self) -> dict[str, Any]:
        """JSON values of schema 2; fractions to five digits."""
        rule = {"max_distance": self.max_distance, "min_cosine": self.min_cosine}  # told even where it is the default
        return {"schema_version": SCHEMA_VERSION, **_rounded({**to_json(self), **rule})}


def run_audit(
    statistics: ImageStatistics,
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    answers: Iterable[Judged],
    *,
    fingerprint: str,
    model: str,
) -> AuditRecord:
    """Find near-duplicates, label issues and outliers by image statistics and one model.

    Args:
        statistics: of n photos.
        embeddings: (n, c) of the model; row i belongs to the photo statistics.ids[i].
        labels: (n,) in the same order.
        answers: predictions for splits that the model was not fitted on. Each split is judged by its own thresholds;
            the label issues of all splits are ranked together.
        fingerprint: the data set's.
        model: the model's name.

    Raises:
        ValueError: the arrays do not belong together.
    """
    judged, issues = [], []
    for split, ids, probabilities, given in answers:
        judged.append(split)
        issues += find_label_issues(ids, probabilities, given)
    return AuditRecord(
        photos=len(statistics),
        fingerprint=fingerprint,
        model=model,
        near_duplicates=tuple(find_near_duplicates(statistics, embeddings)),
        judged_splits=tuple(judged),
        label_issues=tuple(sorted(issues, key=lambda photo: (photo.margin, photo.photo_id))),
        outliers=(*image_outliers(statistics), *embedding_outliers(embeddings, statistics.ids, labels)),
    )


def load_audit(path: Path) -> AuditRecord:
    """Read a record of schema 1 or 2.

    Args:
        path: the file.

    Raises:
        AuditError: the file is missing, damaged or of another schema.
    """
    if not path.is_file():
        raise AuditError(f"{path} cannot be read. {_ANEW}")
    try:
        values = read_json(path)
        version = values.pop("schema_version")
        if version not in (1, SCHEMA_VERSION):
            raise AuditError(f"{path} has schema version {version}; this version reads 1 and {SCHEMA_VERSION}. {_ANEW}")
        return from_json(AuditRecord, _of_schema_1(values) if version == 1 else values)
    except (JsonValueError, KeyError, TypeError) as error:
        raise AuditError(f"{path} is damaged, or no record of an audit. {_ANEW}") from error


def _of_schema_1(values: dict[str, Any]) -> dict[str, Any]:
    """Its values by the names that they have now."""
    rule = values.pop("rules")["near"]
    found = {_SCHEMA_1.get(key, key): value for key, value in values.items()}
    return found | {"max_distance": rule["max_distance_of_64_bits"], "min_cosine": rule["min_cosine"]}


def _rounded(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _rounded(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return round(values, 5) if isinstance(values, float) else values
