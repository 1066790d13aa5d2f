"""Measure how well a network tells flowers that it never learnt from those that it did.

    flowers study evaluate_near_novelty
    flowers study evaluate_near_novelty --trained out_0 out_1 out_2 out_3 out_4
    flowers study evaluate_near_novelty --trained far_0 … far_4 --trained strong_0 … strong_4

Five draws leave 20 of the 102 classes out. By itself the protocol is the cheap one: the backbone keeps its ImageNet
weights, which learnt no class of the data set, and each draw fits a head to the training photos of 82 classes.

`--trained` takes a bundle for each draw, fine-tuned without its classes; `--commands` prints the lines that train them.
Given twice, it makes the two bundles of each draw the branches of one network, whose logits are the mean of theirs.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flowers_core.data.batches import input_batches, stratified_sample
from flowers_core.data.dataset import Dataset, DatasetError
from flowers_core.data.model_input import CropRule
from flowers_core.data.open_dataset import open_dataset
from flowers_core.evaluation.near_novelty import (
    LEFT_OUT,
    Embedded,
    kept_classes,
    left_out_classes,
    mean_head,
    near_draw,
    side_by_side,
)
from flowers_core.inference.bundle import CLASSIFIER_FILE, BundleError, load_bundle
from flowers_core.inference.records.near_novelty import NearDraw, NearNoveltyRecord
from flowers_core.reports.near_novelty import keep_near_novelty
from flowers_core.storage.files import write_npz
from flowers_core.storage.npz import read_npz
from flowers_core.storage.paths import default_models_dir, default_weights_dir
from scripts.options.command import add_data_option, at_least, bundle_folder, progress, run, verb_parser

_BATCH = 32
_SPLITS = ("train", "validation", "test")


def main() -> None:
    """Parse the command line, measure each draw, print and keep the figures."""
    options = _parse()
    flowers = open_dataset(options.data)
    classes = len(flowers.names)
    if classes < LEFT_OUT + 2:
        raise DatasetError(
            f"{LEFT_OUT} classes are left out at a time and two must stay; {options.data} has {classes}."
        )
    if options.commands:
        for seed in range(options.draws):
            labels = " ".join(f"--leave-out {label}" for label in left_out_classes(seed, classes))
            print(f"flowers train {options.commands} {labels} --out models/left_out_{seed}")
        return
    draws = _of_trained(options, flowers) if options.trained else _of_frozen(options, flowers)
    found = []
    for draw in draws:
        found.append(draw)
        told = (f"{name} {100 * score.auroc:.2f} / {100 * score.fpr:.2f}" for name, score in draw.scores.items())
        print(f"draw {draw.seed}, top-1 {100 * draw.top1:.2f}; AUROC / FPR: {', '.join(told)}", flush=True)
    protocol = "trained" if options.trained else "frozen"
    network, *others = _commands(options) if options.trained else [options.backbone]
    if not options.dry_run:
        keep_near_novelty(NearNoveltyRecord(protocol, network, tuple(found), tuple(others)), options.models)


def _commands(options: argparse.Namespace) -> list[str]:
    """The command that trained each branch of the first draw's network."""
    return [load_bundle(bundles[0]).training.command.line() for bundles in options.trained]


def _of_frozen(options: argparse.Namespace, flowers: Dataset) -> Iterator[NearDraw]:
    from flowers_core.training.linear_probe import fit_probe

    splits, classes = _frozen_embeddings(options, flowers), len(flowers.names)
    for seed in range(options.draws):
        left_out = left_out_classes(seed, classes)
        kept = kept_classes(left_out, classes)
        training, validation = splits["train"].of(kept), splits["validation"].of(kept)
        probe = fit_probe(
            training.embeddings,
            training.labels,
            (validation.embeddings, validation.labels),
            classes=len(kept),
            candidates=(options.regularization,),
        )
        yield near_draw(splits, (probe.W, probe.b), seed, left_out, classes)


def _of_trained(options: argparse.Namespace, flowers: Dataset) -> Iterator[NearDraw]:
    names = list(flowers.names)
    draws = [[load_bundle(folder) for folder in branches] for branches in zip(*options.trained, strict=True)]
    for seed, branches in enumerate(draws):
        kept = kept_classes(left_out_classes(seed, len(names)), len(names))
        for bundle in branches:
            if [names.index(name) + 1 for name in bundle.class_names] != kept.tolist():
                raise BundleError(
                    f"'{bundle.name}' was not trained without the classes of draw {seed}; see --commands."
                )
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.classifier import load_classifier

    for seed, branches in enumerate(draws):
        seen = []
        for bundle in branches:
            classifier = load_classifier(bundle.path(CLASSIFIER_FILE))
            seen.append(_embeddings(classifier, bundle.crop_rule, flowers, options, bundle.name))
        splits = {split: side_by_side([one[split] for one in seen]) for split in _SPLITS}
        head = mean_head([bundle.head() for bundle in branches])
        yield near_draw(splits, head, seed, left_out_classes(seed, len(names)), len(names))


def _frozen_embeddings(options: argparse.Namespace, flowers: Dataset) -> dict[str, Embedded]:
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.backbones import backbone_named, build_backbone
    from flowers_core.networks.classifier import build_classifier

    rule = CropRule(backbone_named(options.backbone).size)
    backbone = build_backbone(options.backbone, weights_dir=options.weights, size=rule.size)
    return _embeddings(build_classifier(backbone, 2), rule, flowers, options, f"frozen {options.backbone}")


def _embeddings(
    classifier: Any, rule: CropRule, flowers: Dataset, options: argparse.Namespace, name: str
) -> dict[str, Embedded]:
    from flowers_core.training.linear_probe import embed

    found = {}
    for split in _SPLITS:
        ids = flowers.split_ids(split)
        if split == "test" and options.photos:
            ids = stratified_sample(flowers, split, options.photos, 0)
        kept = options.cache and options.cache / f"{name}, {len(ids)} {split} photos.npz"
        if kept and kept.is_file():
            vectors = read_npz(kept)["embeddings"]
        else:
            batches = input_batches(flowers, ids, rule)
            vectors = embed(classifier, progress(batches, f"{name}, {split}", -(-len(ids) // _BATCH)))
            if kept:
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_npz(kept, embeddings=vectors)
        found[split] = Embedded(vectors, flowers.labels_of(ids))
    return found


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_data_option(parser)
    parser.add_argument("--draws", type=at_least(1), default=5, help="default: 5")
    parser.add_argument("--backbone", default="efficientnet_lite0", help="of the cheap protocol")
    parser.add_argument("--regularization", type=float, default=0.3, metavar="C", help="of its head (default: 0.3)")
    parser.add_argument("--photos", type=at_least(102), help="of the test split, stratified (default: all)")
    parser.add_argument("--weights", type=Path, default=default_weights_dir(), metavar="DIR", help="of ImageNet")
    parser.add_argument(
        "--trained",
        type=bundle_folder,
        nargs="+",
        action="append",
        metavar="BUNDLE",
        help="one for each draw; again for another branch",
    )
    parser.add_argument("--commands", metavar="OPTIONS", help="only print how to train the bundles, with these options")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the embeddings there")
    parser.add_argument(
        "--models", type=Path, default=default_models_dir(), metavar="DIR", help="where the record goes"
    )
    parser.add_argument("--dry-run", action="store_true", help="print only: keep no record")
    options = parser.parse_args()
    if any(len(bundles) != options.draws for bundles in options.trained or ()):
        parser.error(f"--trained needs a bundle for each of the {options.draws} draws")
    return options


if __name__ == "__main__":
    run(main)
