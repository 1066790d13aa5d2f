"""What an audit found, as a file without photos: ids, scores and kinds, so that it can travel with a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.audit.image_statistics import PhotoFacts
from flowers_core.data.audit.label_issues import SuspectLabel, suspect_labels
from flowers_core.data.audit.near_duplicates import MAX_DISTANCE, MIN_COSINE, NearPair, groups_of, near_pairs
from flowers_core.data.audit.outliers import Oddity, far_from_class, odd_pictures
from flowers_core.errors import FlowersError

# Of one split: its name, the photos' ids (n,), calibrated probabilities (n, classes) and labels (n,).
Judged = tuple[str, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]

AUDIT_FILE = "audit.json"
SCHEMA_VERSION = 1


class AuditError(FlowersError):
    """An audit's file that cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True)
class AuditRecord:
    """The findings of one audit.

    photos: how many were looked at. fingerprint: of the dataset (`OxfordFlowers.fingerprint`). model: the bundle whose
    embeddings and predictions were used. near: pairs that show one picture, files equal byte by byte first.
    judged_splits: whose labels were judged; the model must not have been fitted on them. suspects: labels that are
    probably wrong, the most suspect first. oddities: kind by kind, the worst of each first. max_distance, min_cosine:
    the rule by which `near` was found (`near_pairs`).
    """

    photos: int
    fingerprint: str
    model: str
    near: tuple[NearPair, ...]
    judged_splits: tuple[str, ...]
    suspects: tuple[SuspectLabel, ...]
    oddities: tuple[Oddity, ...]
    max_distance: int = MAX_DISTANCE
    min_cosine: float = MIN_COSINE

    @property
    def identical(self) -> list[tuple[int, ...]]:
        """Groups of photos whose files are equal byte by byte."""
        return groups_of(pair for pair in self.near if pair.identical)

    def oddities_of(self, kind: str) -> tuple[Oddity, ...]:
        """The photos that are odd in this way, the worst first."""
        return tuple(photo for photo in self.oddities if photo.kind == kind)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers; fractions to five digits."""
        fields = _rounded(asdict(self))
        near = {"max_distance_of_64_bits": fields.pop("max_distance"), "min_cosine": fields.pop("min_cosine")}
        return {"schema_version": SCHEMA_VERSION, "rules": {"near": near}, **fields}


def survey(
    facts: PhotoFacts,
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    answers: Iterable[Judged],
    *,
    fingerprint: str,
    model: str,
) -> AuditRecord:
    """Everything there is to find, from measurements and one model's view.

    embeddings (n, c), labels (n,): row i belongs to facts.ids[i]. answers: of splits that the model was not fitted on.
    Suspects of all splits are ranked together, each split judged by its own thresholds.
    """
    judged, suspects = [], []
    for split, ids, probabilities, given in answers:
        judged.append(split)
        suspects += suspect_labels(ids, probabilities, given)
    return AuditRecord(
        photos=len(facts),
        fingerprint=fingerprint,
        model=model,
        near=tuple(near_pairs(facts, embeddings)),
        judged_splits=tuple(judged),
        suspects=tuple(sorted(suspects, key=lambda photo: (photo.margin, photo.photo_id))),
        oddities=(*odd_pictures(facts), *far_from_class(embeddings, facts.ids, labels)),
    )


def write_audit(record: AuditRecord) -> Callable[[Path], None]:
    """What writes the record to a path, as `BundleWriter.add_file` and `write_atomically` want it."""
    text = json.dumps(record.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return write


def load_audit(path: Path) -> AuditRecord:
    """Read what `write_audit` wrote. Raises AuditError when it is missing, damaged or of another version."""
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
            near=tuple(NearPair(**pair) for pair in content["near"]),
            judged_splits=tuple(content["judged_splits"]),
            suspects=tuple(SuspectLabel(**photo) for photo in content["suspects"]),
            oddities=tuple(Oddity(**photo) for photo in content["oddities"]),
            max_distance=int(rule["max_distance_of_64_bits"]),
            min_cosine=float(rule["min_cosine"]),
        )
    except OSError as error:
        raise AuditError(f"{path} cannot be read. {_ANEW}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise AuditError(f"{path} is damaged, or no record of an audit. {_ANEW}") from error


def seen_elsewhere_nearly(
    pairs: Collection[NearPair], ids: NDArray[np.int64], splits: NDArray[np.str_], split: str, others: Collection[str]
) -> NDArray[np.int64]:
    """The ids of a split of which a copy, exact or near, lies in one of the other splits: (m,) int64, ascending.

    Figures without these photos say what a model makes of pictures it has really never seen; `others` are the splits it
    was fitted on.
    """
    split_of = dict(zip(ids.tolist(), splits.tolist(), strict=True))
    found = set()
    for pair in pairs:
        for photo, twin in ((pair.first, pair.second), (pair.second, pair.first)):
            if split_of[photo] == split and split_of[twin] in others:
                found.add(photo)
    return np.array(sorted(found), dtype=np.int64)


_ANEW = "scripts/audit_data.py makes it anew."


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, (list, tuple)) else value
