"""Average fine-tuned bundles of one network into one.

    flowers study make_soup NAME BUNDLE BUNDLE …

A model soup costs no more than one of its members (Wortsman et al. 2022, arXiv 2203.05482). The members are chosen
greedily by the likelihood of the validation photos: on a thousand photos the accuracies of many are nearly equal.
Members that have learnt from the validation photos cannot be chosen by them. With `--reference SOUP` all of them are
averaged, as the counterparts of that soup's members, and its calibration is taken over.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from flowers_core.data.open_dataset import open_dataset
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.commands import Command
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import add_data_option, bundle_folder, run, verb_parser


def main() -> None:
    """Parse the command line, choose, average, write the bundle."""
    options = _parse()
    members = [load_bundle(folder) for folder in options.bundles]
    reference = load_bundle(options.reference) if options.reference else None
    _check(members, reference)
    flowers = open_dataset(options.data)

    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.training.soup_bundle import write_soup

    choice = write_soup(options.out, members, flowers, _command(options), reference)
    for member in choice.members:
        print(f"{member.name}: {member.validation_top1:.4f} of validation right, nll {member.validation_nll:.4f}")
    if choice.validation_top1 is not None:
        names = ", ".join(choice.chosen)
        print(f"The mean of {names}: {choice.validation_top1:.4f} of validation right, nll {choice.validation_nll:.4f}")
    print(f"Wrote {options.out}; `flowers quantize {options.out.name}` makes the TFLite models.")


def _check(members: Sequence[Bundle], reference: Bundle | None) -> None:
    kinds = {(member.manifest.backbone, member.crop_rule, member.training.splits) for member in members}
    if len(kinds) > 1:
        raise BundleError("Only models of one network, with one input, trained on the same photos can be averaged.")
    learnt = "validation" in members[0].training.splits
    if learnt and reference is None:
        raise BundleError(
            "These models have learnt from the validation photos, which therefore cannot choose between them: name the "
            "soup of their counterparts with --reference."
        )
    if reference is not None:
        if not learnt:
            raise BundleError("--reference is for models that have learnt from the validation photos; these have not.")
        reference.require_calibration()


def _command(options: argparse.Namespace) -> Command:
    reference = {"reference": options.reference.name} if options.reference else {}
    members = (folder.name for folder in options.bundles)
    return Command("scripts.study.make_soup", reference, (options.out.name, *members))


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("out", type=_new_bundle, metavar="NAME", help="the new bundle's name, or its folder")
    parser.add_argument("bundles", nargs="+", type=bundle_folder, metavar="BUNDLE", help="names or folders of members")
    parser.add_argument(
        "--reference",
        type=bundle_folder,
        metavar="SOUP",
        help="the soup of the same members without validation photos",
    )
    add_data_option(parser)
    options = parser.parse_args()
    if len(options.bundles) < 2:
        parser.error("a soup has at least two members")
    return options


def _new_bundle(text: str) -> Path:
    folder = Path(text)
    return folder if len(folder.parts) > 1 else default_models_dir() / text


if __name__ == "__main__":
    run(main)
