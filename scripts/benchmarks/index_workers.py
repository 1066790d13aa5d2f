"""How fast a worker of `flowers index` is beside bare passes, and how well several share the work."""

import itertools
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo
from flowers_core.indexing.embed import FORMAT, embed_shard, prepare_folder, space_of
from flowers_core.indexing.shards import Shard
from flowers_core.indexing.window import over_window
from flowers_core.indexing.workers import Workers, local_workers
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.runtime import Runtime, open_runtime
from scripts.benchmarks.interleaved import interleaved_times, ratio
from scripts.benchmarks.machine import machine


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        machine: on which.
        photos: in each round.
        rounds: in which workers took turns.
        of_bare: a worker's speed over the bare loop's, both in one process.
        workers: several.
        efficiency: of several workers, 0…1; the median over the rounds.
        bare_efficiency: of the bare loop in as many processes.
        photos_a_second: of several workers.
        worker_megabytes: at most held by a worker.
    """

    machine: str
    photos: int
    rounds: int
    of_bare: float
    workers: int
    efficiency: float
    bare_efficiency: float
    photos_a_second: float
    worker_megabytes: int


def measure(bundle: Bundle, shards: list[Shard], workers: int, rounds: int) -> Figures:
    """Measure both ratios.

    Args:
        bundle: its INT8 model runs.
        shards: the photos.
        workers: how many share the shards in the end, at least 2.
        rounds: in which one and several take turns.
    """
    photos = sum(len(shard.sources) for shard in shards)
    bare = partial(pass_over, bundle.folder)
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        prepare_folder(folder, bundle, space_of(bundle))
        whole = partial(embed_shard, bundle=bundle.folder.absolute(), folder=folder)
        turns = itertools.chain(shards[:1], shards)
        times = interleaved_times({"bare": bare, "shard": whole}, turns, warm_up=1, total=len(shards) + 1)
        few, many = _warm(stack, 1), _warm(stack, workers)

        def through(task: Callable[[Shard], Any], who: Workers) -> Callable[[int], Any]:
            return lambda _: list(over_window(task, shards, who))

        sides = {
            "index one": through(whole, few),
            "index several": through(whole, many),
            "bare one": through(bare, few),
            "bare several": through(bare, many),
        }
        of_all = interleaved_times(sides, range(rounds + 1), warm_up=1, total=rounds + 1)
        held = max(many.open().submit(_megabytes).result() for _ in range(4 * workers))
    return Figures(
        machine=machine(),
        photos=photos,
        rounds=rounds,
        of_bare=1 / ratio(times["shard"], times["bare"]),
        workers=workers,
        efficiency=ratio(of_all["index one"], of_all["index several"]) / workers,
        bare_efficiency=ratio(of_all["bare one"], of_all["bare several"]) / workers,
        photos_a_second=photos / float(np.median(of_all["index several"])) * 1000,
        worker_megabytes=held,
    )


def pass_over(bundle: Path, shard: Shard) -> None:
    """Decode each photo of a shard and run the model on it; nothing is done with what comes out.

    Args:
        bundle: a bundle's folder.
        shard: photos on disk.
    """
    loaded, runtime = _loaded(bundle)
    for source in shard.sources:
        runtime.forward(model_input(open_photo(Path(source.uri)).pixels, loaded.crop_rule).pixels[None])


@cache
def _loaded(bundle: Path) -> tuple[Bundle, Runtime]:
    loaded = load_bundle(bundle)
    return loaded, open_runtime(loaded, FORMAT, workers=1)


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000


class _Kept(Executor):
    """Processes that outlive the window over them: how long they take to begin is not measured."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def submit(self, *task: Any, **named: Any) -> Future[Any]:
        return self._pool.submit(*task, **named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


def _warm(stack: ExitStack, count: int) -> Workers:
    pool = stack.enter_context(local_workers(count).open())
    return Workers(lambda: _Kept(pool), lambda: count)
