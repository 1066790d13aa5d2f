"""Evidence of many photos: of a split, clean or corrupted, and of pictures without a flower; kept in a cache.

Each photo of a flower is also read as if the head lacked its class. So it stands for a flower that is not known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.corruptions import CORRUPTIONS, SEED, corrupted
from flowers_core.data.dataset import Dataset
from flowers_core.data.in_order import in_order
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.confidence import Evidence, evidence_of
from flowers_core.inference.runtime import Forward, open_runtime
from flowers_core.storage.files import npz_bytes, write_atomically
from flowers_core.storage.npz import read_npz

_BATCH = 16
_FORMAT = "int8"
# In which order a photo gets the corruptions. Those of framing, of light and of blur stand together in `CORRUPTIONS`;
# here every few of them are of all sorts.
_ORDER = (0, 5, 9, 2, 7, 12, 4, 11, 1, 6, 10, 3, 8, 13)
#: The label of a picture without a flower: no answer to it is right.
NO_CLASS = 0


@dataclass(frozen=True, eq=False)
class Observed:
    """Photos as a model sees them, and what they show.

    Attributes:
        evidence: of n photos.
        labels: (n,) int64, 1-based, or `NO_CLASS`.
        groups: (n,) int64; photos of one group are versions of one photo, and are fitted or judged together.
        surest_without: (n,) float32, `Evidence.surest` had the head lacked the class of the label; None where there
            is none, or the head has two classes only.
    """

    evidence: Evidence
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    surest_without: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,), whether the answers are right."""
        return self.evidence.logits.argmax(axis=1) + 1 == self.labels

    def select(self, where: NDArray[np.bool_]) -> Observed:
        """The photos where a boolean array is true."""
        surest = None if self.surest_without is None else self.surest_without[where]
        return Observed(self.evidence.select(where), self.labels[where], self.groups[where], surest)


@dataclass(frozen=True)
class Shown:
    """A picture to be observed: pixels (h, w, 3) uint8, the label of what it shows, and its group."""

    pixels: NDArray[np.uint8]
    label: int
    group: int


def clean_photos(flowers: Dataset, ids: NDArray[np.integer]) -> Iterator[Shown]:
    """Photos of a data set as they are, each a group of its own.

    Args:
        flowers: the data set.
        ids: (n,) of the photos.
    """
    for photo_id in ids.tolist():
        yield Shown(open_photo(flowers.path(photo_id)).pixels, flowers.label_of(photo_id), photo_id)


def corrupted_photos(flowers: Dataset, ids: NDArray[np.integer], rounds: int) -> Iterator[Shown]:
    """Photos of a data set, each under several corruptions; from one photo to the next these move on in turn.

    Args:
        flowers: the data set.
        ids: (n,) of the photos.
        rounds: corruptions of each photo, of which there are `CORRUPTIONS`.
    """
    kinds = list(CORRUPTIONS)
    for row, photo_id in enumerate(ids.tolist()):
        pixels = open_photo(flowers.path(photo_id)).pixels
        for start in _ORDER[:rounds]:
            kind = kinds[(row + start) % len(kinds)]
            yield Shown(corrupted(pixels, kind, photo_id, seed=SEED), flowers.label_of(photo_id), photo_id)


def observe(
    bundle: Bundle,
    shown: Iterable[Shown],
    *,
    key: str,
    cache: Path | None = None,
    track: Track = untracked,
    total: int = 0,
) -> Observed:
    """Let a bundle's INT8 model see pictures.

    Args:
        bundle: the model.
        shown: the pictures, drawn from only where the cache lacks them.
        key: names the pictures, for the cache and the progress.
        cache: a folder that keeps what was observed; safe to delete.
        track: watches the pictures pass.
        total: how many there are.
    """
    digest = bundle.digest(model_file(_FORMAT)) or ""
    named = hashlib.sha256(f"{digest} {key}, also without their classes".encode()).hexdigest()[:16]
    path = cache / f"observed-{named}.npz" if cache else None
    if path is not None and path.is_file():
        kept = read_npz(path)
        evidence = Evidence(kept["logits"], kept["embeddings"], kept["surest"])
        return Observed(evidence, kept["labels"], kept["groups"], kept.get("surest_without"))
    found = _observed(bundle, track(shown, key, total))
    if path is not None:
        arrays: dict[str, NDArray[Any]] = {
            "logits": found.evidence.logits,
            "embeddings": found.evidence.embeddings,
            "surest": found.evidence.surest,
            "labels": found.labels,
            "groups": found.groups,
        }
        if found.surest_without is not None:
            arrays["surest_without"] = found.surest_without
        content = npz_bytes(compressed=False, **arrays)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda beside: _write(beside, content))
    return found


def _observed(bundle: Bundle, shown: Iterable[Shown]) -> Observed:
    runtime, (weights, bias) = open_runtime(bundle, _FORMAT), bundle.head()
    evidence: list[Evidence] = []
    labels: list[int] = []
    groups: list[int] = []
    without: list[NDArray[np.float32]] = []

    def seen(batch: list[tuple[NDArray[np.uint8], int, int]]) -> tuple[Forward, tuple[int, ...], tuple[int, ...]]:
        inputs, of_labels, of_groups = zip(*batch, strict=True)
        return runtime.forward(np.stack(inputs)), of_labels, of_groups

    # The next pictures are drawn while the model sees these.
    for forward, of_labels, of_groups in in_order(seen, _batches(shown, bundle.crop_rule), threads=1):
        evidence.append(evidence_of(forward, weights, bias))
        if len(bias) > 2 and NO_CLASS not in of_labels:
            without.append(evidence_of(forward, weights, bias, without=np.array(of_labels) - 1).surest)
        labels += of_labels
        groups += of_groups
    return Observed(
        Evidence(
            np.concatenate([part.logits for part in evidence]),
            np.concatenate([part.embeddings for part in evidence]),
            np.concatenate([part.surest for part in evidence]),
        ),
        np.array(labels, np.int64),
        np.array(groups, np.int64),
        np.concatenate(without) if without else None,
    )


def _batches(shown: Iterable[Shown], rule: CropRule) -> Iterator[list[tuple[NDArray[np.uint8], int, int]]]:
    batch: list[tuple[NDArray[np.uint8], int, int]] = []
    for one in shown:
        batch.append((model_input(one.pixels, rule).pixels, one.label, one.group))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
