"""The photos on disk: the data set, custom test sets, the user's own, and the example."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.resources import galleries, models
from app.resources.dataset_download import dataset_download
from app.resources.large_gallery import gallery_path
from flowers_core.data.photo_ref import DATA_SETS, OXFORD, PhotoRef, PhotoSet
from flowers_core.data.taxonomy import Taxonomy, taxonomy_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.data.dataset import Dataset
    from flowers_core.evaluation.custom import CustomTestSet


@dataclass(frozen=True)
class DataSet:
    """The data set as found.

    Attributes:
        root: its folder or table, as `open_dataset` takes it.
        flowers: the photos and labels; None unless it is on disk and whole.
        problem: what is wrong with it, in a sentence, where it is there but malformed.
        photo_set: what references to its photos name them by; None unless it is on disk and whole.
    """

    root: Path
    flowers: Dataset | None
    problem: str | None
    photo_set: PhotoSet | None = None


def data_set() -> DataSet:
    """The data set on disk, if it is."""
    from flowers_core.data.dataset import DatasetError, DatasetMissing
    from flowers_core.storage.paths import default_data_dir

    root = default_data_dir()
    if not root.exists():  # what a page asks two dozen times
        return DataSet(root, None, None)
    try:
        flowers, photo_set = _flowers(str(root), _changed(root if root.is_file() else root / "imagelabels.mat"))
        return DataSet(root, flowers, None, photo_set)
    except DatasetMissing:
        return DataSet(root, None, None)
    except DatasetError as error:
        return DataSet(root, None, str(error))


def _changed(file: Path) -> int:
    """When a file came to be; 0 when it is not there."""
    return file.stat().st_mtime_ns if file.is_file() else 0


@st.cache_resource(show_spinner=False, max_entries=2)
def _flowers(root: str, changed: int) -> tuple[Dataset, PhotoSet]:  # noqa: ARG001
    from flowers_core.data.open_dataset import open_dataset

    flowers = open_dataset(Path(root))
    return flowers, flowers.photo_set


def photos_here(photo_set: PhotoSet) -> bool:
    """Whether the data set on disk is the one of these photos."""
    return data_set().photo_set == photo_set


@dataclass(frozen=True, eq=False)
class LabelledPhotos:
    """What the photos of a data set show.

    Attributes:
        ids, labels, splits: (n,) each; labels are 1-based.
        taxonomy: the classes.
        photo_set: what references to the photos name them by.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    taxonomy: Taxonomy
    photo_set: PhotoSet


def labelled_photos() -> LabelledPhotos | None:
    """Every photo of the data set, or, where it is not on disk, of a model's gallery."""
    known = data_set()
    flowers, photo_set = known.flowers, known.photo_set
    if flowers is not None and photo_set is not None:
        taxonomy = flowers.taxonomy or taxonomy_of(flowers.names)
        return LabelledPhotos(flowers.ids, flowers.labels, flowers.splits, taxonomy, photo_set)
    for bundle in models.model_list().bundles:
        found = galleries.gallery(bundle)
        if found is not None:
            return LabelledPhotos(found.ids, found.labels, found.splits, bundle.taxonomy, bundle.photo_set)
    return None


def custom_test_sets() -> list[CustomTestSet]:
    """Every custom test set, by name. Looks for new and changed ones at each call."""
    from flowers_core.evaluation.custom import REPORT_FILE, CustomTestSetError
    from flowers_core.storage.paths import default_evaluations_dir

    found = []
    for path in sorted(default_evaluations_dir().glob(f"*/{REPORT_FILE}")):
        try:
            found.append(_custom_test_set(str(path.parent), path.stat().st_mtime_ns))
        except CustomTestSetError:
            continue  # the script that makes them says what is wrong with one
    return found


@st.cache_resource(show_spinner=False, max_entries=16)
def _custom_test_set(folder: str, changed: int) -> CustomTestSet:  # noqa: ARG001
    from flowers_core.evaluation.custom import load_custom_test_set

    return load_custom_test_set(Path(folder))


def photo_file(photo: PhotoRef) -> Path | None:
    """Where a photo lies; None where it is not on this machine."""
    path = _recorded_path(photo)
    return path if path is not None and path.is_file() else None


def photo_name(photo: PhotoRef) -> str:
    """What a photo is called: its number in the data set, or its file's name."""
    path = None if photo.source in DATA_SETS else _recorded_path(photo)
    return path.name if path else f"photo {photo.id}"


def _recorded_path(photo: PhotoRef) -> Path | None:
    if photo.source in DATA_SETS:
        known = data_set()
        if known.flowers is None:
            return _arrived(known.root, photo.id) if photo.photo_set == OXFORD else None
        if known.photo_set != photo.photo_set:
            return None  # its number would be that of another photo
        return known.flowers.path(photo.id) if photo.id in known.flowers.ids else None
    if photo.source == "gallery":
        return gallery_path(photo)
    if photo.source == "custom":
        sets = [found for found in custom_test_sets() if found.name == photo.collection]
        return sets[0].path_of(photo.id) if sets else None
    for bundle in models.model_list().bundles:
        if bundle.name == photo.collection:
            found = galleries.user_photos(bundle)
            return found.path_of(photo.id) if found else None
    return None


def _arrived(root: Path, photo_id: int) -> Path | None:
    """Where a photo of a data set lies that is being unpacked; None where none is."""
    if not dataset_download(root).state.running:
        return None
    from flowers_core.data.download.oxford import arriving_photo

    return arriving_photo(root, photo_id)


def example_photo() -> Path:
    """The photo of a dahlia that comes with the app; its author and licence are in the folder's README."""
    return Path(__file__).resolve().parents[1] / "example" / "dahlia.jpg"
