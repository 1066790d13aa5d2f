"""Measure a model on other people's photos, of flowers and of none.

    flowers study evaluate_external BUNDLE

The INT8 model, which is the one that people meet, answers the photos that `flowers study download_external` fetches, as
*Identify* does: with its verdict, and with crops where it is not sure. The figures go into the bundle, for
`results.md`.
"""

from dataclasses import asdict

from flowers_core.data.download.external import FLOWERS
from flowers_core.evaluation.external import evaluate_external
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
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
    record = evaluate_external(bundle, prototypes_of(bundle), options.external, track=progress)
    for what, counts in ((FLOWERS, record.flowers), ("no flower", record.no_flower)):
        told = (f"{name.replace('_', ' ')} {value:.4g}" for name, value in asdict(counts).items())
        print(f"{what}: {', '.join(told)}")
    if not options.dry_run:
        BundleWriter.open(bundle.folder).update(external=record)


if __name__ == "__main__":
    run(main)
