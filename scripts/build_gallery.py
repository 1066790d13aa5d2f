"""Index photos by what a bundle's model sees in them, the data set's or your own.

    flowers build_gallery efficientnet_lite0

The embeddings come from the INT8 model, the one that will be asked about new photos, so that both sides are alike.
Beside the index are kept: the digest of each photo, so that one of the dataset is known again; how alike two photos of
one class are, so that a similarity can be read; and the rule by which the nearest training photos vote, chosen on
validation photos. Where the model was fitted on those, `--vote-from` takes the rule of a model that was not.

With `--photos DIR` photos of one's own join the gallery, and with `--remove` they leave it; the bundle stays as it is.
"""

from pathlib import Path

import numpy as np

from flowers_core.data.batches import input_batches
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import Bundle, BundleError, BundleWriter, load_bundle
from flowers_core.inference.manifest import GalleryFacts, KnnRule
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.knn import fit_knn_rule
from flowers_core.retrieval.similarity import SIMILARITY_FILE, fit_class_similarity, recall_at_k
from flowers_core.storage.files import sha256_of
from scripts.build_own_gallery import add_photos, remove_photos
from scripts.options.command import add_bundle_argument, add_data_option, bundle_folder, progress, run, verb_parser

_BATCH = 32
_PRECISION = "int8"


def main() -> None:
    """Parse the command line, embed every photo, write the gallery into the bundle."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument(
        "--vote-from", type=bundle_folder, metavar="BUNDLE", help="take the rule of the vote from this bundle"
    )
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="instead, add photos of one's own: a folder a class, or one for all"
    )
    parser.add_argument("--remove", action="store_true", help="with --photos: take them out again")
    options = parser.parse_args()
    if options.remove and not options.photos:
        parser.error("--remove goes with --photos: it says which to take out")

    bundle = load_bundle(options.bundle)
    if options.photos:
        (remove_photos if options.remove else add_photos)(bundle, options.photos)
        return
    lent = _rule_of(load_bundle(options.vote_from)) if options.vote_from else None
    runtime = Runtime(bundle.path(f"{_PRECISION}.tflite"))
    flowers = OxfordFlowers(options.data)
    batches = progress(
        input_batches(flowers, flowers.ids, bundle.crop_rule, batch_size=_BATCH),
        "embedding",
        -(-len(flowers) // _BATCH),
    )
    embeddings = np.concatenate([runtime.forward(batch).embedding for batch in batches])
    digests = [sha256_of(flowers.path(int(photo_id))) for photo_id in flowers.ids]
    gallery = Gallery.build(embeddings, flowers.ids, flowers.labels, flowers.splits, digests)
    recall = recall_at_k(gallery, embeddings, 10)

    writer = BundleWriter.open(options.bundle)
    writer.add_file(INDEX_FILE, gallery.write_index)
    writer.add_file(RECORDS_FILE, gallery.write_records)
    size = sum(writer.manifest.files[name].bytes for name in (INDEX_FILE, RECORDS_FILE))
    facts = GalleryFacts(len(gallery), _PRECISION, "8-bit scalar quantizer, one byte a value", size, float(recall))
    writer.update(gallery=facts)
    fitted = bundle.fitted_splits or ("train",)
    _add_likeness(writer, gallery, fitted)
    _add_vote(writer, gallery, fitted, lent)
    print(f"{len(gallery)} photos in {size / 1e6:.2f} MB; recall@10 against float32 {recall:.4f}.")


def _add_likeness(writer: BundleWriter, gallery: Gallery, fitted: tuple[str, ...]) -> None:
    """Keep how alike two photos of a class are, from photos that the model was not fitted on where there are any."""
    chosen = ~np.isin(gallery.splits, fitted)
    if not chosen.any():
        chosen[:] = True
    assert gallery.digests is not None
    digests = [row.tobytes() for row in gallery.digests[chosen]]
    likeness = fit_class_similarity(gallery.vectors()[chosen], gallery.labels[chosen], digests=digests)
    writer.add_file(SIMILARITY_FILE, likeness.write)


def _add_vote(writer: BundleWriter, gallery: Gallery, fitted: tuple[str, ...], lent: KnnRule | None) -> None:
    """Keep the rule of the vote, or none where there is no honest one."""
    rule = lent
    ask, voters = (gallery.splits == split for split in ("validation", "train"))
    if rule is None and "validation" not in fitted and ask.any() and voters.any():
        vectors = gallery.vectors()
        rule = fit_knn_rule(
            vectors[ask], gallery.labels[ask], vectors[voters], gallery.labels[voters], splits=("train",)
        )
    writer.update(knn=rule)
    if rule is None:
        print("No vote: no photos are left to choose its rule on; --vote-from takes that of another bundle.")
    else:
        print(f"The vote of the {rule.k} nearest is right on {rule.top1:.4f} of the photos its rule was chosen on.")


def _rule_of(bundle: Bundle) -> KnnRule:
    if bundle.manifest.knn is None:
        raise BundleError(
            f"'{bundle.name}' has no rule for a vote to lend; `python -m scripts.build_gallery` makes it."
        )
    return bundle.manifest.knn


if __name__ == "__main__":
    run(main)
