"""Which of a model's numeric formats answers on this machine: chosen by a short timing when the server starts.

INT8 is the quickest on most processors, but not on all: without instructions that multiply bytes float16 may be. The
timing runs beside whatever the server does, so that no answer waits for it; until it is done INT8 answers. Servers that
must answer alike are told a format instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import streamlit as st

from app.resources import bundle_files, models, server_settings
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import model_file

if TYPE_CHECKING:
    from flowers_core.inference.bundle import Bundle

#: Formats that are accurate and small enough to serve.
SERVED = ("int8", "float16")
ROUNDS = 7
# Another format must be clearly quicker: the gallery and the figures are those of INT8.
CLEARLY = 0.8


def start_timing() -> None:
    """Begin to time the default model's formats in the background, once in the life of a server."""
    if server_settings.told_format() is not None:
        return
    for bundle in [found for found in models.model_list().bundles if found.precisions][:1]:
        _timing(models.model_digest(bundle, bundle_files.PREFERRED_FORMAT), bundle)


def served_format(bundle: Bundle) -> str:
    """The format that answers unless somebody chooses another: as told, or timed, or INT8 until that is done."""
    preferred = models.preferred_format(bundle.precisions)
    told = server_settings.told_format()
    if told is not None:
        return told if told in bundle.precisions else preferred
    timing = _timing(models.model_digest(bundle, bundle_files.PREFERRED_FORMAT), bundle)
    return quickest(timing.result(), preferred) if timing.done() else preferred


def quickest(seconds: Mapping[str, float], preferred: str) -> str:
    """The quickest format, if it takes less than `CLEARLY` of the preferred one's time; else the preferred one.

    Args:
        seconds: for one photo, by format.
        preferred: the format to compare with.
    """
    if preferred not in seconds:
        return preferred
    best = min(seconds, key=lambda name: seconds[name])
    return best if seconds[best] < CLEARLY * seconds[preferred] else preferred


def time_formats(bundle: Bundle) -> dict[str, float]:
    """The median time for one photo of each format that can serve, in seconds, taken in turns.

    A format that cannot be read is left out.
    """
    import numpy as np

    from flowers_core.inference.runtime import Runtime

    runtimes = {}
    for name in (name for name in SERVED if name in bundle.precisions):
        with contextlib.suppress(FlowersError):
            runtimes[name] = Runtime(bundle.path(model_file(name)), workers=1)
    size = bundle.crop_rule.size
    photo = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    taken: dict[str, list[float]] = {name: [] for name in runtimes}
    for turn in range(ROUNDS + 1):
        for name, runtime in runtimes.items():
            began = perf_counter()
            runtime.logits(photo)
            if turn:  # the first pass also sets the model up
                taken[name].append(perf_counter() - began)
    return {name: median(times) for name, times in taken.items()}


@st.cache_resource(show_spinner=False, max_entries=8)
def _timing(digest: str, _bundle: Bundle) -> Future[dict[str, float]]:  # noqa: ARG001
    worker = ThreadPoolExecutor(1, thread_name_prefix="timing")
    timing = worker.submit(time_formats, _bundle)
    worker.shutdown(wait=False)
    return timing
