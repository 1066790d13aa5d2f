"""The pictures that a model made of what it looks for, as its bundle keeps them."""

from __future__ import annotations

from app.resources.bundle_files import optional_file
from flowers_core.inference.bundle import Bundle


def class_picture(bundle: Bundle, label: int) -> bytes | None:
    """What the model looks for in a flower, as a WebP file; None where the bundle comes without.

    Args:
        bundle: the model.
        label: the flower, from 1.
    """
    from flowers_core.explain.feature_visualization.pictures import CLASS_PICTURES_FILE

    return _picture(bundle, CLASS_PICTURES_FILE, label - 1)


def concept_picture(bundle: Bundle, concept: int) -> bytes | None:
    """What the model looks for in a concept, as a WebP file; None where the bundle comes without.

    Args:
        bundle: the model.
        concept: the number, from 0.
    """
    from flowers_core.explain.feature_visualization.pictures import CONCEPT_PICTURES_FILE

    return _picture(bundle, CONCEPT_PICTURES_FILE, concept)


def _picture(bundle: Bundle, file_name: str, index: int) -> bytes | None:
    from flowers_core.explain.feature_visualization.pictures import load_pictures

    found = optional_file(bundle, file_name, load_pictures)
    return None if found is None else found.pictures.get(index)
