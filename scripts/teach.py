"""Teach a model a new flower from a few photos, or correct one that it mistakes.

    flowers teach efficientnet_lite0_small edelweiss photos/*.jpg
    flowers teach efficientnet_lite0_small_taught rose mistaken.jpg
    flowers teach efficientnet_lite0_small_taught --undo

Three to ten photos are enough. The first lesson makes a bundle NAME_taught beside the one named; later lessons, and
--undo, change that. What a lesson costs is told first: --dry-run stops there. TensorFlow is not needed.
"""

import argparse
from pathlib import Path

from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.identify import photos_below
from flowers_core.lessons.proposal import Proposal, keep, proposed, taught_name, undone
from flowers_core.retrieval.lesson_photos import embed
from scripts.options.command import add_bundle_argument, progress, run, verb_parser


def main() -> None:
    """Parse the command line, teach or undo, and write the taught bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    proposal = undone(bundle) if options.undo else _lesson(bundle, options)
    if proposal.validation is not None and proposal.change is not None:
        learnt = ", which the model has learnt from" if "validation" in bundle.fitted_splits else ""
        gained, lost = len(proposal.change.gained), len(proposal.change.lost)
        print(f"Of {len(proposal.validation)} validation photos{learnt}: {gained} gained, {lost} lost.")
    if options.dry_run:
        return
    folder = options.bundle.parent / taught_name(bundle)
    written = keep(bundle, proposal, folder)
    print(f"{folder}: {len(written.class_names)} classes, {len(proposal.after.lessons)} lessons.")


def _lesson(bundle: Bundle, options: argparse.Namespace) -> Proposal:
    digests, embeddings = embed(bundle, list(photos_below(options.photos)), track=progress)
    found = proposed(bundle, options.name, digests, embeddings)
    assert found.taught is not None
    told = f"left out one by one, {found.taught.leave_one_out:.0%} of them are named rightly."
    print(f"{found.photos} photos of '{found.name}'; {told}")
    return found


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="the flower, new or known")
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="photos of it, or folders of them")
    parser.add_argument("--undo", action="store_true", help="instead, take back the last lesson")
    parser.add_argument("--dry-run", action="store_true", help="tell what the lesson would cost and keep nothing")
    options = parser.parse_args()
    if options.undo == bool(options.name):
        parser.error("give a NAME and PHOTOs, or --undo alone")
    if options.name and not options.photos:
        parser.error(f"give photos of '{options.name}', three to ten of them")
    return options


if __name__ == "__main__":
    run(main)
