"""The models on disk, and what answers with them: read once and shared by all sessions."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from app.resources import session_models
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import (
    CLASSIFIER_FILE,
    HEAD_FILE,
    Bundle,
    BundleError,
    bundle_folders,
    default_first,
    load_bundle,
    model_file,
)
from flowers_core.inference.manifest import MANIFEST
from flowers_core.storage.paths import default_models_dir

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.explain.attributions.gradients import Gradients
    from flowers_core.explain.concepts.concepts import Concepts
    from flowers_core.explain.representers import Representers
    from flowers_core.inference.answerer import Answerer
    from flowers_core.inference.confidence_head import ConfidenceHead
    from flowers_core.inference.prototypes import Prototypes
    from flowers_core.inference.records.gallery import KnnRule
    from flowers_core.inference.runtime import Runtime
    from flowers_core.retrieval.gallery import Gallery
    from flowers_core.retrieval.similarity import ClassSimilarity
    from flowers_core.retrieval.user_photos import ExtendedGallery, UserPhotos

T = TypeVar("T")

# The smallest and quickest; its accuracy is on the Models page beside the others'.
PREFERRED_FORMAT = "int8"


@dataclass(frozen=True)
class ModelList:
    """The bundles of the models folder, and those that this visitor taught.

    Attributes:
        bundles: those that can be used, the default one first, the visitor's last.
        problems: a sentence for each that cannot.
    """

    bundles: tuple[Bundle, ...]
    problems: tuple[str, ...]


def model_list() -> ModelList:
    """Every model on disk. Looks for new and changed ones at each call, and reads only those."""
    bundles, problems = [], []
    for folder in bundle_folders(default_models_dir()):
        try:
            bundle = _bundle(str(folder), (folder / MANIFEST).stat().st_mtime_ns)
        except BundleError as error:
            problems.append(str(error))
            continue
        bundles.append(bundle)
    return ModelList((*default_first(bundles), *session_models.bundles()), tuple(problems))


@st.cache_resource(show_spinner=False)
def _bundle(folder: str, changed: int) -> Bundle:  # noqa: ARG001 - `changed` is there for the cache's key
    return load_bundle(Path(folder))


def preferred_format(formats: Sequence[str]) -> str:
    """The numeric format that answers unless somebody chooses another."""
    return PREFERRED_FORMAT if PREFERRED_FORMAT in formats else formats[-1]


def bundle_file(bundle: Bundle, file_name: str, load: Callable[[Path], T], *, what: str = "") -> T:
    """What `load` makes of one of a bundle's files.

    It is read once for each content of the file: a model that is made anew is not answered from the old one's cache.

    Args:
        bundle: the bundle.
        file_name: the file's name in it.
        load: reads the file; it may raise a FlowersError.
        what: tells apart what is made of one file.

    Raises:
        FlowersError: when the bundle comes without the file, or it cannot be read.
    """
    return _loaded(digest(bundle, file_name), what or file_name, bundle, file_name, load)


def optional_file(bundle: Bundle, file_name: str, load: Callable[[Path], T], missing: T | None = None) -> T | None:
    """A file of a bundle that adds to a page, which stands without it.

    Args:
        bundle: the model.
        file_name: within the bundle.
        load: reads the file.
        missing: what stands for a file that the bundle comes without or that cannot be read.

    Returns:
        As `bundle_file`; or `missing`.
    """
    if not bundle.has(file_name):
        return missing
    try:
        return bundle_file(bundle, file_name, load)
    except FlowersError:
        return missing


@st.cache_resource(show_spinner=False, max_entries=64)
def _loaded(digest: str, what: str, _bundle: Bundle, _file_name: str, _load: Callable[[Path], Any]) -> Any:  # noqa: ARG001
    return _load(_bundle.path(_file_name))


def digest(bundle: Bundle, file_name: str) -> str:
    """Name the content of a bundle's file.

    Args:
        bundle: the model.
        file_name: within the bundle.

    Returns:
        Its SHA-256, or the file's name where the bundle comes without it.
    """
    return bundle.digest(file_name) or file_name


def model_digest(bundle: Bundle, numeric_format: str) -> str:
    """Name what answers: the content of one of a bundle's models, and of the head of one that was taught.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.
    """
    return bundle.answers_digest(numeric_format) or model_file(numeric_format)


def runtime(bundle: Bundle, numeric_format: str) -> Runtime:
    """The model, loaded once.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.
    """
    from flowers_core.inference.runtime import Runtime

    # One that was taught shares its interpreters with the model that it was taught from.
    graph = bundle_file(bundle, model_file(numeric_format), Runtime)
    return graph.with_head(*linear_layer(bundle)) if bundle.manifest.taught else graph


def linear_layer(bundle: Bundle) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (channels, classes) and bias (classes,) of the linear layer."""
    return bundle_file(bundle, HEAD_FILE, lambda _: bundle.head())


def head(bundle: Bundle) -> NDArray[np.float32]:
    """Weights of the linear layer, (channels, classes)."""
    return linear_layer(bundle)[0]


def bias(bundle: Bundle) -> NDArray[np.float32]:
    """Bias of the linear layer, (classes,)."""
    return bundle_file(bundle, HEAD_FILE, lambda _: bundle.head()[1], what="bias")


def answerer(bundle: Bundle, numeric_format: str) -> Answerer:
    """What answers photos with a bundle's model.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.

    Raises:
        BundleError: the bundle was never calibrated.
    """
    from flowers_core.inference.answerer import Answerer
    from flowers_core.inference.reading import TemperatureReader

    reader = confidence_head(bundle) or TemperatureReader(
        bundle.require_calibration(), lambda: _prototypes_if_read(bundle)
    )
    return Answerer(bundle, runtime(bundle, numeric_format), bundle.taxonomy, reader)


def confidence_head(bundle: Bundle) -> ConfidenceHead | None:
    """What one confidence for each photo takes, or None where the bundle comes without."""
    if bundle.manifest.confidence is None:
        return None
    from flowers_core.inference.confidence import DISCRIMINANT_FILE, discriminant_space
    from flowers_core.inference.confidence_head import ConfidenceHead

    space = bundle_file(bundle, DISCRIMINANT_FILE, lambda _: discriminant_space(bundle))
    return ConfidenceHead(bundle.manifest.confidence, space, *linear_layer(bundle))


def _prototypes_if_read(bundle: Bundle) -> Prototypes | None:
    """The prototypes; None where the gallery is damaged, too, which is told where the known photos are shown."""
    try:
        return prototypes(bundle)
    except FlowersError:
        return None


def temperature(bundle: Bundle) -> float:
    """What the logits are divided by; 1 where the bundle is not calibrated."""
    return bundle.calibration.temperature if bundle.calibration else 1.0


def gallery(bundle: Bundle) -> Gallery | None:
    """The index over all photos of the data set, or None when the bundle comes without one."""
    from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery

    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        return None
    # The records hold the digest of the index that they belong to, so their content names both.
    return bundle_file(
        bundle, RECORDS_FILE, lambda records: Gallery.load(bundle.path(INDEX_FILE), records, bundle.photo_set)
    )


def user_photos(bundle: Bundle) -> UserPhotos | None:
    """The user's photos beside this model's gallery, or None where there are none that can be used.

    Beside a model that was taught they are the photos of its lessons.
    """
    if bundle.manifest.taught:
        from flowers_core.retrieval.lesson_photos import photos_of_lessons
        from flowers_core.retrieval.taught_model import TAUGHT_FILE

        return bundle_file(bundle, TAUGHT_FILE, lambda _: photos_of_lessons(bundle))
    from flowers_core.retrieval.user_photos import UserPhotosError, user_photos_file

    path = user_photos_file(bundle.name)
    if not (path.is_file() and bundle.has(model_file(PREFERRED_FORMAT))):
        return None
    try:
        found = _user_photos(str(path), path.stat().st_mtime_ns, digest(bundle, model_file(PREFERRED_FORMAT)))
    except UserPhotosError:
        return None  # the script that adds photos says what is wrong with them
    return found if len(found) else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _user_photos(path: str, changed: int, model: str) -> UserPhotos:  # noqa: ARG001
    from flowers_core.retrieval.user_photos import load_user_photos

    return load_user_photos(Path(path), model)


def extended_gallery(bundle: Bundle) -> ExtendedGallery | None:
    """The gallery and the user's photos beside it, or None when the bundle comes without a gallery."""
    from flowers_core.retrieval.user_photos import ExtendedGallery

    known = gallery(bundle)
    return None if known is None else ExtendedGallery(known, bundle.name, user_photos(bundle))


def prototypes(bundle: Bundle) -> Prototypes | None:
    """The prototype of each class among the embeddings, or None when the bundle comes without a gallery."""
    from flowers_core.retrieval.gallery import RECORDS_FILE
    from flowers_core.retrieval.gallery_prototypes import prototypes_of
    from flowers_core.retrieval.taught_model import TAUGHT_FILE

    known = gallery(bundle)
    if known is None:
        return None
    what = f"prototypes {bundle.digest(TAUGHT_FILE) or ''}"
    return bundle_file(bundle, RECORDS_FILE, lambda _: prototypes_of(bundle, known), what=what)


def representers(bundle: Bundle) -> Representers | None:
    """What each training photo says for any other photo, or None when the bundle comes without a gallery."""
    from flowers_core.retrieval.gallery import RECORDS_FILE

    known = gallery(bundle)
    if known is None or not bundle.fitted_splits:
        return None
    what = f"representers {digest(bundle, HEAD_FILE)}"
    return bundle_file(bundle, RECORDS_FILE, lambda _: _representers_of(bundle, known), what=what)


def _representers_of(bundle: Bundle, known: Gallery) -> Representers:
    import numpy as np

    from flowers_core.explain.representers import representers_of

    learnt = np.isin(known.splits, bundle.fitted_splits)
    return representers_of(known.ids[learnt], known.labels[learnt], known.vectors(bundle.fitted_splits), head(bundle))


def class_similarity(bundle: Bundle) -> ClassSimilarity | None:
    """How similar two photos of a class are to this model, or None when the bundle comes without."""
    from flowers_core.retrieval.similarity import SIMILARITY_FILE, load_class_similarity

    return optional_file(bundle, SIMILARITY_FILE, load_class_similarity)


def knn_rule(bundle: Bundle) -> KnnRule | None:
    """How this model's neighbours are weighted, or None when no rule was chosen for it."""
    return bundle.manifest.knn


def concepts(bundle: Bundle) -> Concepts | None:
    """What this model's feature maps are made of, or None when the bundle comes without."""
    from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts

    return optional_file(bundle, CONCEPTS_FILE, lambda path: load_concepts(path, head(bundle)))


def gradients(bundle: Bundle) -> Callable[[], Gradients] | None:
    """Gives the Keras model's gradients; None where it is not part of the bundle, or TensorFlow is not installed.

    They are built at the first call, because TensorFlow takes seconds to start.
    """
    if not (bundle.has(CLASSIFIER_FILE) and is_installed("tensorflow")):
        return None
    return lambda: bundle_file(bundle, CLASSIFIER_FILE, _load_gradients)


def _load_gradients(path: Path) -> Gradients:
    from flowers_core.networks import start_tensorflow

    start_tensorflow()
    from flowers_core.explain.attributions.gradients import Gradients
    from flowers_core.networks.classifier import load_classifier

    return Gradients(load_classifier(path))


@cache
def is_installed(package: str) -> bool:
    """Whether a package is there, found without importing it: an installation that only serves has no TensorFlow."""
    return importlib.util.find_spec(package) is not None


def preload() -> None:
    """Load what the first answer takes while the person looks for a photo. What is wrong is said when it is used."""
    with contextlib.suppress(FlowersError):
        for bundle in [found for found in model_list().bundles if found.precisions][:1]:
            runtime(bundle, preferred_format(bundle.precisions))
            head(bundle)
            gallery(bundle)
