"""What remains of a run whose bundle is not shipped: its recipe and its figures, in `models/records/<name>.json`.

The tables compare runs, and most runs are made for the comparison alone. A record is the part of a bundle's manifest
that the tables read, without files, photos or answers; a shipped bundle is read in the same form.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from flowers_core.explain.records.lime import LIME_FILE, LimeRecord, load_lime
from flowers_core.explain.records.methods import EXPLANATIONS_FILE, MethodRecord, load_methods
from flowers_core.inference.bundle import PRECISIONS, Bundle, BundleError, list_bundles
from flowers_core.storage.files import write_atomically

RECORDS_FOLDER = "records"


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One run: how it was made and what it reached.

    training: the manifest's entry of that name, with `command`, `splits`, `training_images`, `seed` and, if fine-tuned,
    `recipe`. metrics: by precision, then by split. robustness: likewise, on photos spoilt as people's are. closer_look:
    by split, what looking at parts of a photo gives. outside: on photos from outside the
    dataset. model_bytes, latency: by precision. before: figures of the head alone, before any layer was unfrozen.
    explanations: how the ways to explain it compare, lime: LIME against the `lime` package, where these were measured.
    """

    name: str
    backbone: str
    training: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]
    robustness: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    closer_look: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outside: Mapping[str, Any] = field(default_factory=dict)
    model_bytes: Mapping[str, int] = field(default_factory=dict)
    latency: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None
    explanations: MethodRecord | None = None
    lime: LimeRecord | None = None
    shipped: bool = False


def record_of(bundle: Bundle) -> RunRecord:
    """The record of a bundle. Raises BundleError when it says nothing of its training."""
    if "training" not in bundle.manifest:
        raise BundleError(f"The model '{bundle.name}' does not say how it was trained.")
    return RunRecord(
        name=bundle.name,
        backbone=bundle.manifest["backbone"],
        training=bundle.manifest["training"],
        metrics=bundle.metrics,
        robustness=bundle.manifest.get("robustness", {}),
        closer_look=bundle.manifest.get("closer_look", {}),
        outside=bundle.manifest.get("outside", {}),
        model_bytes=bundle.manifest.get("model_bytes", {}),
        latency=bundle.latency,
        before=_before(bundle),
        size=bundle.crop_rule.size,
        explanations=load_methods(bundle.path(EXPLANATIONS_FILE)) if bundle.has(EXPLANATIONS_FILE) else None,
        lime=load_lime(bundle.path(LIME_FILE)) if bundle.has(LIME_FILE) else None,
    )


def save_record(record: RunRecord, models_dir: Path) -> Path:
    """Write a record among a models folder's records and return its path."""
    path = models_dir / RECORDS_FOLDER / f"{record.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # The comparisons of explanations are files of a shipped bundle; a run that is only compared has none.
    kept = asdict(replace(record, explanations=None, lime=None))
    text = json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def write(beside: Path) -> None:
        beside.write_text(text, encoding="utf-8")

    write_atomically(path, write)
    return path


def load_record(path: Path) -> RunRecord:
    """Read a record. Raises BundleError when it is not one."""
    try:
        return RunRecord(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(f"{path} is not the record of a run: {error}.") from error


def list_records(models_dir: Path) -> list[RunRecord]:
    """Shipped bundles first, as `list_bundles` has them, then the records of the other runs by name."""
    shipped = [replace(record_of(bundle), shipped=True) for bundle in list_bundles(models_dir)]
    names = {record.name for record in shipped}
    others = [load_record(path) for path in sorted((models_dir / RECORDS_FOLDER).glob("*.json"))]
    return shipped + [record for record in others if record.name not in names]


def evaluated(record: RunRecord) -> Iterator[tuple[str, Mapping[str, Mapping[str, Any]]]]:
    """The precisions that have test figures, from the most exact to the smallest, each with its figures by split."""
    return ((name, record.metrics[name]) for name in PRECISIONS if "test" in record.metrics.get(name, {}))


def _before(bundle: Bundle) -> dict[str, float]:
    if not bundle.has("history.json"):
        return {}
    history = json.loads(bundle.path("history.json").read_text(encoding="utf-8"))
    probe = history.get("probe") or {}
    return {key: probe[key] for key in ("validation_top1",) if key in probe}
