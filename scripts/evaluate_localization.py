"""Measure how much of the evidence lies on the flower.

    flowers evaluate_localization efficientnet_lite0_joined

On every test photo the closed form explains what the INT8 model predicts, and Oxford's automatic segmentation says how
much of that lies on the flower. The figures are kept in a file photo by photo, so that a run that was broken off is
resumed. At the end the bundle gets them, for *Confusions* and *Models*.
"""

import argparse
from pathlib import Path

from flowers_core.data.dataset import DatasetMissing
from flowers_core.data.oxford import OxfordFlowers, how_to_get_segmentations
from flowers_core.data.segmentations import has_segmentations
from flowers_core.explain.localization_evaluation import FORMAT, evaluate_localization
from flowers_core.explain.records.localization import LOCALIZATION_FILE, MeanLocalization
from flowers_core.inference.bundle import load_bundle, model_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.storage.files import sha256_of
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser


def main() -> None:
    """Parse the command line, measure what is missing, keep the record in the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    bundle.require_unseen("test")
    flowers = OxfordFlowers(options.data)
    if not has_segmentations(flowers.root):
        raise DatasetMissing(f"There are no segmentations in {flowers.root}. {how_to_get_segmentations(flowers.root)}")
    digest = sha256_of(bundle.path(model_file(FORMAT)))[:12]  # a model made anew starts a record of its own
    path = options.out / f"flower-share-{bundle.name}-{digest}" / "shares.jsonl"
    record = evaluate_localization(bundle, flowers, path, track=progress)
    BundleWriter.open(bundle.folder).add_npz(LOCALIZATION_FILE, compressed=True, **record.arrays())
    right = record.predicted == record.labels
    print(f"{len(record)} test photos, {record.left_out} left out: {_described(record.mean())}")
    print(f"correct {_described(record.mean(right))}; wrong {_described(record.mean(~right))}")


def _described(found: MeanLocalization | None) -> str:
    if found is None:
        return "no photos"
    return f"{100 * found.mass:.1f} % of the evidence on {100 * found.area:.1f} % of the area, {found.ratio:.2f} times"


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("evaluations"), metavar="DIR", help="where records are kept (evaluations/)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
