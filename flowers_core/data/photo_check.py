"""The check of somebody's photos before a model learns from them: what cannot be read, copies, classes too small.

Nothing is left out in silence: each finding is a sentence for the person whose photos they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flowers_core.data.audit.image_statistics import grey, perceptual_hash
from flowers_core.data.audit.near_duplicates import close_hashes
from flowers_core.data.dataset import SPLITS, DatasetError
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.in_order import in_order
from flowers_core.data.photo_files import describe_left_out
from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.data.split_drawing import draw_splits

#: Photos of a class with which some can be held out and judged.
MIN_PHOTOS = 5
#: Of 64 bits. Scaled and recompressed copies differ in fewer; without a model's opinion, more would confuse photos.
COPY_DISTANCE = 4
_DECODERS = 2
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class CheckedPhotos:
    """Photos that a model can learn from.

    Attributes:
        dataset: the photos that are left, with splits.
        findings: sentences, one for each thing that the owner should know.
    """

    dataset: FolderDataset
    findings: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    sha256: str
    hash: int
    mirrored: int


def check_photos(source: Path, *, seed: int = 0, track: Track = untracked) -> CheckedPhotos:
    """Read every photo of a folder or table once, leave out what would mislead, and draw the splits if it has none.

    Left out are photos that cannot be read, and those whose file lies in two classes. Copies, also scaled, recompressed
    or mirrored ones, come into the same split where splits are drawn; splits that are given stay, and copies across
    them are told.

    Args:
        source: as `FolderDataset` takes it.
        seed: draws the splits.
        track: shows the progress over the photos.

    Raises:
        DatasetMissing, DatasetError: as `FolderDataset`; or what is left is too little to learn from or to judge by.
            The message names the classes and the reason.
    """
    found = FolderDataset(source, seed=seed)
    findings = list(_of_files(found))
    seen: dict[int, _Seen] = {}
    broken: list[str] = []
    read = in_order(lambda photo_id: _read(found.path(photo_id)), found.ids.tolist(), _DECODERS)
    for photo_id, photo in zip(found.ids.tolist(), track(read, "checking photos", len(found)), strict=True):
        if isinstance(photo, _Seen):
            seen[photo_id] = photo
        else:
            broken.append(f"{found.path(photo_id)}: {photo}")
    if broken:
        findings.append(f"Left out, {len(broken)} of {len(found)} photos, for they cannot be read: {_few(broken)}")
    contradictory = _in_two_classes(found, seen)
    if contradictory:
        names = [str(found.path(photo_id)) for photo_id in contradictory]
        findings.append(
            f"Left out, {len(names)} of {len(found)} photos, for the same file lies in several classes: {_few(names)}. "
            "Keep each in the class that it shows."
        )
    ids = np.array([photo_id for photo_id in seen if photo_id not in contradictory], np.int64)
    _require_enough(found, ids, source, lost=len(broken) + len(contradictory))
    pictures = _pictures([seen[photo_id] for photo_id in ids.tolist()])
    labels = found.labels_of(ids)
    splits = found.splits[ids - 1] if found.splits_given else draw_splits(labels.tolist(), pictures.tolist(), seed)
    dataset = found.select(ids, splits)
    findings += _of_copies(dataset, pictures)
    _require_splits(dataset, source)
    return CheckedPhotos(dataset, tuple(findings))


def _read(path: Path) -> _Seen | PhotoError:
    try:
        photo = open_photo(path)
    except PhotoError as error:
        return error
    return _Seen(photo.sha256, *perceptual_hash(grey(photo.pixels)))


def _of_files(found: FolderDataset) -> Iterator[str]:
    if found.left_out:
        yield f"Left out: {describe_left_out(found.left_out)}"
    if found.empty_folders:
        names = [folder.name for folder in found.empty_folders]
        yield f"No class, for there is no photo in it: {_few(names)}."


def _in_two_classes(found: FolderDataset, seen: dict[int, _Seen]) -> list[int]:
    by_digest: dict[str, list[int]] = defaultdict(list)
    for photo_id, photo in seen.items():
        by_digest[photo.sha256].append(photo_id)
    several = [ids for ids in by_digest.values() if len(set(found.labels_of(ids).tolist())) > 1]
    return sorted(photo_id for ids in several for photo_id in ids)


def _pictures(seen: Sequence[_Seen]) -> NDArray[np.int64]:
    """(n,) the number of the picture that each photo is a copy of."""
    digests: dict[str, int] = {}
    edges = [(place, digests.setdefault(photo.sha256, place)) for place, photo in enumerate(seen)]
    hashes, mirrored = (np.array([getattr(photo, side) for photo in seen], np.uint64) for side in ("hash", "mirrored"))
    edges += [(a, b) for a, b, *_ in close_hashes(hashes, mirrored, COPY_DISTANCE)]
    first, second = np.array(edges, np.int64).T
    graph = coo_array((np.ones(len(edges), np.int8), (first, second)), shape=(len(seen), len(seen)))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _of_copies(dataset: FolderDataset, pictures: NDArray[np.int64]) -> Iterator[str]:
    copies: dict[int, list[int]] = defaultdict(list)
    for photo_id, picture in zip(dataset.ids.tolist(), pictures.tolist(), strict=True):
        copies[picture].append(photo_id)
    groups = [ids for ids in copies.values() if len(ids) > 1]
    if not groups:
        return
    across = [ids for ids in groups if len({dataset.split_of(photo_id) for photo_id in ids}) > 1]
    two = [ids for ids in groups if len({dataset.label_of(photo_id) for photo_id in ids}) > 1]

    def named(ids: list[int], kind_of: Callable[[int], Hashable] = hash) -> str:
        """The first two that differ in kind."""
        first = {kind_of(photo_id): photo_id for photo_id in reversed(ids)}
        return " and ".join(str(dataset.path(photo_id)) for photo_id in sorted(first.values())[:2])

    yield f"{sum(map(len, groups))} photos are copies of one another, or nearly: {_few(list(map(named, groups)))}." + (
        "" if across else " No split has a copy of a photo in another."
    )
    if across:
        pairs = [named(ids, dataset.split_of) for ids in across]
        yield f"Mind: copies lie in different splits, so figures flatter the model: {_few(pairs)}."
    if two:
        pairs = [named(ids, dataset.label_of) for ids in two]
        yield f"Mind: nearly the same photos lie in two classes; is one label wrong? {_few(pairs)}."


def _require_enough(found: FolderDataset, ids: NDArray[np.int64], source: Path, *, lost: int) -> None:
    counts = np.bincount(found.labels_of(ids), minlength=len(found.names) + 1)[1:]
    before = np.bincount(found.labels, minlength=len(found.names) + 1)[1:]
    small = [
        f"'{name}' ({count}" + (f" of {had}" if had != count else "") + ")"
        for name, count, had in zip(found.names, counts.tolist(), before.tolist(), strict=True)
        if count < MIN_PHOTOS
    ]
    if not small:
        return
    why = ", once those are left out that cannot be read or lie in two classes" if lost else ""
    raise DatasetError(
        f"{source}: {MIN_PHOTOS} photos of a class are needed at least, so that some can be held out{why}. "
        f"Fewer have {_few(small)}. Add photos, or take these classes out; a trained model learns a class from three "
        "photos by `flowers teach`."
    )


def _require_splits(dataset: FolderDataset, source: Path) -> None:
    for split in SPLITS:
        if not len(dataset.split_ids(split)):
            raise DatasetError(
                f"{source} has no {split} photos. Bring photos for {', '.join(SPLITS)}, or no splits: they are drawn."
            )
    known = set(dataset.labels_of(dataset.split_ids("train")).tolist())
    absent = [name for label, name in enumerate(dataset.names, 1) if label not in known]
    if absent:
        raise DatasetError(f"{source} has no training photo of {_few(absent)}.")


def _few(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
