"""What was measured of the models and travels with them: predictions, figures, the audit of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.resources import bundle_files, galleries, models
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import HISTORY_FILE, Bundle, predictions_file
from flowers_core.storage.paths import default_models_dir

if TYPE_CHECKING:
    from pathlib import Path

    from flowers_core.data.audit.record import AuditRecord
    from flowers_core.data.photo_ref import PhotoSet
    from flowers_core.evaluation.predictions import Predictions
    from flowers_core.evaluation.report import Report
    from flowers_core.explain.records.concepts import ConceptRecord
    from flowers_core.explain.records.counterfactuals import CounterfactualRecord
    from flowers_core.explain.records.localization import LocalizationRecord
    from flowers_core.explain.records.methods import MethodRecord
    from flowers_core.inference.records.near_novelty import NearNoveltyRecord
    from flowers_core.retrieval.projection import Projection

TEST_PREDICTIONS = predictions_file("test")


def projection(bundle: Bundle) -> Projection | None:
    """The map of this model's embeddings, or None when the bundle comes without one that can be read."""
    from flowers_core.retrieval.projection import PROJECTION_FILE, load_projection

    return bundle_files.optional_file(bundle, PROJECTION_FILE, load_projection)


def audit(photo_set: PhotoSet) -> tuple[Bundle, AuditRecord] | None:
    """The audit of a data set, and the bundle that brings it; None when none does that can be read.

    Args:
        photo_set: the data set's photos.
    """
    from flowers_core.data.audit.record import AUDIT_FILE, load_audit

    for bundle in models.model_list().bundles:
        record = bundle_files.optional_file(bundle, AUDIT_FILE, load_audit)
        if record is not None and bundle.photo_set == photo_set:
            return bundle, record
    return None


def evaluated_methods(bundle: Bundle, *, off_centre: bool = False) -> MethodRecord | None:
    """How the methods that explain this model compare, or None where that was not measured or cannot be read.

    Args:
        bundle: the model.
        off_centre: on photos that are cut so that their middle lies near a corner.
    """
    from flowers_core.explain.records.methods import EXPLANATIONS_FILE, OFF_CENTRE_FILE, load_methods

    return bundle_files.optional_file(bundle, OFF_CENTRE_FILE if off_centre else EXPLANATIONS_FILE, load_methods)


def localization(bundle: Bundle) -> LocalizationRecord | None:
    """How much relevance lies on the flower, or None where that was not measured or cannot be read."""
    from flowers_core.explain.records.localization import LOCALIZATION_FILE, load_localization

    return bundle_files.optional_file(bundle, LOCALIZATION_FILE, load_localization)


def concepts(bundle: Bundle) -> ConceptRecord | None:
    """What this model's concepts keep of it, or None where that was not measured or cannot be read."""
    from flowers_core.explain.records.concepts import CONCEPT_RECORD_FILE, load_concept_record

    return bundle_files.optional_file(bundle, CONCEPT_RECORD_FILE, load_concept_record)


def counterfactuals(bundle: Bundle) -> CounterfactualRecord | None:
    """How few places turn this model's mistakes, or None where that was not measured or cannot be read."""
    from flowers_core.explain.records.counterfactuals import COUNTERFACTUALS_FILE, load_counterfactuals

    return bundle_files.optional_file(bundle, COUNTERFACTUALS_FILE, load_counterfactuals)


def near_novelty() -> tuple[NearNoveltyRecord, ...]:
    """What was measured with flowers that were left out of training; nothing where that cannot be read."""
    from flowers_core.reports.near_novelty import load_near_novelty

    try:
        return load_near_novelty(default_models_dir())
    except FlowersError:
        return ()


def history(bundle: Bundle) -> dict[str, Any] | None:
    """The epochs of the training, or None where they are not on record or cannot be read."""
    from flowers_core.storage.typed_json import read_json

    return bundle_files.optional_file(bundle, HISTORY_FILE, read_json)


def evaluated_formats(bundle: Bundle) -> tuple[str, ...]:
    """The numeric formats whose predictions for the test photos are on record. Raises FlowersError if damaged."""
    from flowers_core.evaluation.predictions import stored_precisions

    if not bundle.has(TEST_PREDICTIONS):
        return ()
    return bundle_files.bundle_file(bundle, TEST_PREDICTIONS, stored_precisions)


def readable_formats(bundle: Bundle) -> tuple[str, ...]:
    """As `evaluated_formats`; none where the record is damaged."""
    try:
        return evaluated_formats(bundle)
    except FlowersError:
        return ()


def comparable(bundle: Bundle) -> tuple[Bundle, ...]:
    """The models that answered the same photos and know the same classes as far as both go, this one among them."""

    def fits(other: Bundle) -> bool:
        shared = min(len(bundle.class_names), len(other.class_names))
        same_classes = bundle.class_names[:shared] == other.class_names[:shared]
        return same_classes and bundle.manifest.data == other.manifest.data

    return tuple(filter(fits, models.model_list().bundles))


def predictions(bundle: Bundle, numeric_format: str) -> Predictions:
    """The predictions for every test photo.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.

    Raises:
        FlowersError: where they are not on record.
    """
    from flowers_core.evaluation.predictions import load_predictions

    photos = bundle.photo_set

    def load(path: Path) -> Predictions:
        return replace(load_predictions(path, numeric_format), source=photos.source, collection=photos.collection)

    return bundle_files.bundle_file(bundle, TEST_PREDICTIONS, load, what=f"logits {numeric_format}")


def taught(bundle: Bundle) -> Mapping[int, float]:
    """How many of a model's mistakes on test photos each training photo taught, in parts of a mistake.

    Args:
        bundle: the model.

    Returns:
        Id → parts; empty where the model comes without a gallery or predictions.
    """
    try:
        representers, found = galleries.representers(bundle), predictions(bundle, bundle_files.PREFERRED_FORMAT)
    except FlowersError:
        return {}
    wrong = found.select(found.predicted != found.labels)
    if representers is None or not len(wrong):
        return {}
    parts = representers.taught(wrong.logits, wrong.predicted, wrong.labels).sum(axis=0)
    return dict(zip(representers.ids.tolist(), parts.tolist(), strict=True))


def report(bundle: Bundle, numeric_format: str) -> Report:
    """The figures of the test photos.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.

    Raises:
        FlowersError: where the predictions are not on record.
    """
    from flowers_core.evaluation import report as evaluation

    scale = models.temperature(bundle)
    return bundle_files.bundle_file(
        bundle,
        TEST_PREDICTIONS,
        lambda _: evaluation.report(predictions(bundle, numeric_format), scale),
        what=f"report {numeric_format} {scale}",
    )
