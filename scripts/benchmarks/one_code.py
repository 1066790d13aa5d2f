"""Searching with nothing but one short code a vector: the best recall that was found for 160 bytes, all counted.

Principal components, dealt to the parts of a product quantizer so that each part carries alike (Ge et al. 2013,
"Optimized Product Quantization", section 3.2), in inverted lists, with a short code to propose by and a longer one of
what the short one leaves over to rank by (Jégou et al. 2011, "Searching in one billion vectors: re-rank with source
coding", arXiv 1102.3828; faiss.IndexIVFPQR).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

BUDGET = 160
PROBES = 16
# How many are ranked for each that is wanted.
RANKED = 8
# Each part of a code has 256 values, and k-means wants some dozens of vectors for each.
SAMPLE_AT_LEAST = 40 * 256
_ID, _FLOAT, _CENTROIDS = 8, 4, 256
_SHORT, _LONG, _STEP = 3, 8, 24  # bytes of the two codes by unit, and the components that both divide


@dataclass(frozen=True)
class Plan:
    """How the bytes are spent: components kept, inverted lists, bytes of the code to propose and to rank by."""

    components: int
    lists: int
    short: int
    long: int

    def bytes_a_vector(self, count: int, dimension: int) -> float:
        """Codes, id and the share of all tables."""
        tables = self.components * (dimension + self.lists + 2 * _CENTROIDS) * _FLOAT
        return self.short + self.long + _ID + tables / count

    @property
    def name(self) -> str:
        """In the manner of faiss.index_factory."""
        return f"PCA{self.components},IVF{self.lists},PQ{self.short}+{self.long}"


def plan(count: int, dimension: int, budget: float = BUDGET) -> Plan | None:
    """The longest codes that fit the budget, or None where the tables alone nearly fill it."""
    lists = 2 ** round(math.log2(math.sqrt(count)))
    for unit in range(dimension // _STEP, 0, -1):
        for components in (2 * _STEP * unit, _STEP * unit):
            found = Plan(components, lists, _SHORT * unit, _LONG * unit)
            if components <= dimension and found.bytes_a_vector(count, dimension) <= budget:
                return found
    return None


class OneCode:
    """An index by a plan, to be filled and asked."""

    def __init__(self, sample: NDArray[np.float32], chosen: Plan) -> None:
        """Train on unit vectors (m, c) drawn at random."""
        self._rotation, self._centre = balanced_components(sample, chosen)
        quantizer = faiss.IndexFlatL2(chosen.components)
        self._index = faiss.IndexIVFPQR(quantizer, chosen.components, chosen.lists, chosen.short, 8, chosen.long, 8)
        self._index.cp.niter = 10
        self._index.train(self._turned(sample))
        self._index.nprobe = min(PROBES, chosen.lists)
        self._index.k_factor = RANKED

    def add(self, unit: NDArray[np.float32]) -> None:
        """Take in more unit vectors (m, c)."""
        self._index.add(self._turned(unit))

    def search(self, query: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Positions of the vectors that are probably nearest to a unit vector (c,), nearest first."""
        return self._index.search(self._turned(query[None]), count)[1][0]

    @property
    def nbytes(self) -> int:
        """All of it."""
        return len(faiss.serialize_index(self._index)) + self._rotation.nbytes + self._centre.nbytes

    def _turned(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray((unit - self._centre) @ self._rotation, dtype=np.float32)


def balanced_components(sample: NDArray[np.float32], chosen: Plan) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Principal components, (c, components), in an order that gives every part alike, and the mean (c,).

    A part's share is the product of its variances, largest first to the part that has least so far.
    """
    centre = sample.mean(axis=0)
    covariance = np.cov(sample.T, bias=True)
    variances, vectors = np.linalg.eigh(covariance)
    kept = np.argsort(-variances)[: chosen.components]
    size = chosen.components // chosen.long
    parts: list[list[int]] = [[] for _ in range(chosen.long)]
    filled = np.zeros(chosen.long)
    smallest = max(float(variances[kept].min()), 1e-12)
    for at in kept:
        free = [part for part in range(chosen.long) if len(parts[part]) < size]
        part = min(free, key=lambda number: filled[number])
        parts[part].append(int(at))
        filled[part] += math.log(max(float(variances[at]), smallest) / smallest)
    return vectors[:, np.concatenate(parts).astype(int)].astype(np.float32), centre.astype(np.float32)
