"""The findings of an audit as a file that can be part of a bundle: ids, scores and kinds, but no photos."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
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

# One split: its name, photo ids (n,), calibrated probabilities (n, classes) and labels (n,).
Judged = tuple[str, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]

AUDIT_FILE = "audit.json"
SCHEMA_VERSION = 1
_ANEW = "scripts/audit_data.py makes it anew."


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
        """Plain dicts, lists and numbers, with the keys of schema 1; fractions to five digits."""
        return {
            "schema_version": SCHEMA_VERSION,
            "rules": {"near": {"max_distance_of_64_bits": self.max_distance, "min_cosine": round(self.min_cosine, 5)}},
            "photos": self.photos,
            "fingerprint": self.fingerprint,
            "model": self.model,
            "near": [_rounded(pair) for pair in self.near_duplicates],
            "judged_splits": list(self.judged_splits),
            "suspects": [_rounded(issue) for issue in self.label_issues],
            "oddities": [_rounded(outlier) for outlier in self.outliers],
        }


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
    """Read a record that was written as JSON.

    Raises:
        AuditError: the file is missing, damaged or of another schema version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema_version"] != SCHEMA_VERSION:
            raise AuditError(
                f"{path} has schema version {content['schema_version']}; this version reads {SCHEMA_VERSION}. {_ANEW}"
            )
        rule = content["rules"]["near"]
        return AuditRecord(
            photos=int(content["photos"]),
            fingerprint=str(content["fingerprint"]),
            model=str(content["model"]),
            near_duplicates=tuple(NearDuplicate(**pair) for pair in content["near"]),
            judged_splits=tuple(content["judged_splits"]),
            label_issues=tuple(LabelIssue(**photo) for photo in content["suspects"]),
            outliers=tuple(Outlier(**photo) for photo in content["oddities"]),
            max_distance=int(rule["max_distance_of_64_bits"]),
            min_cosine=float(rule["min_cosine"]),
        )
    except OSError as error:
        raise AuditError(f"{path} cannot be read. {_ANEW}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise AuditError(f"{path} is damaged, or no record of an audit. {_ANEW}") from error


def _rounded(finding: NearDuplicate | LabelIssue | Outlier) -> dict[str, Any]:
    values = asdict(finding)
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in values.items()}
