"""Measure what answering crops of a photo gives where the whole leaves doubt.

    flowers study evaluate_multi_crop efficientnet_lite0_joined

The INT8 model answers photos of a split, clean and under fourteen corruptions. Where it is not sure, crops of the photo
are looked at as on *Identify*. The answer from all looks is compared with the truth and with the answer from one. The
figures go into the bundle, for `results.md`.
"""

from flowers_core.evaluation.multi_crop import FORMAT, evaluate_multi_crop
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import open_runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser


def main() -> None:
    """Parse the command line, answer the photos, print the table and keep it in the bundle."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--split", choices=("validation", "test"), default="test", help="default: test")
    parser.add_argument("--photos", type=at_least(1), default=204, help="stratified by class (default: 204)")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    options = parser.parse_args()
    bundle = load_bundle(options.bundle)
    flowers = dataset_of(bundle, options.data)
    answerer = open_answerer(bundle, open_runtime(bundle, FORMAT), lambda: prototypes_of(bundle))
    record = evaluate_multi_crop(
        answerer, flowers, options.split, photos=options.photos, seed=options.seed, track=progress
    )
    print(f"{'photos':22} {'top-1':>7} {'all looks':>9} {'sure':>5} {'all looks':>9} {'right':>6} {'decided':>8}")
    for kind, row in record.corruptions.items():
        sure = f"{record.photos - row.abstained:5} {row.sure_applied:9} {row.sure_applied_correct:6}"
        print(f"{kind:22} {100 * row.top1:7.2f} {100 * row.top1_applied:9.2f} {sure} {row.suggested:8}")
    if not options.dry_run:
        writer = BundleWriter.open(bundle.folder)
        writer.change(lambda held: {"multi_crop": {**held.multi_crop, options.split: record}})


if __name__ == "__main__":
    run(main)
