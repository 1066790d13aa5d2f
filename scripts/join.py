"""Join bundles that share their first layers into one network with a branch for each.

    flowers join NAME BUNDLE BUNDLE

The bundles are fine-tuned from the same weights, behind the same layer, on the same photos, and evaluated. The new
network computes what they share once. Its logits are the mean of theirs, each divided by its temperature, which is the
geometric mean of calibrated probabilities: an ensemble for less than its cost. Nothing is trained.

Where the bundles have learnt from the validation photos, the calibration of the joined network comes from its
counterpart: `--reference` names what their counterparts on the training photos alone were joined into; where they have
learnt from the test photos too, what was joined without these.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.commands import Command
from flowers_core.inference.records.training import Training
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import add_data_option, bundle_folder, run, verb_parser


def main() -> None:
    """Parse the command line, join, write the bundle."""
    options = _parse()
    members = [load_bundle(folder) for folder in options.bundles]
    reference = load_bundle(options.reference) if options.reference else None
    _check(members, reference)
    certain = np.array([1 / member.require_calibration().temperature for member in members])
    shares = certain / certain.sum()
    first = members[0]
    flowers = dataset_of(first, options.data)

    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.backbones import branched_backbone, build_backbone
    from flowers_core.networks.branches import set_branches
    from flowers_core.networks.classifier import build_classifier, load_classifier
    from flowers_core.training.write_bundle import write_trained

    backbone = branched_backbone(first.manifest.backbone, len(members))
    network = build_backbone(backbone, weights_dir=None, size=first.crop_rule.size)
    joined = build_classifier(network, len(first.class_names))
    set_branches(joined, [load_classifier(member.path(CLASSIFIER_FILE)) for member in members], shares)
    writer = BundleWriter.create(
        options.out, name=options.out.name, backbone=backbone, crop_rule=first.crop_rule, classes=first.class_names
    )
    names = tuple(member.name for member in members)
    training = Training(
        method="fine-tuned networks that share their first layers, as branches of one",
        splits=first.training.splits,
        photos=first.training.photos,
        held_out_half=first.training.held_out_half,
        command=Command("scripts.join", {"reference": reference.name} if reference else {}, (options.out.name, *names)),
        freeze_point=first.training.freeze_point,
        members=names,
        member_commands={member.name: member.training.command for member in members},
    )
    write_trained(writer, flowers, joined, training, {}, reference)
    print(", ".join(f"{share:.0%} {name}" for share, name in zip(shares, names, strict=True)))
    print(f"Wrote {options.out}; `flowers quantize {options.out.name}` makes the TFLite models.")


def _check(members: Sequence[Bundle], reference: Bundle | None) -> None:
    kinds = {
        (m.manifest.backbone, m.crop_rule, m.class_names, m.training.splits, m.training.held_out_half) for m in members
    }
    if len(kinds) > 1:
        raise BundleError("Only models of one network, with one input, trained on the same photos can be joined.")
    learnt = "validation" in members[0].training.fitted_splits
    if learnt and reference is None:
        raise BundleError(
            "These models have learnt from the validation photos, which therefore cannot calibrate their mean: join "
            "their counterparts first, and name the result with --reference."
        )
    if reference is not None:
        if not learnt:
            raise BundleError("--reference is for models that have learnt from the validation photos; these have not.")
        reference.require_calibration()


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("out", type=_new_bundle, metavar="NAME", help="the new bundle's name, or its folder")
    parser.add_argument("bundles", nargs="+", type=bundle_folder, metavar="BUNDLE", help="names or folders of members")
    parser.add_argument(
        "--reference", type=bundle_folder, metavar="BUNDLE", help="the joined counterparts without validation photos"
    )
    add_data_option(parser)
    options = parser.parse_args()
    if len(options.bundles) < 2:
        parser.error("there is nothing to join: name two bundles")
    return options


def _new_bundle(text: str) -> Path:
    folder = Path(text)
    return folder if len(folder.parts) > 1 else default_models_dir() / text


if __name__ == "__main__":
    run(main)
