"""The index for galleries that are too large to scan: inverted lists over one bit a value, chosen by size.

A scan of n photos costs n · c multiplications: 1.4 ms for 8189 photos, a fifth of a second for a million. From
FLAT_BELOW on, FAISS proposes candidates from a compressed copy and the gallery ranks them by its own vectors. The
copy, written as for faiss.index_factory: principal components, rotated so that they carry alike ("PCAR"), in inverted
lists ("IVF"; Jégou et al. 2011), as RaBitQ codes of one bit a component (Gao and Long 2024, arXiv 2405.12497) that are
compared in registers ("fs"). Unit vectors are compared by distance, which ranks as the cosine does; by inner product
the centring of the components would change the ranking.
"""

from __future__ import annotations

import math
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError

FLAT_BELOW = 100_000
# With 1024 the ranked answers are as good, and a vector of a million takes 162 bytes instead of about 145.
COMPONENTS = 896
# Lists that are searched, of about √n: more find more and take longer.
PROBES = 24
# k-means wants some dozens of vectors a list.
TRAINED_ON = 64
PROPOSED_AT_LEAST = 40

_BLOCK = 16384


class LargeIndexError(FlowersError):
    """Bytes that are no such index; the message is a sentence for the person who meets it."""


def index_description(count: int, dimension: int) -> str:
    """What a gallery of this many vectors is searched with, in the words of faiss.index_factory.

    "SQ8" below FLAT_BELOW: a scan over one byte a value. Above, inverted lists in the number of √count.
    """
    if count < FLAT_BELOW:
        return "SQ8"
    lists = 2 ** round(math.log2(math.sqrt(count)))
    return f"PCAR{min(COMPONENTS, dimension)},IVF{lists},RaBitQfs"


class Proposer:
    """Proposes the vectors that are probably nearest, from a copy of about 140 bytes a vector."""

    def __init__(self, index: Any) -> None:
        """Use `trained` or `deserialized`; `index` is a faiss index over unit vectors by L2 distance."""
        self._index = index
        self._lists = faiss.extract_index_ivf(index)
        # Search parameters go through the transform; set once, since they are the same for all questions.
        self._lists.nprobe = min(PROBES, self._lists.nlist)

    @classmethod
    def trained(cls, sample: NDArray[np.float32], description: str) -> Proposer:
        """An empty one, trained on unit vectors (m, c) drawn at random; TRAINED_ON for each list are enough."""
        index = faiss.index_factory(sample.shape[1], description, faiss.METRIC_L2)
        index.train(np.ascontiguousarray(sample, dtype=np.float32))
        return cls(index)

    @classmethod
    def deserialized(cls, content: bytes) -> Proposer:
        """Back from `serialized`; FAISS trusts what it reads, so compare a digest first. Raises LargeIndexError."""
        try:
            return cls(faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8)))
        except RuntimeError as error:
            raise LargeIndexError("The index of a large gallery cannot be read.") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, unit: NDArray[np.float32]) -> None:
        """Take in more unit vectors (m, c), in the order of the gallery."""
        for start in range(0, len(unit), _BLOCK):
            self._index.add(np.ascontiguousarray(unit[start : start + _BLOCK], dtype=np.float32))

    def propose(self, query: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Positions of about `count` vectors, probably the nearest to a unit vector (c,), in no certain order."""
        _, positions = self._index.search(query[None].astype(np.float32), count)
        return positions[0][positions[0] >= 0]

    def copy(self) -> Proposer:
        """One that can be added to without changing this one."""
        return Proposer(faiss.clone_index(self._index))

    def serialized(self) -> bytes:
        """All of it; its length is the memory it takes."""
        return faiss.serialize_index(self._index).tobytes()


def build_proposer(unit: NDArray[np.float32], description: str, *, seed: int = 0) -> Proposer:
    """Train on a sample drawn from unit vectors (n, c) and take them all in."""
    lists = int(description.split("IVF")[1].split(",")[0])
    wanted = min(len(unit), max(TRAINED_ON * lists, 2 * unit.shape[1]))
    sample = np.sort(np.random.default_rng(seed).choice(len(unit), wanted, replace=False))
    proposer = Proposer.trained(unit[sample], description)
    proposer.add(unit)
    return proposer
