"""Index the photos by what a bundle's model sees in them: `python -m scripts.build_gallery efficientnet_lite0`.

The embeddings come from the INT8 model, the one that will be asked about new photos, so that both sides are alike.
"""

import argparse

import numpy as np

from flowers_core.batches import input_batches
from flowers_core.bundle import BundleWriter, load_bundle
from flowers_core.dataset import OxfordFlowers
from flowers_core.gallery import INDEX_FILE, RECORDS_FILE, Gallery, recall_at_k
from flowers_core.runtime import Runtime
from scripts.command import add_bundle_argument, add_data_option, progress, run

_BATCH = 32
_PRECISION = "int8"


def main() -> None:
    """Parse the command line, embed every photo, write the gallery into the bundle."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.build_gallery", description="Index the dataset's photos for a bundle."
    )
    add_bundle_argument(parser)
    add_data_option(parser)
    options = parser.parse_args()

    bundle = load_bundle(options.bundle)
    runtime = Runtime(bundle.path(f"{_PRECISION}.tflite"))
    flowers = OxfordFlowers(options.data)
    batches = progress(
        input_batches(flowers, flowers.ids, bundle.crop_rule, batch_size=_BATCH),
        "embedding",
        -(-len(flowers) // _BATCH),
    )
    embeddings = np.concatenate([runtime.forward(batch).embedding for batch in batches])
    gallery = Gallery.build(embeddings, flowers.ids, flowers.labels, flowers.splits)
    recall = recall_at_k(gallery, embeddings, 10)

    writer = BundleWriter.open(options.bundle)
    writer.add_file(INDEX_FILE, gallery.write_index)
    writer.add_file(RECORDS_FILE, gallery.write_records)
    size = sum(writer.manifest["files"][name]["bytes"] for name in (INDEX_FILE, RECORDS_FILE))
    writer.set(
        "gallery",
        {
            "photos": len(gallery),
            "precision": _PRECISION,
            "compression": "8-bit scalar quantizer, one byte a value",
            "bytes": size,
            "recall_at_10": recall,
        },
    )
    print(f"{len(gallery)} photos in {size / 1e6:.2f} MB; recall@10 against float32 {recall:.4f}.")


if __name__ == "__main__":
    run(main)
