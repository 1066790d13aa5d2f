"""Index photos by what a bundle's model sees in them, the data set's or your own.

    flowers build_gallery efficientnet_lite0_joined

The embeddings come from the INT8 model, which also embeds the photos that are asked about. Beside the index the bundle
gets the digest of each photo, by which one of the data set is recognized; the similarities within a class, by which a
similarity is read; and the k-NN rule, chosen on validation photos. Where the model was fitted to those, `--vote-from`
takes the rule of a model that was not.

`--photos DIR` adds photos of your own to the gallery, `--remove` takes them out; the bundle stays as it is.
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from flowers_core.data.batches import input_batches
from flowers_core.data.dataset import Dataset
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle, model_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.gallery import GalleryFacts, KnnRule
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.gallery_fits import class_similarity_of, knn_rule_of
from flowers_core.retrieval.similarity import SIMILARITY_FILE, recall_at_k
from flowers_core.retrieval.user_gallery import add_user_photos, remove_user_photos
from flowers_core.storage.files import sha256_of
from scripts.options.command import add_bundle_argument, add_data_option, bundle_folder, progress, run, verb_parser

_BATCH = 32
_PRECISION = "int8"


def main() -> None:
    """Parse the command line, embed every photo, write the gallery into the bundle."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--vote-from", type=bundle_folder, metavar="BUNDLE", help="take the k-NN rule from this bundle")
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="instead, add your own photos: a folder for each class, or one for all",
    )
    parser.add_argument("--remove", action="store_true", help="with --photos: take them out again")
    options = parser.parse_args()
    if options.remove and not options.photos:
        parser.error("--remove goes with --photos: it says which to take out")

    bundle = load_bundle(options.bundle)
    if options.photos:
        _change_user_photos(bundle, options.photos, remove=options.remove)
        return
    lent = _rule_of(load_bundle(options.vote_from)) if options.vote_from else None
    build_gallery(bundle, dataset_of(bundle, options.data), lent)


def build_gallery(bundle: Bundle, flowers: Dataset, lent: KnnRule | None = None) -> None:
    """Embed every photo and write the gallery into the bundle.

    Args:
        bundle: with an INT8 model.
        flowers: the photos.
        lent: the k-NN rule; None to choose it on validation photos.
    """
    runtime = Runtime(bundle.path(model_file(_PRECISION)))
    batches = input_batches(flowers, flowers.ids, bundle.crop_rule, batch_size=_BATCH)
    embeddings = np.empty((len(flowers), len(bundle.head()[0])), np.float32)
    for number, batch in enumerate(progress(batches, "embedding", -(-len(flowers) // _BATCH))):
        embeddings[number * _BATCH :][: len(batch)] = runtime.forward(batch).embedding
    digests = [sha256_of(flowers.path(int(photo_id))) for photo_id in flowers.ids]
    gallery = Gallery.build(embeddings, flowers.ids, flowers.labels, flowers.splits, digests)
    recall = recall_at_k(gallery, embeddings, min(10, len(gallery) - 1))
    del embeddings  # half a gigabyte for 100 000 photos; what follows reads the gallery

    writer = BundleWriter.open(bundle.folder)
    writer.add_bytes(INDEX_FILE, gallery.index_bytes())
    writer.add_npz(RECORDS_FILE, compressed=True, **gallery.record_arrays())
    size = sum(writer.manifest.files[name].bytes for name in (INDEX_FILE, RECORDS_FILE))
    facts = GalleryFacts(len(gallery), _PRECISION, "8-bit scalar quantizer, one byte a value", size, float(recall))
    writer.update(gallery=facts)
    fitted = bundle.fitted_splits or ("train",)
    writer.add_npz(SIMILARITY_FILE, compressed=True, **class_similarity_of(gallery, fitted).arrays())
    rule = lent or knn_rule_of(gallery, fitted)
    writer.update(knn=rule)
    if rule is None:
        print("No k-NN rule: no photos are left to choose it on; --vote-from takes that of another bundle.")
    else:
        print(f"The vote of the {rule.k} nearest is right on {rule.top1:.4f} of the photos its rule was chosen on.")
    print(f"{len(gallery)} photos in {size / 1e6:.2f} MB; recall@10 against float32 {recall:.4f}.")


def _change_user_photos(bundle: Bundle, folder: Path, *, remove: bool) -> None:
    if remove:
        change = remove_user_photos(bundle, folder)
        print(f"{change.before - change.after} photos were taken out; ", end="")
    else:
        change = add_user_photos(
            bundle, folder, unreadable=lambda error: tqdm.write(f"Left out: {error}"), track=progress
        )
        if change.moved:
            print("Photos that lie elsewhere now, or whose folder has another name, have their new place and class.")
        if change.left_out:
            print(f"Left out: {change.left_out}")
        print(f"{change.after - change.before} photos were added; ", end="")
    print(f"{change.after} of your own are in the gallery of {bundle.name}.")


def _rule_of(bundle: Bundle) -> KnnRule:
    if bundle.manifest.knn is None:
        raise BundleError(f"'{bundle.name}' has no rule for a vote to lend; `flowers build_gallery` makes it.")
    return bundle.manifest.knn


if __name__ == "__main__":
    run(main)
