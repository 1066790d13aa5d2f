"""Manifests and run records of schema 1, converted to the keys of schema 2.

Schema 1 had this project's own words as keys, kept a run's options as a shell line, and kept some values as prose. Its
keys that nobody reads any more are left in place; the reader drops them.
"""

from collections.abc import Mapping
from typing import Any

from flowers_core.inference.commands import parse_command
from flowers_core.storage.typed_json import to_json

_TOP = {
    "robustness": "corruptions",
    "closer_look": "multi_crop",
    "outside": "external",
    "vote": "knn",
    "reference": "counterpart",
}
_TRAINING = {
    "training_images": "photos",
    "best_epoch": "kept_epoch",
    "cut": "freeze_point",
    "interpolation": "wise_ft_alpha",
    "probe_strength": "probe_regularization",
    "strength": "probe_regularization",
    "validation_top1_by_strength": "validation_top1_by_regularization",
    "seconds_of_epochs": "epoch_seconds",
    "seconds_of_this_call": "seconds",
}
_METRICS = {
    "images": "photos",
    "per_class": "balanced_accuracy",
    "without_near_copies": "without_near_duplicates",
}
_CORRUPTIONS = {
    "images": "photos",
    "confidently_wrong": "high_confidence_errors",
    "confidently_wrong_by_kind": "high_confidence_errors_by_corruption",
}
_MULTI_CROP = {"images": "photos", "kinds": "corruptions"}
_MULTI_CROP_COUNTS = {
    "not_sure": "abstained",
    "suggested_right": "suggested_correct",
    "answered_right": "answered_correct",
    "top1_taken": "top1_applied",
}
_EXTERNAL = {
    "misleading": "high_confidence_errors",
    "sure_right": "sure_correct",
    "suggested_right": "suggested_correct",
    "right": "correct",
}
_QUANTIZATION = {"calibration_photos": "representative_photos", "aware": "qat"}
# Scripts that have moved since then.
_SCRIPTS = {
    "scripts.evaluate_ensemble": "scripts.study.evaluate_ensemble",
}
# Options that have been renamed since then.
_OPTIONS = {"like": "reference"}


def converted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of schema 1 with the keys of schema 2; missing keys stay missing."""
    found = _renamed(values, _TOP)
    found.pop("schema_version", None)
    for key, convert in _PARTS.items():
        if isinstance(found.get(key), Mapping):
            found[key] = convert(found[key])
    # An empty object meant that nothing was measured.
    return {key: value for key, value in found.items() if value != {} or key == "files"}


def _training(values: Mapping[str, Any]) -> dict[str, Any]:
    found = _renamed(values, _TRAINING)
    weights = found.pop("weights", None)  # an ensemble's by format, or a word on the backbone's
    if isinstance(weights, Mapping):
        found["member_weights"] = weights
    elif weights is not None:
        found["random_weights"] = True
    if isinstance(found.get("command"), str):
        found["command"] = _command(found["command"])
    if isinstance(found.get("member_commands"), Mapping):
        found["member_commands"] = {name: _command(line) for name, line in found["member_commands"].items()}
    for key in ("recipe", "head_recipe"):
        # Before there was a choice, the best epoch was kept.
        if isinstance(found.get(key), Mapping):
            found[key] = {"kept_epoch": "best", **found[key]}
    return found


def _command(line: str) -> Any:
    command = to_json(parse_command(line))
    options = _renamed(command.get("options", {}), _OPTIONS)
    return {**command, "script": _SCRIPTS.get(command["script"], command["script"]), "options": options}


def _calibration_source(values: Mapping[str, Any]) -> dict[str, Any]:
    found = _renamed(values, {"spoilt_kinds": "corruptions"})
    if "answers_of" in found:
        name = str(found.pop("answers_of")).partition(":")[0]
        found["model"] = {"name": name, "classifier": found.pop("classifier", "")}
    return found


def _counterpart(values: Mapping[str, Any]) -> dict[str, Any]:
    found = _renamed(values, {"training_images": "photos"})
    return found | {"metrics": _metrics(found.get("metrics", {}))}


def _metrics(values: Mapping[str, Any]) -> dict[str, Any]:
    return _by_format_and_split(values, _figures)


def _figures(values: Mapping[str, Any]) -> dict[str, Any]:
    found = _renamed(values, _METRICS)
    for key in ("without_duplicates", "without_near_duplicates"):
        if isinstance(found.get(key), Mapping):
            found[key] = _renamed(found[key], _METRICS)
    return found


def _corruptions(values: Mapping[str, Any]) -> dict[str, Any]:
    return _by_format_and_split(values, lambda figures: _renamed(figures, _CORRUPTIONS))


def _multi_crop(values: Mapping[str, Any]) -> dict[str, Any]:
    found = {split: _renamed(figures, _MULTI_CROP) for split, figures in values.items()}
    for figures in found.values():
        rows = figures.get("corruptions", {})
        figures["corruptions"] = {kind: _renamed(row, _MULTI_CROP_COUNTS) for kind, row in rows.items()}
    return found


def _external(values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    for key in ("flowers", "no_flower"):
        if isinstance(found.get(key), Mapping):
            found[key] = _renamed(found[key], _EXTERNAL)
    if isinstance(found.get("classes"), Mapping):
        found["classes"] = {name: _renamed(counts, _EXTERNAL) for name, counts in found["classes"].items()}
    return found


def _quantization(values: Mapping[str, Any]) -> dict[str, Any]:
    found = _renamed(values, _QUANTIZATION)
    losses = found.get("loss_on_validation", {})
    return found | {"loss_on_validation": {name: _renamed(loss, _METRICS) for name, loss in losses.items()}}


def _by_format_and_split(values: Mapping[str, Any], convert: Any) -> dict[str, Any]:
    return {
        numeric_format: {split: convert(figures) for split, figures in splits.items()}
        for numeric_format, splits in values.items()
    }


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in values.items()}


_PARTS = {
    "training": _training,
    "calibration_source": _calibration_source,
    "counterpart": _counterpart,
    "metrics": _metrics,
    "corruptions": _corruptions,
    "multi_crop": _multi_crop,
    "external": _external,
    "quantization": _quantization,
}
