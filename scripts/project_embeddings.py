"""Lay a bundle's gallery out as a map.

    flowers project_embeddings efficientnet_lite0_joined

Needs the bundle's gallery and nothing else: neither the dataset nor the models.
"""

from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.projection import PROJECTION_FILE, project
from scripts.options.command import add_bundle_argument, run, verb_parser


def main() -> None:
    """Parse the command line, lay the embeddings out, write them into the bundle."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the layout (default: 0)")
    options = parser.parse_args()

    bundle = load_bundle(options.bundle)
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise BundleError(f"'{bundle.name}' has no gallery yet; `flowers build_gallery` makes it.")
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    if len(gallery) < 4:
        raise BundleError(f"The gallery of '{bundle.name}' holds {len(gallery)} photos, too few for a map.")
    found = project(gallery.vectors(), gallery.ids, seed=options.seed)
    BundleWriter.open(options.bundle).add_npz(PROJECTION_FILE, compressed=True, **found.arrays())
    print(f"{len(gallery)} photos on the map; trustworthiness {found.trustworthiness:.4f}.")


if __name__ == "__main__":
    run(main)
