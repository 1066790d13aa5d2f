"""A manifest as this project wrote it with schema 1, every kind of entry in it, read by this version."""

import json
from pathlib import Path
from typing import Any

import pytest

from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.commands import Command
from flowers_core.inference.manifest import manifest_of, read_manifest, write_manifest
from flowers_core.inference.records.calibration import Calibration, CalibrationSource
from flowers_core.inference.records.external import ExternalClass, ExternalWithoutFlower
from flowers_core.inference.records.gallery import KnnRule
from flowers_core.inference.records.latency import Timing
from flowers_core.inference.records.metrics import NearDuplicateRule
from flowers_core.inference.records.quantization import FormatLoss
from flowers_core.inference.records.training import ModelReference
from flowers_core.reports.run_records import load_record

DIGEST = "ab" * 32
FIGURES = {"images": 10, "top1": 0.9, "per_class": 0.8, "top5": 1.0, "ece": 0.01, "nll": 0.3}
WITHOUT_NEAR = {**FIGURES, "rule": {"max_distance_of_64_bits": 12, "min_cosine": 0.85, "model": "lite"}}
SCHEMA_1: dict[str, Any] = {
    "schema_version": 1,
    "name": "old",
    "backbone": "tiny",
    "input": {"size": 64, "crop_fraction": 0.875},
    "classes": ["rose", "tulip"],
    "files": {"classifier.keras": {"bytes": 3, "sha256": DIGEST}},
    "training": {
        "method": "fine-tuning after a linear probe",
        "splits": ["train", "validation"],
        "training_images": 2040,
        "recipe": {"epochs": 3, "seed": 1, "augmentation": {"crop_area": [0.5, 1.0]}},
        "teachers": [{"name": "teacher", "classifier": DIGEST}],
        "cut": "add_5",
        "best_epoch": 2,
        "interpolation": 0.7,
        "probe_strength": 0.3,
        "validation_top1": None,
        "seed": 1,
        "seconds_of_epochs": 2,
        "seconds_of_this_call": 3.5,
        "weights": "random: nothing was learnt from ImageNet",
        "seed_note": "nobody reads this",
        "command": "python -m scripts.train --also-validation other --teacher teacher",
        "versions": {"keras": "3"},
    },
    "calibration": {
        "temperature": 0.7,
        "conformal_coverage": 0.98,
        "conformal_threshold": 0.9,
        "unsure_below": 0.8,
    },
    "calibration_source": {
        "split": "validation",
        "precision": "int8",
        "photos": 1020,
        "spoilt_kinds": 14,
        "answers_of": "other: the same recipe on the training photos alone, which had not seen them",
        "classifier": DIGEST,
    },
    "reference": {"name": "other", "training_images": 1020, "metrics": {"int8": {"test": FIGURES}}},
    "data": {"fingerprint": DIGEST, "photos": 8189},
    "quantization": {
        "calibration_photos": [3, 5],
        "split": "train",
        "seed": 0,
        "bias_correction": True,
        "aware": {"steps": 8},
        "float_layers": [],
        "loss_on_validation": {"int8": {"top1": 0.1, "per_class": -0.2, "agreement": 0.99}},
    },
    "model_bytes": {"int8": 4},
    "metrics": {
        "int8": {
            "test": {
                **FIGURES,
                "ece_uncalibrated": 0.02,
                "agreement": 1.0,
                "without_duplicates": FIGURES,
                "without_near_copies": WITHOUT_NEAR,
            }
        }
    },
    "robustness": {
        "int8": {
            "test": {
                "images": 10,
                "mean": 0.5,
                "worst": "noise",
                "top1": {"noise": 0.5},
                "ece": 0.1,
                "confidently_wrong": 0.01,
                "confidently_wrong_by_kind": {"noise": 0.01},
            }
        }
    },
    "closer_look": {
        "test": {
            "precision": "int8",
            "images": 10,
            "seed": 0,
            "kinds": {
                "noise": {
                    "top1": 0.5,
                    "not_sure": 5,
                    "suggested": 4,
                    "suggested_right": 3,
                    "answered_right": 1,
                    "top1_taken": 0.7,
                }
            },
        }
    },
    "outside": {
        "precision": "int8",
        "flowers": {
            "photos": 4,
            "top1": 0.5,
            "top5": 0.75,
            "misleading": 1,
            "sure": 2,
            "sure_right": 1,
            "suggested": 1,
            "suggested_right": 0,
        },
        "classes": {"rose": {"photos": 4, "right": 2, "in_top5": 3}},
        "no_flower": {"photos": 3, "misleading": 1, "sure": 1, "suggested": 0},
    },
    "gallery": {"photos": 9, "precision": "int8", "compression": "none", "bytes": 8, "recall_at_10": 1.0},
    "vote": {"k": 3, "temperature": 0.1, "floor": 0.01, "splits": ["train"], "top1": 0.9, "nll": 0.4, "photos": 7},
    "latency": {
        "machine": "some",
        "rounds": 3,
        "paths": {"int8, 1 thread": dict.fromkeys(("median_ms", "p95_ms", "ratio_to_int8"), 1)},
    },
}


def test_every_entry_of_schema_1_is_found_again() -> None:
    manifest = manifest_of(SCHEMA_1)
    training = manifest.training
    assert training is not None
    assert training.photos == 2040
    assert training.command == Command("scripts.train", {"also_validation": "other", "teacher": ("teacher",)})
    assert training.recipe == {"kept_epoch": "best", **SCHEMA_1["training"]["recipe"]}
    assert training.teachers == (ModelReference("teacher", DIGEST),)
    assert (training.freeze_point, training.kept_epoch, training.wise_ft_alpha) == ("add_5", 2, 0.7)
    assert (training.probe_regularization, training.epoch_seconds, training.seconds) == (0.3, 2.0, 3.5)
    assert training.random_weights
    assert manifest.calibration == Calibration(0.7, 0.98, 0.9, 0.8)
    assert manifest.calibration_source == CalibrationSource(
        "validation", "int8", 1020, 14, ModelReference("other", DIGEST)
    )
    assert manifest.counterpart is not None
    assert (manifest.counterpart.name, manifest.counterpart.photos) == ("other", 1020)
    assert manifest.counterpart.metrics["int8"]["test"].balanced_accuracy == 0.8
    assert manifest.quantization is not None
    assert manifest.quantization.representative_photos == (3, 5)
    assert manifest.quantization.qat == {"steps": 8}
    assert manifest.quantization.loss_on_validation == {"int8": FormatLoss(0.1, -0.2, 0.99)}
    test = manifest.metrics["int8"]["test"]
    assert (test.photos, test.balanced_accuracy, test.ece_uncalibrated, test.agreement) == (10, 0.8, 0.02, 1.0)
    assert test.without_duplicates is not None
    assert test.without_duplicates.photos == 10
    assert test.without_near_duplicates is not None
    assert test.without_near_duplicates.rule == NearDuplicateRule(12, 0.85, "lite")
    corrupted = manifest.corruptions["int8"]["test"]
    assert (corrupted.mean, corrupted.high_confidence_errors) == (0.5, 0.01)
    assert corrupted.high_confidence_errors_by_corruption == {"noise": 0.01}
    counts = manifest.multi_crop["test"].corruptions["noise"]
    assert (counts.abstained, counts.suggested_correct, counts.answered_correct, counts.top1_applied) == (5, 3, 1, 0.7)
    assert manifest.external is not None
    assert (manifest.external.flowers.high_confidence_errors, manifest.external.flowers.sure_correct) == (1, 1)
    assert manifest.external.classes == {"rose": ExternalClass(4, 2, 3)}
    assert manifest.external.no_flower == ExternalWithoutFlower(3, 1, 1, 0)
    assert manifest.knn == KnnRule(3, 0.1, 0.01, ("train",), 0.9, 0.4, 7)
    assert manifest.latency.paths == {"int8, 1 thread": Timing(1.0, 1.0, 1.0)}


def test_what_is_converted_is_written_as_schema_2(tmp_path: Path) -> None:
    manifest = manifest_of(SCHEMA_1)
    write_manifest(manifest, tmp_path / "bundle.json")
    stored = json.loads((tmp_path / "bundle.json").read_text())
    assert stored["schema_version"] == 2
    assert stored["training"]["command"]["options"] == {"also_validation": "other", "teacher": ["teacher"]}
    assert "per_class" not in json.dumps(stored)
    assert read_manifest(tmp_path / "bundle.json") == manifest


def test_an_older_bundle_is_loaded_and_its_faults_are_named(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text(json.dumps(SCHEMA_1))
    assert load_bundle(tmp_path).fitted_splits == ("train", "validation")
    (tmp_path / "bundle.json").write_text(json.dumps(SCHEMA_1 | {"vote": SCHEMA_1["vote"] | {"k": 0}}))
    with pytest.raises(BundleError, match=r"bundle\.json is malformed: knn is malformed: a k-NN rule has k of at"):
        load_bundle(tmp_path)


def test_an_ensembles_record_of_schema_1_has_weights_by_format(tmp_path: Path) -> None:
    training = {
        "method": "geometric mean",
        "splits": ["train"],
        "training_images": 1020,
        "seed": None,
        "members": ["a", "b"],
        "weights": {"int8": [0.4, 0.6]},
        "command": "python -m scripts.evaluate_ensemble both a b",
    }
    record = {"name": "both", "backbone": "a + b", "training": training, "metrics": {"int8": {"test": FIGURES}}}
    rest = {"before": {}, "explanations": None, "lime": None, "size": None, "outside": {}, "latency": {}}
    (tmp_path / "both.json").write_text(json.dumps(record | rest))
    made = load_record(tmp_path / "both.json")
    assert made.training.member_weights == {"int8": (0.4, 0.6)}
    assert not made.training.random_weights
    assert made.training.command.line() == "flowers study evaluate_ensemble both a b"
    assert (made.size, made.external, made.metrics["int8"]["test"].top1) == (None, None, 0.9)
