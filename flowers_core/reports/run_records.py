"""Records of runs: the recipe and the figures of each, in `models/records/<name>.json`.

The tables compare runs, and most runs are made for the comparison alone, so their bundles are not shipped. A record is
the part of a bundle's manifest that the tables read, without files, photos or predictions. A shipped bundle is read in
the same form.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flowers_core.explain.records.class_pictures import (
    CLASS_PICTURE_RECORD_FILE,
    ClassPictureRecord,
    load_class_picture_record,
)
from flowers_core.explain.records.concepts import CONCEPT_RECORD_FILE, ConceptRecord, load_concept_record
from flowers_core.explain.records.counterfactuals import (
    COUNTERFACTUALS_FILE,
    CounterfactualRecord,
    load_counterfactuals,
)
from flowers_core.explain.records.lime import LIME_FILE, LimeRecord, load_lime
from flowers_core.explain.records.methods import EXPLANATIONS_FILE, OFF_CENTRE_FILE, MethodRecord, load_methods
from flowers_core.explain.records.representers import REPRESENTERS_FILE, RepresenterRecord, load_representer_record
from flowers_core.inference.bundle import PRECISIONS, Bundle, BundleError, list_bundles
from flowers_core.inference.manifest import record_values, typed_record
from flowers_core.inference.records.confidence import ConfidenceRecord
from flowers_core.inference.records.external import ExternalMetrics
from flowers_core.inference.records.latency import Latency
from flowers_core.inference.records.metrics import CorruptionMetrics, Metrics, MetricsByFormat
from flowers_core.inference.records.multi_crop import MultiCropMetrics
from flowers_core.inference.records.several_photos import SeveralPhotosMetrics
from flowers_core.inference.records.teaching import TeachingFigures
from flowers_core.inference.records.training import Training
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import JsonValueError, read_json

RECORDS_FOLDER = "records"


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One run: how it was made and what it reached.

    Attributes:
        name, backbone: as in the bundle's manifest; so are all attributes up to `teaching`.
        size: side of the input in pixels; None for an ensemble.
        explanations: the comparison of explanation methods, or None.
        off_centre: the same on photos whose middle lies near a corner, or None.
        lime: the comparison of LIME with the `lime` package, or None.
        representers: the measured shares of training photos, or None.
        concepts: what its concepts keep of it, or None.
        counterfactuals: how few positions turn its mistakes, or None.
        class_pictures: whether it names the pictures that it made, or None.
        sibling: name of the run whose figures stand for this one, which has learnt from the test photos; or "".
        shipped: whether the bundle is shipped.
    """

    name: str
    backbone: str
    training: Training
    metrics: MetricsByFormat
    corruptions: Mapping[str, Mapping[str, CorruptionMetrics]] = field(default_factory=dict)
    multi_crop: Mapping[str, MultiCropMetrics] = field(default_factory=dict)
    several_photos: SeveralPhotosMetrics | None = None
    external: ExternalMetrics | None = None
    external_looks: ExternalMetrics | None = None
    model_bytes: Mapping[str, int] = field(default_factory=dict)
    latency: Latency = field(default_factory=Latency)
    latency_elsewhere: Mapping[str, Latency] = field(default_factory=dict)
    confidence: ConfidenceRecord | None = None
    teaching: tuple[TeachingFigures, ...] = ()
    size: int | None = None
    explanations: MethodRecord | None = None
    off_centre: MethodRecord | None = None
    lime: LimeRecord | None = None
    representers: RepresenterRecord | None = None
    concepts: ConceptRecord | None = None
    counterfactuals: CounterfactualRecord | None = None
    class_pictures: ClassPictureRecord | None = None
    sibling: str = ""
    shipped: bool = False


def record_of(bundle: Bundle) -> RunRecord:
    """The record of a bundle. Raises BundleError if the bundle does not say how it was trained."""
    manifest = bundle.manifest
    return RunRecord(
        name=manifest.name,
        backbone=manifest.backbone,
        training=bundle.training,
        metrics=manifest.metrics,
        corruptions=manifest.corruptions,
        multi_crop=manifest.multi_crop,
        several_photos=manifest.several_photos,
        external=manifest.external,
        external_looks=manifest.external_looks,
        model_bytes=manifest.model_bytes,
        latency=manifest.latency,
        latency_elsewhere=manifest.latency_elsewhere,
        confidence=manifest.confidence,
        teaching=manifest.teaching,
        size=manifest.input.size,
        explanations=load_methods(bundle.path(EXPLANATIONS_FILE)) if bundle.has(EXPLANATIONS_FILE) else None,
        off_centre=load_methods(bundle.path(OFF_CENTRE_FILE)) if bundle.has(OFF_CENTRE_FILE) else None,
        lime=load_lime(bundle.path(LIME_FILE)) if bundle.has(LIME_FILE) else None,
        representers=(
            load_representer_record(bundle.path(REPRESENTERS_FILE)) if bundle.has(REPRESENTERS_FILE) else None
        ),
        concepts=load_concept_record(bundle.path(CONCEPT_RECORD_FILE)) if bundle.has(CONCEPT_RECORD_FILE) else None,
        counterfactuals=(
            load_counterfactuals(bundle.path(COUNTERFACTUALS_FILE)) if bundle.has(COUNTERFACTUALS_FILE) else None
        ),
        class_pictures=(
            load_class_picture_record(bundle.path(CLASS_PICTURE_RECORD_FILE))
            if bundle.has(CLASS_PICTURE_RECORD_FILE)
            else None
        ),
        sibling=bundle.sibling or "",
    )


def save_record(record: RunRecord, models_dir: Path) -> Path:
    """Write a record and return its path.

    Args:
        record: of a run whose bundle is not shipped.
        models_dir: the models folder; the record goes into its folder of records.
    """
    path = models_dir / RECORDS_FOLDER / f"{record.name}.json"
    write_json(path, record_values(record))
    return path


def load_record(path: Path) -> RunRecord:
    """Read a record. Raises BundleError if the file is not one."""
    try:
        return typed_record(RunRecord, read_json(path))
    except JsonValueError as error:
        raise BundleError(f"{path} is not the record of a run: {error}") from error


def list_records(models_dir: Path) -> list[RunRecord]:
    """The records of the shipped bundles, in the order of `list_bundles`, then those of the other runs by name."""
    shipped = [replace(record_of(bundle), shipped=True) for bundle in list_bundles(models_dir)]
    names = {record.name for record in shipped}
    others = [load_record(path) for path in sorted((models_dir / RECORDS_FOLDER).glob("*.json"))]
    return shipped + [record for record in others if record.name not in names]


def evaluated(record: RunRecord) -> Iterator[tuple[str, Mapping[str, Metrics]]]:
    """The numeric formats with test figures, the most exact first, each with its figures by split."""
    return ((name, record.metrics[name]) for name in PRECISIONS if "test" in record.metrics.get(name, {}))
