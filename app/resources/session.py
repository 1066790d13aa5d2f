"""What belongs to one person: the photo at hand and what was computed of it. It goes with the session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from app.resources import models
from flowers_core.inference.bundle import Bundle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.data.model_input import ModelInput
    from flowers_core.data.photos import Photo
    from flowers_core.inference.answerer import Answer
    from flowers_core.inference.prediction import Prediction
    from flowers_core.inference.runtime import Forward

T = TypeVar("T")

# What was computed of photos, and maps, that a session keeps: enough to go back and forth between a few.
RECENT = 8
# Forward passes that it keeps, some 0.6 MB each: of as many photos as it keeps copies of (`own_photos.MOST`), and more.
RECENT_PASSES = 16
# Photos themselves that it keeps: this one and the one before. One takes up to 8 MB, and sessions share a machine.
RECENT_PHOTOS = 2
# Longer side, in pixels, of a photo on the page: half of a wide page on a dense screen.
SHOWN_SIDE = 1200


@dataclass(frozen=True, eq=False)
class Inference:
    """One forward pass of a model over a photo.

    Attributes:
        photo: the photo, or the crop of it, that the model was given.
        bundle: the model's bundle.
        numeric_format: which of its models.
        model_digest: names that model's content.
        seen: the photo as the model takes it.
        forward: logits, features and embedding.
    """

    photo: Photo
    bundle: Bundle
    numeric_format: str
    model_digest: str
    seen: ModelInput
    forward: Forward


def photo(content: bytes) -> Photo:
    """The bytes of a photo, read. Raises PhotoError."""
    from flowers_core.data.photos import read_photo

    return decoded(hashlib.sha256(content).hexdigest(), lambda: read_photo(content))


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT_PHOTOS)
def decoded(sha256: str, _read: Callable[[], Photo]) -> Photo:  # noqa: ARG001
    """A photo, decoded unless it is one of the last.

    Args:
        sha256: of its file.
        _read: decodes it; it may raise PhotoError.
    """
    return _read()


def infer(photo: Photo, bundle: Bundle, numeric_format: str) -> Inference:
    """One forward pass: everything that the page shows of a photo follows from it.

    Args:
        photo: as the person gave it.
        bundle: the model.
        numeric_format: of the model, such as `int8`.
    """
    digest = models.model_digest(bundle, numeric_format)
    seen, forward = _infer(photo.sha256, digest, photo, bundle, numeric_format)
    return Inference(photo, bundle, numeric_format, digest, seen, forward)


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT_PASSES)
def _infer(
    sha256: str,  # noqa: ARG001
    digest: str,  # noqa: ARG001
    _photo: Photo,
    _bundle: Bundle,
    _numeric_format: str,
) -> tuple[ModelInput, Forward]:
    """What is kept of a pass; not the photo, which is large."""
    from flowers_core.data.model_input import model_input

    seen = model_input(_photo.pixels, _bundle.crop_rule)
    return seen, models.runtime(_bundle, _numeric_format).forward(seen.pixels[None])


def predict(inference: Inference) -> Prediction:
    """The answer from one look. Raises BundleError where the bundle was never calibrated."""
    return models.answerer(inference.bundle, inference.numeric_format).first_look(inference.forward)


def answer(inference: Inference) -> Answer:
    """The answer to a whole photo: from one look, and from several where that leaves doubt. Raises as `predict`."""
    return _answer(inference.photo.sha256, inference.model_digest, inference)


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT_PASSES)
def _answer(sha256: str, digest: str, _inference: Inference) -> Answer:  # noqa: ARG001
    answerer = models.answerer(_inference.bundle, _inference.numeric_format)
    return answerer.answer(_inference.photo.pixels, _inference.forward)


def shown_pixels(photo: Photo) -> NDArray[np.uint8]:
    """The photo at the size pages show it, (h, w, 3): what a screen cannot show need not be painted and sent."""
    return _shown_pixels(photo.sha256, photo)


@st.cache_resource(show_spinner=False, scope="session", max_entries=RECENT_PHOTOS)
def _shown_pixels(sha256: str, _photo: Photo) -> NDArray[np.uint8]:  # noqa: ARG001
    import numpy as np
    from PIL import Image

    image = Image.fromarray(_photo.pixels)
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)


@st.cache_resource(show_spinner=False, scope="session", max_entries=1)
def _kept() -> dict[tuple[str, ...], Any]:
    return {}


def remembered(key: tuple[str, ...]) -> Any | None:
    """A slow map, or what was measured of one, from before in this session; or None."""
    return _kept().get(key)


def remember(key: tuple[str, ...], compute: Callable[[], T]) -> T:
    """Compute something slow once.

    Streamlit's own decorator would not let `compute` draw its progress on the page.

    Args:
        key: names what is computed.
        compute: makes it.
    """
    kept = _kept()
    if key not in kept:
        kept[key] = compute()
        for oldest in list(kept)[: max(0, len(kept) - 12 * RECENT)]:
            del kept[oldest]
    return kept[key]
