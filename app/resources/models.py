"""The models on disk, and what answers with them: read once and shared by all sessions."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.resources import session_models
from app.resources.bundle_files import PREFERRED_FORMAT, bundle_file, digest, head, linear_layer, optional_file
from app.resources.galleries import gallery, prototypes
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
    from flowers_core.inference.answerer import Answerer
    from flowers_core.inference.confidence_head import ConfidenceHead
    from flowers_core.inference.prototypes import Prototypes
    from flowers_core.inference.runtime import Runtime


@dataclass(frozen=True)
class ModelList:
    """The bundles of the models folder, and those that this visitor taught.

    Attributes:
        bundles: those that can be used, the default one first, the visitor's last.
        problems: a sentence for each that cannot.
    """

    bundles: tuple[Bundle, ...]
    problems: tuple[str, ...]


def tested(bundle: Bundle) -> Bundle:
    """The model whose figures on test photos stand for a model: its sibling, if it has one that is here, or itself."""
    found = (other for other in model_list().bundles if other.name == bundle.sibling)
    return next(found, bundle)


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


def answerer(bundle: Bundle, numeric_format: str) -> Answerer:
    """What answers photos with a bundle's model: by the temperature where what confidence takes cannot be read.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.

    Raises:
        BundleError: the bundle was never calibrated.
    """
    from flowers_core.inference.answerer import Answerer
    from flowers_core.inference.reading import TemperatureReader

    reader = _confidence_if_read(bundle) or TemperatureReader(
        bundle.require_calibration(), lambda: _prototypes_if_read(bundle)
    )
    return Answerer(bundle, runtime(bundle, numeric_format), bundle.taxonomy, reader)


def confidence_head(bundle: Bundle) -> ConfidenceHead | None:
    """What one confidence for each photo takes; None where the bundle comes without. Raises BundleError."""
    if bundle.manifest.confidence is None:
        return None
    from flowers_core.inference.confidence import DISCRIMINANT_FILE, discriminant_space
    from flowers_core.inference.confidence_head import ConfidenceHead

    space = bundle_file(bundle, DISCRIMINANT_FILE, lambda _: discriminant_space(bundle))
    return ConfidenceHead(bundle.manifest.confidence, space, *linear_layer(bundle))


def _confidence_if_read(bundle: Bundle) -> ConfidenceHead | None:
    """The same; None where a file is damaged, too, which *Identify* tells below its answer."""
    try:
        return confidence_head(bundle)
    except FlowersError:
        return None


def _prototypes_if_read(bundle: Bundle) -> Prototypes | None:
    """The prototypes; None where the gallery is damaged, too, which is told where the known photos are shown."""
    try:
        return prototypes(bundle)
    except FlowersError:
        return None


def temperature(bundle: Bundle) -> float:
    """What the logits are divided by; 1 where the bundle is not calibrated."""
    return bundle.calibration.temperature if bundle.calibration else 1.0


def concepts(bundle: Bundle) -> Concepts | None:
    """What this model's feature maps are made of, or None when the bundle comes without."""
    from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts

    return optional_file(bundle, CONCEPTS_FILE, lambda path: load_concepts(path, head(bundle)))


def concept_worths(bundle: Bundle, concepts: Concepts) -> NDArray[np.float64]:
    """What each concept adds to a class's own logit in its training photos, on average, (classes, k), in logits.

    Args:
        bundle: the model.
        concepts: its concepts.
    """
    from flowers_core.explain.concepts.classes import worth
    from flowers_core.explain.concepts.concepts import CONCEPTS_FILE

    what = f"worths {digest(bundle, HEAD_FILE)}"
    return bundle_file(bundle, CONCEPTS_FILE, lambda _: worth(concepts, head(bundle)), what=what)


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
            head(bundle)
            gallery(bundle)
            answerer(bundle, preferred_format(bundle.precisions))
