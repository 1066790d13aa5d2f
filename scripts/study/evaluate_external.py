"""Measure a model on other people's photos, of flowers and of none.

    flowers study evaluate_external BUNDLE

The INT8 model, which is the one that people meet, answers the photos that `flowers study download_external` fetches, as
*Identify* does. The figures from one look at each photo and those from all looks go into the bundle, for `results.md`.
"""

from dataclasses import asdict

from flowers_core.data.download.external import FLOWERS
from flowers_core.evaluation.external import evaluate_external
from flowers_core.evaluation.multi_crop import FORMAT
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import open_runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from scripts.options.command import add_bundle_argument, add_external_option, progress, run, verb_parser


def main() -> None:
    """Parse the command line, answer the photos, print the figures and keep them in the bundle."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_external_option(parser)
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    options = parser.parse_args()
    bundle = load_bundle(options.bundle)
    answerer = open_answerer(bundle, open_runtime(bundle, FORMAT), lambda: prototypes_of(bundle))
    one, all_looks = evaluate_external(answerer, options.external, track=progress)
    for looks, record in (("one look", one), ("all looks", all_looks)):
        for what, counts in ((FLOWERS, record.flowers), ("no flower", record.no_flower)):
            told = (f"{name.replace('_', ' ')} {value:.4g}" for name, value in asdict(counts).items())
            print(f"{what}, {looks}: {', '.join(told)}")
    if not options.dry_run:
        BundleWriter.open(bundle.folder).update(external=one, external_looks=all_looks)


if __name__ == "__main__":
    run(main)
