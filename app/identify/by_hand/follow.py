"""What the model makes of an edited photo: from one pass the name, the map and the patterns, in plain values."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from app.elements.concept_cards import most_typical
from app.elements.map_words import map_words
from app.elements.words import capital, percent
from app.identify.answer import describe
from app.identify.explaining import ClassOrContrast
from app.resources import bundle_files, models
from flowers_core.data.edit import Edit, edited
from flowers_core.explain.attributions.cam import class_contrast, class_evidence
from flowers_core.explain.concepts.shares import concept_shares
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Explanation
from flowers_core.explain.overlay import draw
from flowers_core.explain.subject import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.resources.session import Inference
    from flowers_core.inference.bundle import Bundle

# Names and patterns that follow, and how strongly the map is drawn.
NAMES, PATTERNS, OPACITY = 3, 4, 0.7


def follow(inference: Inference, edit: Edit, target: ClassOrContrast | None, *, with_map: bool) -> dict[str, Any]:
    """The answer to an edited photo, as the canvas shows it.

    Args:
        inference: the photo and its model.
        edit: what was changed in the photo.
        target: what the map and the patterns explain; None for the name that the model gives now.
        with_map: whether the map is drawn over what the model sees.
    """
    bundle, taxonomy = inference.bundle, inference.bundle.taxonomy
    seen = edited(inference.photo.pixels, edit, bundle.crop_rule.size)
    forward = models.runtime(bundle, inference.numeric_format).forward(seen[None])
    prediction = models.answerer(bundle, inference.numeric_format).first_look(forward)
    answer = describe(prediction, taxonomy)
    best = prediction.candidates[0]
    if target is None:
        target = ClassTarget(best.label)
    head = bundle_files.linear_layer(bundle)
    explanation = _explained(forward.features[0], head[0], target, len(seen))
    subject = f"What speaks for {taxonomy[target.label].name}"
    if isinstance(target, ContrastTarget):
        subject += f" rather than {taxonomy[target.rival].name}"
    told, patterns = _patterns(bundle, forward.features[0], head, target)
    sees = f"What the model sees: {len(seen)} × {len(seen)} pixels"
    return {
        "verdict": answer.verdict,
        "mark": answer.mark,
        "headline": answer.headline,
        "names": [
            (capital(taxonomy[found.label].name), percent(found.probability), found.probability)
            for found in prediction.top(NAMES)
        ],
        "subject": subject,
        "told": told,
        "patterns": patterns,
        "seen": picture(draw(seen, explanation, OPACITY) if with_map else seen),
        "caption": sees,
        "alt": f"{sees}. {subject}: {map_words(explanation, taxonomy)}" if with_map else sees,
    }


def picture(pixels: NDArray[np.uint8], quality: int = 80) -> str:
    """A picture as an address that holds it.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        quality: of the JPEG, 1…95.
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _explained(
    features: NDArray[np.float32], head: NDArray[np.float32], target: ClassOrContrast, size: int
) -> Explanation:
    frame: Frame = {"box": (0, 0, size, size), "photo_size": (size, size)}
    if isinstance(target, ContrastTarget):
        return class_contrast(features, head, target.label, target.rival, **frame)
    return class_evidence(features, head, target.label, **frame)


def _patterns(
    bundle: Bundle,
    features: NDArray[np.float32],
    head: tuple[NDArray[np.float32], NDArray[np.float32]],
    target: ClassOrContrast,
) -> tuple[str, list[tuple[str, str, float]]]:
    """What the shares are of, and for each pattern that counts most its name, its share, and that as a number."""
    concepts = models.concepts(bundle)
    if concepts is None:
        return "", []
    found = concept_shares(features, concepts.dictionary, *head, target)
    shown = {concept: float(found.shares[concept]) for concept in found.strongest(PATTERNS)}
    worths = models.concept_worths(bundle, concepts)
    names = {concept: f"As in {most_typical(worths[:, concept], bundle.taxonomy)}" for concept in shown}
    if isinstance(target, ClassTarget) and found.value > 0:
        return "Patterns that count most, by their part of it", [
            (names[concept], f"{'−' if share < 0 else ''}{percent(abs(share) / found.value)}", share / found.value)
            for concept, share in shown.items()
        ]
    most = max(map(abs, shown.values()), default=1.0)
    return "Patterns that count most, in logits", [
        (names[concept], f"{share:+.1f}".replace("-", "−"), abs(share) / most) for concept, share in shown.items()
    ]
