"""The one place that caches: models, index, records and the photo at hand.

What belongs to the project (models, gallery, records) is shared by everybody; what belongs to a person (a photo and
what was computed of it) lives in that person's session and goes with it. Libraries that are slow to import are imported
where they are first needed, so that the first answer does not wait for the other pages.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from flowers_core.data.taxonomy import Taxonomy, load_taxonomy
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle, model_file
from flowers_core.inference.manifest import MANIFEST
from flowers_core.storage.paths import default_models_dir

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.data.audit.record import AuditRecord
    from flowers_core.data.model_input import ModelInput
    from flowers_core.data.oxford import OxfordFlowers
    from flowers_core.data.photos import Photo
    from flowers_core.evaluation.custom import OwnEvaluation
    from flowers_core.evaluation.report import Predictions, Report
    from flowers_core.explain.attributions.gradients import Gradients
    from flowers_core.explain.explanation import Box
    from flowers_core.explain.records.localization import LocalizationRecord
    from flowers_core.explain.records.methods import MethodRecord
    from flowers_core.inference.manifest import KnnRule
    from flowers_core.inference.multi_crop import CloserLook
    from flowers_core.inference.prediction import Prediction
    from flowers_core.inference.prototypes import ClassMeans
    from flowers_core.inference.runtime import Forward, Runtime
    from flowers_core.retrieval.gallery import Gallery
    from flowers_core.retrieval.projection import Projection
    from flowers_core.retrieval.similarity import ClassSimilarity
    from flowers_core.retrieval.user_photos import ExtendedGallery, UserPhotos

T = TypeVar("T")

# Photos and maps a session keeps; enough to go back and forth between a few.
RECENT = 8
# Longer side, in pixels, of a photo on the page: half of a wide page on a dense screen.
SHOWN_SIDE = 1200
TEST_RECORD = "test_predictions.npz"
# The test set of one's own that a session looks at, in its state.
LOOKED_AT = "evaluation"
# The smallest and quickest; its accuracy is on the Models page beside the others'.
PREFERRED = "int8"


@dataclass(frozen=True)
class Shelf:
    """The bundles that can be used, the default one first, and a sentence for each that cannot."""

    bundles: tuple[Bundle, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Data:
    """The data set as found: `flowers` when it is on disk and whole; `problem` when it is there but malformed."""

    root: Path
    flowers: OxfordFlowers | None
    problem: str | None


@dataclass(frozen=True, eq=False)
class Look:
    """One look of a model at a photo: what it saw of it, and what came out of its one forward pass."""

    photo: Photo
    bundle: Bundle
    precision: str
    model_digest: str
    seen: ModelInput
    forward: Forward


@dataclass(frozen=True, eq=False)
class Glance:
    """A photo of a gallery as a model saw it.

    pixels: (h, w, 3), small. features: (rows, columns, c). box: what was seen, in pixels of the photo. photo_size: its
    own width and height.
    """

    pixels: NDArray[np.uint8]
    features: NDArray[np.float32]
    box: Box
    photo_size: tuple[int, int]


# Models


def shelf() -> Shelf:
    """Every model on disk. Looks for new and changed ones at each call; reads only those."""
    from flowers_core.inference.bundle import DEFAULT_BUNDLE

    bundles, problems = [], []
    for manifest in sorted(default_models_dir().glob(f"*/{MANIFEST}")):
        try:
            bundles.append(_bundle(str(manifest.parent), manifest.stat().st_mtime_ns))
        except BundleError as error:
            problems.append(str(error))
    bundles.sort(key=lambda bundle: (bundle.name != DEFAULT_BUNDLE, bundle.name))
    return Shelf(tuple(bundles), tuple(problems))


@st.cache_resource(show_spinner=False)
def _bundle(folder: str, changed: int) -> Bundle:  # noqa: ARG001 - `changed` is there for the cache's key
    return load_bundle(Path(folder))


def _digest(bundle: Bundle, file_name: str) -> str:
    """Names a file's content, so that a model made anew is not answered from the old one's cache."""
    return bundle.digest(file_name) or file_name


def preferred(precisions: Sequence[str]) -> str:
    """The precision that answers unless somebody chooses another."""
    return PREFERRED if PREFERRED in precisions else precisions[-1]


def runtime(bundle: Bundle, precision: str) -> Runtime:
    """The model, loaded once."""
    return _runtime(_digest(bundle, f"{precision}.tflite"), bundle, precision)


@st.cache_resource(show_spinner=False, max_entries=6)
def _runtime(digest: str, _bundle: Bundle, _precision: str) -> Runtime:  # noqa: ARG001
    from flowers_core.inference.runtime import Runtime

    return Runtime(_bundle.path(f"{_precision}.tflite"))


def head(bundle: Bundle) -> NDArray[np.float32]:
    """Weights of the linear layer, (channels, classes)."""
    return _head(_digest(bundle, "head.npz"), bundle)


@st.cache_resource(show_spinner=False, max_entries=6)
def _head(digest: str, _bundle: Bundle) -> NDArray[np.float32]:  # noqa: ARG001
    return _bundle.head()[0]


def gallery(bundle: Bundle) -> Gallery | None:
    """The index over all photos of the data set, or None when the bundle comes without one."""
    if not (bundle.has("gallery.faiss") and bundle.has("gallery.npz")):
        return None
    return _gallery(_digest(bundle, "gallery.faiss") + _digest(bundle, "gallery.npz"), bundle)


@st.cache_resource(show_spinner=False, max_entries=4)
def _gallery(digest: str, _bundle: Bundle) -> Gallery:  # noqa: ARG001
    from flowers_core.retrieval.gallery import Gallery

    return Gallery.load(_bundle.path("gallery.faiss"), _bundle.path("gallery.npz"))


def prepare() -> None:
    """Load what the first answer takes while the person looks for a photo. What is wrong is said when it is used."""
    with contextlib.suppress(BundleError):
        for bundle in [found for found in shelf().bundles if found.precisions][:1]:
            runtime(bundle, preferred(bundle.precisions))
            head(bundle)
            gallery(bundle)


def own_photos(bundle: Bundle) -> UserPhotos | None:
    """The person's own photos beside this model's gallery, or None where there are none that can be used."""
    from flowers_core.retrieval.user_photos import UserPhotosError, load_user_photos, user_photos_file

    path, model = user_photos_file(bundle.name), bundle.digest(model_file("int8"))
    if model is None or not path.is_file():
        return None
    try:
        own = load_user_photos(path, model)
    except UserPhotosError:
        return None  # the script that adds photos says what is wrong with them
    return own if len(own) else None


def gallery_with_own(bundle: Bundle) -> ExtendedGallery | None:
    """The gallery with the person's own photos in it, where there are any."""
    from flowers_core.retrieval.user_photos import ExtendedGallery

    known, own = gallery(bundle), own_photos(bundle)
    return None if known is None else ExtendedGallery(known, bundle.name, own)


def class_means(bundle: Bundle) -> ClassMeans | None:
    """Where each class lies among the embeddings, or None when the bundle comes without a gallery to tell it by."""
    known = gallery(bundle)
    return None if known is None else _class_means(_digest(bundle, "gallery.npz"), bundle, known)


@st.cache_resource(show_spinner=False, max_entries=4)
def _class_means(digest: str, _bundle: Bundle, _gallery: Gallery) -> ClassMeans | None:  # noqa: ARG001
    from flowers_core.retrieval.gallery_prototypes import prototypes_of

    return prototypes_of(_bundle, _gallery)


def likeness(bundle: Bundle) -> ClassSimilarity | None:
    """How alike two photos of a class are to this model, or None when the bundle comes without."""
    from flowers_core.retrieval.similarity import SIMILARITY_FILE, SimilarityError

    if not bundle.has(SIMILARITY_FILE):
        return None
    try:
        return _likeness(_digest(bundle, SIMILARITY_FILE), bundle)
    except (BundleError, SimilarityError):
        return None  # what it adds is one line to a card; the gallery stands without


@st.cache_resource(show_spinner=False, max_entries=4)
def _likeness(digest: str, _bundle: Bundle) -> ClassSimilarity:  # noqa: ARG001
    from flowers_core.retrieval.similarity import SIMILARITY_FILE, load_class_similarity

    return load_class_similarity(_bundle.path(SIMILARITY_FILE))


def projection(bundle: Bundle) -> Projection | None:
    """The map of this model's embeddings, or None when the bundle comes without one that can be read."""
    from flowers_core.retrieval.projection import PROJECTION_FILE, ProjectionError

    if not bundle.has(PROJECTION_FILE):
        return None
    try:
        return _projection(_digest(bundle, PROJECTION_FILE), bundle)
    except (BundleError, ProjectionError):
        return None


@st.cache_resource(show_spinner=False, max_entries=4)
def _projection(digest: str, _bundle: Bundle) -> Projection:  # noqa: ARG001
    from flowers_core.retrieval.projection import PROJECTION_FILE, load_projection

    return load_projection(_bundle.path(PROJECTION_FILE))


def audit() -> tuple[Bundle, AuditRecord] | None:
    """What an audit of the data found, and the bundle that brings it; None when none does."""
    from flowers_core.data.audit.record import AUDIT_FILE, AuditError

    for bundle in shelf().bundles:
        if bundle.has(AUDIT_FILE):
            try:
                return bundle, _audit(_digest(bundle, AUDIT_FILE), bundle)
            except (BundleError, AuditError):
                continue  # another model's may be whole
    return None


@st.cache_resource(show_spinner=False, max_entries=2)
def _audit(digest: str, _bundle: Bundle) -> AuditRecord:  # noqa: ARG001
    from flowers_core.data.audit.record import AUDIT_FILE, load_audit

    return load_audit(_bundle.path(AUDIT_FILE))


def vote_rule(bundle: Bundle) -> KnnRule | None:
    """How this model's neighbours vote, or None when no rule was chosen for it."""
    return bundle.manifest.knn


def evaluated_methods(bundle: Bundle) -> MethodRecord | None:
    """How the ways to explain this model compare, or None where that was not measured or cannot be read."""
    from flowers_core.explain.records.methods import EXPLANATIONS_FILE, MethodRecordError

    if not bundle.has(EXPLANATIONS_FILE):
        return None
    try:
        return _evaluated_methods(_digest(bundle, EXPLANATIONS_FILE), bundle)
    except (BundleError, MethodRecordError):
        return None  # the closed form needs no table to be shown


@st.cache_resource(show_spinner=False, max_entries=4)
def _evaluated_methods(digest: str, _bundle: Bundle) -> MethodRecord:  # noqa: ARG001
    from flowers_core.explain.records.methods import EXPLANATIONS_FILE, load_methods

    return load_methods(_bundle.path(EXPLANATIONS_FILE))


def flower_shares(bundle: Bundle) -> LocalizationRecord | None:
    """How much of the evidence lies on the flower, or None where that was not measured or cannot be read."""
    from flowers_core.explain.records.localization import LOCALIZATION_FILE, LocalizationRecordError

    if not bundle.has(LOCALIZATION_FILE):
        return None
    try:
        return _flower_shares(_digest(bundle, LOCALIZATION_FILE), bundle)
    except (BundleError, LocalizationRecordError):
        return None  # the tables stand without it


@st.cache_resource(show_spinner=False, max_entries=4)
def _flower_shares(digest: str, _bundle: Bundle) -> LocalizationRecord:  # noqa: ARG001
    from flowers_core.explain.records.localization import LOCALIZATION_FILE, load_localization

    return load_localization(_bundle.path(LOCALIZATION_FILE))


@st.cache_resource(show_spinner=False)
def taxonomy() -> Taxonomy:
    """The 102 classes with their places in botany."""
    return load_taxonomy()


# Records of the test


def evaluated_precisions(bundle: Bundle) -> tuple[str, ...]:
    """The precisions whose answers to the test photos are on record."""
    if not bundle.has(TEST_RECORD):
        return ()
    return _evaluated_precisions(_digest(bundle, TEST_RECORD), bundle)


@st.cache_resource(show_spinner=False, max_entries=8)
def _evaluated_precisions(digest: str, _bundle: Bundle) -> tuple[str, ...]:  # noqa: ARG001
    from flowers_core.evaluation.report import stored_precisions

    return stored_precisions(_bundle.path(TEST_RECORD))


def predictions(bundle: Bundle, precision: str) -> Predictions:
    """What the model said about every test photo. Raises PredictionsError where that is not on record."""
    return _predictions(_digest(bundle, TEST_RECORD), precision, bundle)


@st.cache_resource(show_spinner=False, max_entries=8)
def _predictions(digest: str, precision: str, _bundle: Bundle) -> Predictions:  # noqa: ARG001
    from flowers_core.evaluation.report import load_predictions

    return load_predictions(_bundle.path(TEST_RECORD), precision)


def report(bundle: Bundle, precision: str) -> Report:
    """Precision, recall and F1 of each class, and the figures over all."""
    return _report(_digest(bundle, TEST_RECORD), precision, temperature(bundle), bundle)


@st.cache_resource(show_spinner=False, max_entries=8)
def _report(digest: str, precision: str, temperature: float, _bundle: Bundle) -> Report:
    from flowers_core.evaluation import report as evaluation

    return evaluation.report(_predictions(digest, precision, _bundle), temperature)


def evaluations(bundle: Bundle) -> list[OwnEvaluation]:
    """This model's answers to photos of the person's own, by name. Looks for new and changed ones at each call."""
    from flowers_core.evaluation.custom import REPORT_FILE, OwnEvaluationError
    from flowers_core.storage.paths import default_evaluations_dir

    found = []
    for path in sorted(default_evaluations_dir().glob(f"*/{REPORT_FILE}")):
        try:
            found.append(_evaluation(str(path.parent), path.stat().st_mtime_ns))
        except OwnEvaluationError:
            continue  # the script that makes them says what is wrong with one
    return [evaluation for evaluation in found if evaluation.bundle == bundle.name]


@st.cache_resource(show_spinner=False, max_entries=16)
def _evaluation(folder: str, changed: int) -> OwnEvaluation:  # noqa: ARG001
    from flowers_core.evaluation.custom import load_evaluation

    return load_evaluation(Path(folder))


def photo_file(photo_id: int) -> Path | None:
    """Where a photo lies: of the data set, or of the test set of one's own that is looked at; None where it is not."""
    flowers, evaluation = data().flowers, st.session_state.get(LOOKED_AT)
    if flowers is not None and photo_id in flowers.ids:
        path: Path | None = flowers.path(photo_id)
    else:
        path = evaluation.path_of(photo_id) if evaluation is not None else None
    return path if path is not None and path.is_file() else None


def photo_name(photo_id: int) -> str:
    """What a photo is called: its number, or the file's name where it is of a test set of one's own."""
    evaluation = st.session_state.get(LOOKED_AT)
    path = evaluation.paths.get(photo_id) if evaluation is not None else None
    return Path(path).name if path else f"photo {photo_id}"


def temperature(bundle: Bundle) -> float:
    """What the logits are divided by; 1 where the bundle is not calibrated."""
    return bundle.calibration.temperature if bundle.calibration else 1.0


# The data set


def data() -> Data:
    """The data set on disk, if it is."""
    from flowers_core.data.dataset import DatasetError, DatasetMissing
    from flowers_core.storage.paths import default_data_dir

    root = default_data_dir()
    try:
        return Data(root, _flowers(str(root), _changed(root)), None)
    except DatasetMissing:
        return Data(root, None, None)
    except DatasetError as error:
        return Data(root, None, str(error))


def _changed(root: Path) -> int:
    """When the labels came to be: a download changes it. 0 when there are none."""
    labels = root / "imagelabels.mat"
    return labels.stat().st_mtime_ns if labels.is_file() else 0


@st.cache_resource(show_spinner=False, max_entries=2)
def _flowers(root: str, changed: int) -> OxfordFlowers:  # noqa: ARG001
    from flowers_core.data.oxford import OxfordFlowers

    return OxfordFlowers(Path(root))


def records() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.str_]] | None:
    """Id, label and split of every photo, from the data set or, where it is not on disk, from a model's gallery."""
    flowers = data().flowers
    if flowers is not None:
        return flowers.ids, flowers.labels, flowers.splits
    for bundle in shelf().bundles:
        found = gallery(bundle)
        if found is not None:
            return found.ids, found.labels, found.splits
    return None


def example_photo() -> Path:
    """The photo of a dahlia that comes with the app; its author and licence are in the folder's README."""
    return Path(__file__).resolve().parents[1] / "example" / "dahlia.jpg"


# The photo at hand


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT)
def photo(content: bytes) -> Photo:
    """The bytes of a photo, read. Raises PhotoError."""
    from flowers_core.data.photos import read_photo

    return read_photo(content)


def look(photo: Photo, bundle: Bundle, precision: str) -> Look:
    """One forward pass: everything that the page shows of a photo follows from it."""
    return _look(photo.sha256, _digest(bundle, f"{precision}.tflite"), photo, bundle, precision)


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT)
def _look(sha256: str, digest: str, _photo: Photo, _bundle: Bundle, _precision: str) -> Look:  # noqa: ARG001
    from flowers_core.data.model_input import model_input

    seen = model_input(_photo.pixels, _bundle.crop_rule)
    forward = runtime(_bundle, _precision).forward(seen.pixels[None])
    return Look(_photo, _bundle, _precision, digest, seen, forward)


def predict(look: Look) -> Prediction:
    """The answer in probabilities. Raises BundleError where the bundle was never calibrated."""
    from flowers_core.inference.prediction import predict

    calibration = look.bundle.calibration
    if calibration is None:
        name = look.bundle.name
        raise BundleError(f"The model {name} is not calibrated yet; `python -m scripts.evaluate {name}` does that.")
    return predict(look.forward.logits[0], calibration, taxonomy())


def closer_look(look: Look) -> CloserLook | None:
    """What parts of the photo agree on, dozens of them: for an answer that is not sure."""
    return _closer_look(look.photo.sha256, look.model_digest, look)


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT)
def _closer_look(sha256: str, digest: str, _look: Look) -> CloserLook | None:  # noqa: ARG001
    from flowers_core.inference.multi_crop import look_closer

    bundle = _look.bundle
    model = runtime(bundle, _look.precision)
    return look_closer(_look.photo.pixels, model, bundle.crop_rule, temperature(bundle), class_means(bundle))


def glance(path: Path, bundle: Bundle, precision: str, side: int) -> Glance:
    """What a model makes of a photo on disk that is shown small. Raises PhotoError."""
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _glance(str(path), changed, _digest(bundle, f"{precision}.tflite"), side, bundle, precision)


@st.cache_resource(show_spinner=False, max_entries=96)
def _glance(path: str, changed: int, digest: str, side: int, _bundle: Bundle, _precision: str) -> Glance:  # noqa: ARG001
    import numpy as np
    from PIL import Image

    from flowers_core.data.model_input import model_input
    from flowers_core.data.photos import open_photo

    photo = open_photo(Path(path))
    seen = model_input(photo.pixels, _bundle.crop_rule)
    small = Image.fromarray(photo.pixels)
    small.thumbnail((side, side))
    features = runtime(_bundle, _precision).forward(seen.pixels[None]).features[0]
    return Glance(np.asarray(small), features, seen.box, (photo.width, photo.height))


def shown_pixels(photo: Photo) -> NDArray[np.uint8]:
    """The photo at the size pages show it, (h, w, 3): what a screen cannot show need not be painted and sent."""
    return _shown_pixels(photo.sha256, photo)


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT)
def _shown_pixels(sha256: str, _photo: Photo) -> NDArray[np.uint8]:  # noqa: ARG001
    import numpy as np
    from PIL import Image

    image = Image.fromarray(_photo.pixels)
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)


@cache
def is_installed(package: str) -> bool:
    """Whether a package is there, found without importing it: an installation that only serves has no TensorFlow."""
    return importlib.util.find_spec(package) is not None


def gradients(bundle: Bundle) -> Callable[[], Gradients] | None:
    """Gives the Keras model's gradients, built at the first call (TensorFlow takes seconds); None where it is not
    part of the bundle or TensorFlow is not installed."""
    if not (bundle.has("classifier.keras") and is_installed("tensorflow")):
        return None
    return lambda: _gradients(_digest(bundle, "classifier.keras"), bundle)


@st.cache_resource(show_spinner=False, max_entries=2)
def _gradients(digest: str, _bundle: Bundle) -> Gradients:  # noqa: ARG001
    from flowers_core.explain.attributions.gradients import Gradients
    from flowers_core.networks.classifier import load_classifier

    return Gradients(load_classifier(_bundle.path("classifier.keras")))


@st.cache_resource(show_spinner=False, scope="session", max_entries=1)
def _kept() -> dict[tuple[str, ...], Any]:
    return {}


def remembered(key: tuple[str, ...]) -> Any | None:
    """A slow map, or what was measured of one, from before in this session; or None."""
    return _kept().get(key)


def remember(key: tuple[str, ...], compute: Callable[[], T]) -> T:
    """Compute something slow once. Streamlit's own decorator would not let `compute` draw its progress on the page."""
    kept = _kept()
    if key not in kept:
        kept[key] = compute()
        for oldest in list(kept)[: max(0, len(kept) - 12 * RECENT)]:
            del kept[oldest]
    return kept[key]
