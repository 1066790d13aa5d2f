"""A quick index over a large store: FAISS IVF-SQ8, one byte a value, made from the store and kept beside it.

Vectors are grouped around centroids (IVF; Jégou et al. 2011), and a query looks only through the groups near it. In
memory lie a vector's bytes and its number; keys, answers and confidences are mapped from disk.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from flowers_core.retrieval.faiss_threads import one_faiss_thread
from flowers_core.retrieval.stores.entries import VECTOR, Hit, Where, allowed_by, vectors_of
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.store import StoreError
from flowers_core.storage.files import replace_folder, sha256_of, write_json

_INDEX, _ABOUT = "vectors.faiss", "about.json"
_COLUMNS = ("key", "label", "confidence", "hash")
# Photos for each centroid when they are sought; FAISS warns below 39.
_SAMPLE = 40
# How far from its mean a difference may lie and still fit into a byte.
_DEVIATIONS = 4.5
#: Groups that a query looks through; the benchmark `gallery` shows what fewer and more give.
PROBES = 32


@dataclass(frozen=True, eq=False)
class QuickIndex:
    """An index as it was made; it does not change.

    Attributes:
        version: of the store that it was made from.
        keys: (n,) bytes, mapped from disk.
        labels: (n,) int16, likewise.
        confidences: (n,) float32, likewise.
        hashes: (n,) uint64, likewise: perceptual hashes.
        index: FAISS' index of the same n vectors.
    """

    version: int
    keys: NDArray[np.bytes_]
    labels: NDArray[np.int16]
    confidences: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    index: Any

    @classmethod
    def make(cls, store: LanceStore, folder: Path) -> QuickIndex:
        """Index all entries of a store. The folder is replaced as a whole at the end.

        Args:
            store: at least one entry.
            folder: where the index is kept.

        Raises:
            StoreError: the store is empty.
        """
        version, count = store.version, store.count()
        if not count:
            raise StoreError("There is nothing to index in an empty gallery.")
        groups = max(1, min(2 ** round(math.log2(4 * math.sqrt(count))), count // _SAMPLE))
        index = _empty(store.space.dimension, groups)
        index.train(_sample(store, min(1.0, 2 * _SAMPLE * groups / count)))
        columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
        for batch in store.batches([*_COLUMNS, VECTOR]):
            index.add(vectors_of(batch))
            for name in _COLUMNS:
                values = batch.column(name).to_numpy(zero_copy_only=False)
                columns[name].append(values.astype(np.bytes_) if name == "key" else values)
        new, aside = (folder.with_name(f".{folder.name}.{what}") for what in ("new", "aside"))
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for name, parts in columns.items():
            np.save(new / f"{name}.npy", np.concatenate(parts))
        faiss.write_index(index, str(new / _INDEX))
        write_json(new / _ABOUT, {"version": version, "index_sha256": sha256_of(new / _INDEX)})
        replace_folder(new, folder, aside)
        shutil.rmtree(aside, ignore_errors=True)
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> QuickIndex:
        """The index in a folder.

        Args:
            folder: where `make` kept it.

        Raises:
            StoreError: there is none, or it is damaged.
        """
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            # FAISS' reader is written for trusted files.
            if sha256_of(folder / _INDEX) != about["index_sha256"]:
                raise StoreError(f"{folder / _INDEX} is damaged. Make the index anew.")
            keys, labels, confidences, hashes = (
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _COLUMNS
            )
            index = faiss.read_index(str(folder / _INDEX))
            version = int(about["version"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise StoreError(f"There is no index in {folder}, or it is damaged. Make it anew.") from error
        if not index.ntotal == len(keys) == len(labels) == len(confidences) == len(hashes):
            raise StoreError(f"The files in {folder} are not of one index. Make it anew.")
        return cls(version, keys, labels, confidences, hashes, index)

    def __len__(self) -> int:
        return len(self.keys)

    def search(
        self, vectors: NDArray[np.float32], k: int, where: Where | None = None, probes: int = PROBES
    ) -> list[list[Hit]]:
        """As `VectorStore.search`, over the entries that there were when the index was made.

        Args:
            vectors: (q, c) float32 of norm 1.
            k: at least 1.
            where: which entries may be found; None for all.
            probes: groups that a query looks through.
        """
        if not len(vectors):
            return []
        exclude = frozenset() if where is None else where.exclude
        allowed = None if where is None else self._allowed(where)
        parameters = faiss.SearchParametersIVF(nprobe=min(probes, self.index.nlist))  # type: ignore[call-arg]
        if allowed is not None:
            # The rarer what is allowed, the more groups must be looked through to find k of it.
            share = max(float(allowed.mean()), 1e-9)
            parameters.nprobe = int(min(math.ceil(probes / share), self.index.nlist))
            selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))  # type: ignore[call-arg, arg-type]
            parameters.sel = selector
        with one_faiss_thread():
            products, rows = self.index.search(
                np.ascontiguousarray(vectors, np.float32), min(k + len(exclude), len(self)), params=parameters
            )
        return [self._hits(*of_query, k, exclude) for of_query in zip(rows, products, strict=True)]

    def _hits(
        self, rows: NDArray[np.int64], products: NDArray[np.float32], k: int, exclude: Collection[str]
    ) -> list[Hit]:
        found = rows >= 0
        keys = [key.decode() for key in self.keys[rows[found]].tolist()]
        pairs = zip(keys, products[found].tolist(), strict=True)
        return [Hit(key, min(1.0, product)) for key, product in pairs if key not in exclude][:k]

    def _allowed(self, where: Where) -> NDArray[np.bool_] | None:
        if where.labels is None and where.confidence <= 0:
            return None
        return allowed_by(where, self.labels, self.confidences)


def _empty(dimension: int, groups: int) -> Any:
    centroids = faiss.IndexFlatIP(dimension)
    # A byte holds what a value differs from its group's mean by, which is finer than the value itself: at a million
    # the recall is 0.96 so, and else 0.94.
    index = faiss.IndexIVFScalarQuantizer(
        centroids, dimension, groups, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, True
    )
    # Ranges from a sample's extremes would cut off the few that lie farther out.
    index.sq.rangestat, index.sq.rangestat_arg = faiss.ScalarQuantizer.RS_meanstd, _DEVIATIONS
    index.own_fields = True
    index.cp.min_points_per_centroid = 1  # of a gallery of a few photos it would complain
    centroids.this.disown()  # type: ignore[attr-defined]
    return index


def _sample(store: LanceStore, share: float) -> NDArray[np.float32]:
    """Vectors from all over the store: photos of one folder lie together in it, and are alike."""
    rng = np.random.default_rng(0)
    sample = np.concatenate(
        [vectors_of(batch)[rng.random(batch.num_rows) < share] for batch in store.batches([VECTOR])]
    )
    return sample if len(sample) else vectors_of(next(iter(store.batches([VECTOR]))))
