"""What it takes to embed and index very many photos on many machines: computed on paper, and simulated.

The paper is bytes and money. The simulation is the time: workers take shards of photos from one queue, share one
network, differ a little in speed, and die now and then, which loses the shard that they were at.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measured:
    """What one photo costs, as measured on one core.

    Attributes:
        machine: what it was measured on.
        photos: how many photos the figures are the medians of.
        decode_ms, pass_ms: processor time of reading a photo to a model's input, and of the INT8 pass.
        rest_ms: of all else that a worker does: the answer, the hash, the projection, its share of the shard's file.
        resume_us: processor time, in microseconds, of finding out that a photo is embedded already.
        photo_bytes: mean size of a photo's file.
        phone_decode_ms, phone_bytes: the same of photos as large as phones take them, 12 million pixels.
        dimensions: of an embedding as it is indexed.
    """

    machine: str
    photos: int
    decode_ms: float
    pass_ms: float
    rest_ms: float
    resume_us: float
    photo_bytes: int
    phone_decode_ms: float
    phone_bytes: int
    dimensions: int

    @property
    def seconds(self) -> float:
        """Processor time of one photo."""
        return (self.decode_ms + self.pass_ms + self.rest_ms) / 1000


@dataclass(frozen=True)
class ScaleRecord:
    """What was measured.

    Attributes:
        measured: the machine that all is computed from.
        elsewhere: other machines, for comparison.
    """

    measured: Measured
    elsewhere: tuple[Measured, ...] = ()

    def with_measured(self, measured: Measured) -> ScaleRecord:
        """The record after another measurement; the one before stays for comparison if its machine was another.

        Args:
            measured: comes first from now on.
        """
        others = [other for other in (self.measured, *self.elsewhere) if other.machine != measured.machine]
        return ScaleRecord(measured, tuple(others))


@dataclass(frozen=True)
class Fleet:
    """The machines, and what is assumed of them.

    Attributes:
        workers: cores at work, one shard each at a time.
        shard: photos in a shard.
        network: bytes a second that all workers together read at most.
        hours_between_deaths: mean time until a worker dies.
        restart_seconds: until it is back.
        spread: standard deviation of the logarithm of a shard's time.
        start_seconds: that each shard takes beside its photos: the scheduler's part and one file written.
    """

    workers: int
    shard: int = 1000
    network: float = 1.25e9
    hours_between_deaths: float = 24.0
    restart_seconds: float = 120.0
    spread: float = 0.15
    start_seconds: float = 0.1


@dataclass(frozen=True)
class Prices:
    """What is paid, in dollars. These are assumptions of the size of public clouds' list prices: put in your own.

    Attributes:
        core_hour: one core for an hour.
        gigabyte_month: of an object store.
        thousand_reads: requests to it.
    """

    core_hour: float = 0.04
    gigabyte_month: float = 0.023
    thousand_reads: float = 0.0004


@dataclass(frozen=True)
class Simulated:
    """How a run went.

    Attributes:
        hours: until the last shard was done.
        busy: share of the workers' time that went into shards which were finished, 0…1.
        repeated: share of the shards that were begun again after a death.
        network_bound: whether the network rather than the cores set the pace.
    """

    hours: float
    busy: float
    repeated: float
    network_bound: bool


@dataclass(frozen=True)
class Sizes:
    """Bytes, files and money for so many photos.

    Attributes:
        shards: how many, and so how many files of embeddings.
        photo_bytes: of all photos.
        vector_bytes: of the embeddings as float32.
        index_bytes: of FAISS' IVF-SQ8: one byte a dimension, eight for the id, and two for its share of the rest.
        core_hours: of processor time.
        dollars: for the cores, reading each photo once, and a month of the embeddings. Photos are stored anyway.
    """

    shards: int
    photo_bytes: float
    vector_bytes: float
    index_bytes: float
    core_hours: float
    dollars: float


def sizes(photos: int, measured: Measured, shard: int, prices: Prices) -> Sizes:
    """What so many photos take.

    Args:
        photos: how many, at least 1.
        measured: the costs of one.
        shard: photos in a shard.
        prices: what is paid.
    """
    core_hours = photos * measured.seconds / 3600
    vector_bytes = 4.0 * photos * measured.dimensions
    return Sizes(
        shards=-(-photos // shard),
        photo_bytes=float(photos) * measured.photo_bytes,
        vector_bytes=vector_bytes,
        index_bytes=float(photos) * (measured.dimensions + 10),
        core_hours=core_hours,
        dollars=core_hours * prices.core_hour
        + photos / 1000 * prices.thousand_reads
        + vector_bytes / 1e9 * prices.gigabyte_month,
    )


def simulate(photos: int, measured: Measured, fleet: Fleet, seed: int = 0) -> Simulated:
    """Let a fleet work through the photos.

    Args:
        photos: how many, at least 1.
        measured: the costs of one.
        fleet: the machines.
        seed: of what is left to chance.

    Raises:
        ValueError: a shard takes longer than a worker lives in the mean.
    """
    rng = np.random.default_rng(seed)
    shards = -(-photos // fleet.shard)
    wanted = fleet.workers * measured.photo_bytes / measured.seconds
    slower = max(1.0, wanted / fleet.network)
    typical = fleet.shard * measured.seconds * slower
    if typical > 3600 * fleet.hours_between_deaths:
        raise ValueError("A shard takes longer than workers live in the mean: it would hardly ever be finished.")
    # A logarithmic normal of mean 1, drawn in blocks: one draw at a time takes most of the time.
    draws = _blocks(lambda: np.exp(rng.normal(-(fleet.spread**2) / 2, fleet.spread, 1 << 16)))
    deaths = _blocks(lambda: rng.exponential(fleet.hours_between_deaths * 3600, 1 << 12))
    free = [(0.0, next(deaths), worker) for worker in range(fleet.workers)]
    left, repeated, useful, end = shards, 0, 0.0, 0.0
    while left:
        now, dies, worker = heapq.heappop(free)
        takes = typical * next(draws) + fleet.start_seconds
        if now + takes > dies:
            repeated += 1
            back = max(now, dies) + fleet.restart_seconds
            heapq.heappush(free, (back, back + next(deaths), worker))
            continue
        left -= 1
        useful += takes
        end = max(end, now + takes)
        heapq.heappush(free, (now + takes, dies, worker))
    return Simulated(
        hours=end / 3600,
        busy=useful / (end * fleet.workers),
        repeated=repeated / shards,
        network_bound=slower > 1,
    )


def _blocks(draw: Callable[[], NDArray[np.float64]]) -> Iterator[float]:
    while True:
        yield from draw().tolist()
