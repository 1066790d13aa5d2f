"""What a worker does with a shard: read each photo, run the model once, write the shard's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.audit.image_statistics import photo_hash
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import PhotoError, read_photo
from flowers_core.indexing.shards import LeftOutPhoto, Shard, ShardFile, remove_half_files, shards_of, write_shard
from flowers_core.indexing.sources import Source, read_sources
from flowers_core.indexing.window import GivenUp, over_window
from flowers_core.indexing.workers import Workers
from flowers_core.inference.answerer import Answerer, open_answerer
from flowers_core.inference.bundle import Bundle, load_bundle, model_file
from flowers_core.inference.runtime import open_runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery, GalleryError
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.retrieval.stores.entries import ENTRY_COLUMNS, entries_of
from flowers_core.retrieval.stores.space import EmbeddingSpace, SpaceError
from flowers_core.storage.files import write_bytes

#: The only numeric format in which galleries are embedded: its cosines are compared with one another.
FORMAT = "int8"
_SPACE_FILE = "space.npz"


def space_of(bundle: Bundle) -> EmbeddingSpace:
    """What the vectors of a bundle's galleries are coordinates in.

    Args:
        bundle: with an INT8 model, and the gallery that `flowers build_gallery` makes.

    Raises:
        BundleError: it lacks one of them.
    """
    bundle.path(model_file(FORMAT))
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    return EmbeddingSpace.of(gallery, bundle.digest(model_file(FORMAT)) or "")


def index_shards(
    photos: Iterable[Source], workers: Workers, folder: Path, *, bundle: Bundle, space: EmbeddingSpace, size: int
) -> Iterator[ShardFile | GivenUp[Shard]]:
    """Embed photos shard by shard, each into a file of its own.

    Args:
        photos: drawn from only as far as needed.
        workers: who embeds; they see the bundle's folder and this one under the same paths.
        folder: of the shards.
        bundle: its INT8 model embeds and answers.
        space: what the vectors are coordinates in.
        size: photos in a shard.

    Returns:
        Each shard as it is done, in any order; or that it is given up, as its workers died again and again.

    Raises:
        SpaceError: the space is another model's.
        BundleError: the bundle has no INT8 model, or is not calibrated.
    """
    prepare_folder(folder, bundle, space)
    work = partial(embed_shard, bundle=bundle.folder.absolute(), folder=folder.absolute())
    return over_window(work, shards_of(photos, size), workers)


def prepare_folder(folder: Path, bundle: Bundle, space: EmbeddingSpace) -> None:
    """Make a folder ready for the shards that workers will write into it.

    Args:
        folder: of the shards; nobody writes into it yet.
        bundle: that will embed.
        space: what the vectors will be coordinates in.

    Raises:
        SpaceError: the space is another model's.
        BundleError: the bundle has no INT8 model, or is not calibrated.
    """
    bundle.require_calibration()
    bundle.path(model_file(FORMAT))
    if bundle.digest(model_file(FORMAT)) != space.model:
        raise SpaceError(f"This gallery was made with another model than '{bundle.name}': go on with that one.")
    remove_half_files(folder)
    write_bytes(folder / _SPACE_FILE, space.to_bytes())


def embed_shard(shard: Shard, *, bundle: Path, folder: Path) -> ShardFile:
    """Embed the photos of a shard, and write its file.

    Args:
        shard: the photos. One that cannot be read is named in the file.
        bundle: the bundle's folder.
        folder: of the shards, as `prepare_folder` left it.
    """
    embedder = _embedder(bundle, folder)
    rows, left_out = [], []
    for source, data in read_sources(shard.sources):
        try:
            if isinstance(data, PhotoError):
                raise data
            rows.append(embedder.row(source, data))
        except (PhotoError, GalleryError) as error:
            left_out.append(LeftOutPhoto(source.uri, str(error)))
    columns = {name: [values[name] for values, _ in rows] for name in ENTRY_COLUMNS}
    vectors = np.array([vector for _, vector in rows], np.float32).reshape(-1, embedder.space.dimension)
    return write_shard(folder, shard, entries_of(vectors, **columns), left_out)


@dataclass(frozen=True, eq=False)
class _Embedder:
    answerer: Answerer
    space: EmbeddingSpace

    def row(self, source: Source, data: bytes) -> tuple[dict[str, Any], NDArray[np.float32]]:
        """A photo's entry, and its vector."""
        photo = read_photo(data)
        answerer = self.answerer
        forward = answerer.runtime.forward(model_input(photo.pixels, answerer.bundle.crop_rule).pixels[None])
        probabilities = answerer.reader.read(forward).probabilities[0]
        label = int(probabilities.argmax()) + 1
        entry = {
            "key": photo.sha256,
            "path": source.uri,
            "label": label,
            "name": answerer.taxonomy[label].name,
            "confidence": probabilities[label - 1],
            "width": photo.original_size[0],
            "height": photo.original_size[1],
            "hash": photo_hash(photo.pixels),
            "modified": source.modified,
        }
        return entry, self.space.project(forward.embedding)[0]


@cache
def _embedder(bundle: Path, folder: Path) -> _Embedder:
    """One for each process: loading a model takes as long as some photos."""
    loaded = load_bundle(bundle)
    # A worker is a core.
    runtime = open_runtime(loaded, FORMAT, workers=1, threads=1)
    space = EmbeddingSpace.from_bytes((folder / _SPACE_FILE).read_bytes())
    return _Embedder(open_answerer(loaded, runtime, lambda: prototypes_of(loaded)), space)
