"""A large gallery of vectors like a model's own, with its quick index and its map, as `flowers index` leaves one."""

from pathlib import Path

import numpy as np

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.indexing.embed import space_of
from flowers_core.inference.bundle import Bundle
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery, unit_rows
from flowers_core.retrieval.stores.entries import entries_of
from flowers_core.retrieval.stores.gallery_map import keep_map
from flowers_core.retrieval.stores.open_store import create_store, index_folder, quick_index
from flowers_core.retrieval.synthetic_vectors import BLOCK, SyntheticVectors
from scripts.benchmarks.gallery_stores import entry_key


def make_gallery(bundle: Bundle, count: int, place: Path, dataset: OxfordFlowers) -> None:
    """Fill a gallery. An entry's answer is the nearest class of known photos, and its confidence the cosine with it.

    Args:
        bundle: the model, with a gallery and a map.
        count: of the entries.
        place: where there is none yet.
        dataset: whose photos of the same class stand for the entries.
    """
    known = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    source, space = SyntheticVectors(known), space_of(bundle)
    store = create_store(str(place), space)
    vectors, classes = known.vectors(), np.unique(known.labels)
    means = unit_rows(np.stack([vectors[known.labels == label].mean(axis=0) for label in classes]))
    photos = {label: [str(dataset.path(photo)) for photo in known.ids[known.labels == label]] for label in classes}
    for number, embeddings in enumerate(source.blocks(count)):
        rows = range(number * BLOCK, number * BLOCK + len(embeddings))
        cosines = embeddings @ means.T
        labels = classes[cosines.argmax(axis=1)]
        store.add(
            entries_of(
                space.project(embeddings),
                key=[entry_key(row) for row in rows],
                path=[photos[label][row % len(photos[label])] for label, row in zip(labels, rows, strict=True)],
                label=labels,
                name=[bundle.taxonomy[int(label)].name for label in labels],
                confidence=cosines.max(axis=1),
                width=[640] * len(rows),
                height=[480] * len(rows),
                hash=np.random.default_rng(number).integers(0, 2**64, len(rows), np.uint64),
                modified=[0.0] * len(rows),
            )
        )
    index = quick_index(str(place), least=1)
    assert index is not None
    keep_map(bundle, index, space, index_folder(str(place)))
