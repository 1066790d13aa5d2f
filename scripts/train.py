"""Train a classifier and write it as a bundle: `python -m scripts.train --backbone efficientnet_lite0`.

A linear probe: the backbone keeps its ImageNet weights, and logistic regression on its embedding of the training photos
(each also mirrored) becomes the head. How strongly it is regularized is chosen on the validation photos.
"""

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from flowers_core.bundle import BundleWriter, default_models_dir
from flowers_core.dataset import OxfordFlowers
from flowers_core.photos import CropRule
from scripts.command import add_data_option, progress, run


def main() -> None:
    """Parse the command line, train, write the bundle."""
    options = _parse()
    flowers = OxfordFlowers(options.data)

    # TensorFlow takes seconds to import: only once the arguments are known to be good.
    from flowers_core.training.backbones import BACKBONES, build_backbone
    from flowers_core.training.classifier import build_classifier

    rule = CropRule(options.size or BACKBONES[options.backbone].size, options.crop_fraction)
    backbone = build_backbone(options.backbone, weights_dir=options.weights, size=rule.size)
    classifier = build_classifier(backbone, len(flowers.names))
    started = time.perf_counter()
    head, record = _fit_head(classifier, flowers, rule)
    record["seconds"] = round(time.perf_counter() - started, 1)
    _write(options, flowers, rule, classifier, head, record)


def _fit_head(classifier: Any, flowers: OxfordFlowers, rule: CropRule) -> tuple[Any, dict[str, Any]]:
    from flowers_core.batches import input_batches
    from flowers_core.training.probe import embed, fit_probe

    embedded = {}
    for split in ("train", "validation"):
        ids = flowers.split_ids(split)
        batches = progress(input_batches(flowers, ids, rule), f"embedding {split}", -(-len(ids) // 32))
        embedded[split] = embed(classifier, batches, flips=split == "train")
    labels = {split: flowers.labels[flowers.splits == split] for split in embedded}
    probe = fit_probe(
        np.concatenate(embedded["train"]),
        np.tile(labels["train"], 2),
        (embedded["validation"], labels["validation"]),
        classes=len(flowers.names),
    )
    best = max(accuracy for _, accuracy in probe.trials)
    print(f"Linear probe: C = {probe.strength:g}, {best:.4f} of the validation photos right.")
    record = {
        "method": "linear probe",
        "splits": ["train"],
        "training_images": len(labels["train"]),
        "augmentation": "horizontal flip",
        "strength": probe.strength,
        "validation_top1_by_strength": dict(probe.trials),
        "seed": None,
        "seed_note": "nothing is drawn at random: the problem is convex",
    }
    return probe, record


def _write(
    options: argparse.Namespace,
    flowers: OxfordFlowers,
    rule: CropRule,
    classifier: Any,
    head: Any,
    record: dict[str, Any],
) -> None:
    from flowers_core.training.classifier import load_classifier, save_half, set_head

    set_head(classifier, head.W, head.b)
    writer = BundleWriter.create(
        options.out, name=options.out.name, backbone=options.backbone, crop_rule=rule, classes=list(flowers.names)
    )
    writer.manifest["training"] = record | {
        "command": _command(options),
        "versions": {package: version(package) for package in ("tensorflow", "keras", "scikit-learn", "numpy")},
    }
    writer.manifest["data"] = {"fingerprint": flowers.fingerprint(), "photos": len(flowers)}
    writer.add_file("classifier.keras", lambda path: save_half(classifier, path))
    # The head is stored as the saved classifier has it, so that the closed forms add up to what the models answer.
    W, b = load_classifier(writer.folder / "classifier.keras").get_layer("logits").get_weights()
    writer.add_file("head.npz", lambda path: np.savez(path, W=W, b=b))
    writer.add_file("history.json", lambda path: _write_json(path, record))
    writer.sweep()
    print(f"Wrote {writer.folder}; `python -m scripts.quantize {options.out.name}` makes the TFLite models.")


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _command(options: argparse.Namespace) -> str:
    size = f" --size {options.size}" if options.size else ""
    crop = f" --crop-fraction {options.crop_fraction:g}" if options.crop_fraction != 1 else ""
    return f"python -m scripts.train --backbone {options.backbone}{size}{crop}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.train", description="Train a classifier.")
    parser.add_argument("--backbone", default="efficientnet_lite0", help="name of the pretrained network")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the bundle's folder (default: models/<backbone>)")
    parser.add_argument("--size", type=int, help="side of the model's input in pixels (default: the backbone's own)")
    parser.add_argument("--crop-fraction", type=float, default=1.0, help="share of the short side that is seen")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="folder of the ImageNet weights (default: FLOWERS_WEIGHTS_DIR, or weights/)",
    )
    add_data_option(parser)
    options = parser.parse_args()
    from flowers_core.training.backbones import BACKBONES, default_weights_dir

    if options.backbone not in BACKBONES:
        parser.error(f"there is no backbone '{options.backbone}'; choose one of {', '.join(sorted(BACKBONES))}")
    if not 0 < options.crop_fraction <= 1:
        parser.error("--crop-fraction must be above 0 and at most 1")
    if options.size is not None and options.size < 32:
        parser.error("--size must be at least 32")
    options.weights = options.weights or default_weights_dir()
    options.out = options.out or default_models_dir() / options.backbone
    return options


if __name__ == "__main__":
    run(main)
