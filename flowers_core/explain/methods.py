"""All methods by name, each asked the same way: a subject, a target, a seed.

A subject is a photo as one model sees it, with whatever a method may want to ask of that model. Pages, the evaluation
and the sanity check list methods from here and know nothing else of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions import cam
from flowers_core.explain.attributions.augmented_cam import Features, explain_shifted_cam
from flowers_core.explain.attributions.gradients import Gradients
from flowers_core.explain.explanation import Box, ClassTarget, ContrastTarget, Explanation, Target
from flowers_core.explain.lime.superpixels import Cutting
from flowers_core.explain.perturbation import Logits, Pixels, Progress

if TYPE_CHECKING:
    from flowers_core.inference.runtime import Forward


@dataclass(frozen=True, eq=False)
class Subject:
    """A photo as one model sees it.

    Attributes:
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        features: (h, w, c), of the pass that named the flower.
        head: (c, classes), the linear layer's weights.
        logits: photos to logits, such as Runtime.logits.
        feature_maps: photos to their feature maps, such as Runtime.features.
        forward: photos to both in one pass, such as Runtime.forward. With it LIME goes place by place; None where the
            logits are no sum over places.
        temperature: of the softmax.
        gradients: gives the Keras model's gradients (built at the first call); None where there is no Keras model.
        cutting: into which superpixels LIME cuts the photo.
    """

    pixels: Pixels
    box: Box
    photo_size: tuple[int, int]
    features: npt.NDArray[np.floating]
    head: npt.NDArray[np.floating]
    logits: Logits
    feature_maps: Features
    forward: Callable[[Pixels], Forward] | None = None
    temperature: float = 1.0
    gradients: Callable[[], Gradients] | None = None
    cutting: Cutting = field(default_factory=Cutting)

    @property
    def frame(self) -> dict[str, Any]:
        """The keyword arguments that every method takes."""
        return {"box": self.box, "photo_size": self.photo_size}


@dataclass(frozen=True)
class Method:
    """A way to explain.

    Attributes:
        name: short name, as in Explanation.method.
        title: for people.
        says: what a bright spot means, one sentence.
        looks: about how many passes through the network it takes, beyond the one that named the flower.
        keras: whether it needs the Keras model, and so TensorFlow.
        contrasts: whether it can set a class against another.
        draws: whether it draws at random, so that another seed gives another map.
        run: subject, target, seed, progress → Explanation.
    """

    name: str
    title: str
    says: str
    looks: int
    keras: bool
    contrasts: bool
    draws: bool
    run: Callable[[Subject, Target, int, Progress | None], Explanation]

    def explain(
        self, subject: Subject, target: Target, *, seed: int = 0, progress: Progress | None = None
    ) -> Explanation:
        """Explain a class, or a class against another.

        Raises:
            ExplanationStopped: where `progress` returned False.
            ValueError: where the method cannot explain the target, or needs a Keras model and there is none.
        """
        if isinstance(target, ContrastTarget) and not self.contrasts:
            raise ValueError(f"{self.title} explains one class at a time.")
        if self.keras and subject.gradients is None:
            raise ValueError(f"{self.title} needs the Keras model, and this model comes without.")
        return self.run(subject, target, seed, progress)


def _cam(subject: Subject, target: Target, _seed: int, _progress: Progress | None) -> Explanation:
    if isinstance(target, ClassTarget):
        return cam.class_evidence(subject.features, subject.head, target.label, **subject.frame)
    if isinstance(target, ContrastTarget):
        return cam.class_contrast(subject.features, subject.head, target.label, target.rival, **subject.frame)
    raise ValueError("Here a class is explained, or a class against another.")


def _shifted_cam(subject: Subject, target: Target, _seed: int, _progress: Progress | None) -> Explanation:
    return explain_shifted_cam(
        subject.feature_maps,
        subject.logits,
        subject.pixels,
        subject.head,
        target,
        temperature=subject.temperature,
        **subject.frame,
    )


def _lime(subject: Subject, target: Target, seed: int, progress: Progress | None) -> Explanation:
    from flowers_core.explain.lime.explain import explain_lime
    from flowers_core.explain.lime.per_position import Places

    return explain_lime(
        subject.logits,
        subject.pixels,
        _label(target),
        segmentation=subject.cutting.segmentation,
        segments=subject.cutting.segments,
        temperature=subject.temperature,
        seed=seed,
        progress=progress,
        places=Places(subject.forward, subject.head) if subject.forward else None,
        **subject.frame,
    )


def _lime_reference(subject: Subject, target: Target, seed: int, progress: Progress | None) -> Explanation:
    from flowers_core.explain.lime.reference import explain_lime_reference

    return explain_lime_reference(
        subject.logits,
        subject.pixels,
        _label(target),
        temperature=subject.temperature,
        seed=seed,
        progress=progress,
        **subject.frame,
    )


def _occlusion(subject: Subject, target: Target, _seed: int, progress: Progress | None) -> Explanation:
    from flowers_core.explain.attributions.occlusion import explain_occlusion

    return explain_occlusion(
        subject.logits, subject.pixels, target, temperature=subject.temperature, progress=progress, **subject.frame
    )


def _score_cam(subject: Subject, target: Target, _seed: int, progress: Progress | None) -> Explanation:
    from flowers_core.explain.attributions.score_cam import explain_score_cam

    return explain_score_cam(
        subject.logits,
        subject.pixels,
        subject.features,
        target,
        temperature=subject.temperature,
        progress=progress,
        **subject.frame,
    )


def _grad_cam(subject: Subject, target: Target, _seed: int, _progress: Progress | None) -> Explanation:
    from flowers_core.explain.attributions.grad_cam import explain_grad_cam

    return explain_grad_cam(_gradients(subject), subject.pixels, target, **subject.frame)


def _grad_cam_plus_plus(subject: Subject, target: Target, _seed: int, _progress: Progress | None) -> Explanation:
    from flowers_core.explain.attributions.grad_cam_plus_plus import explain_grad_cam_plus_plus

    return explain_grad_cam_plus_plus(_gradients(subject), subject.pixels, target, **subject.frame)


def _layer_cam(subject: Subject, target: Target, _seed: int, _progress: Progress | None) -> Explanation:
    from flowers_core.explain.attributions.layer_cam import explain_layer_cam

    return explain_layer_cam(_gradients(subject), subject.pixels, target, **subject.frame)


def _saliency(subject: Subject, target: Target, seed: int, progress: Progress | None) -> Explanation:
    from flowers_core.explain.attributions.saliency import explain_saliency

    return explain_saliency(_gradients(subject), subject.pixels, target, seed=seed, progress=progress, **subject.frame)


def _gradients(subject: Subject) -> Gradients:
    assert subject.gradients is not None  # Method.explain has asked
    return subject.gradients()


def _label(target: Target) -> int:
    if not isinstance(target, ClassTarget):
        raise ValueError("LIME explains one class at a time.")
    return target.label


_HIDING = "The more of the probability goes when it is hidden, the brighter a"
_ALL = (
    Method("cam", "Evidence", "The brighter a spot, the more of the logit comes from it.", 0, False, True, False, _cam),
    Method(
        "shifted_cam",
        "Finer evidence",
        "The brighter a spot, the more it speaks for this flower rather than for its rivals.",
        10,
        False,
        True,
        False,
        _shifted_cam,
    ),
    Method("lime", "LIME", "The brighter a piece, the more it raises the odds.", 65, False, False, True, _lime),
    Method("occlusion", "Occlusion", f"{_HIDING} place.", 145, False, True, False, _occlusion),
    Method(
        "score_cam",
        "Score-CAM",
        "The brighter a spot, the more it lights up in feature maps through which the model still knows the flower.",
        320,
        False,
        True,
        False,
        _score_cam,
    ),
    Method(
        "grad_cam",
        "Grad-CAM",
        "The brighter a spot, the more it lights up in feature maps that raise the logit.",
        3,
        True,
        True,
        False,
        _grad_cam,
    ),
    Method(
        "grad_cam_plus_plus",
        "Grad-CAM++",
        "As Grad-CAM, with more room for several flowers of one kind.",
        3,
        True,
        True,
        False,
        _grad_cam_plus_plus,
    ),
    Method(
        "layer_cam",
        "LayerCAM",
        "The brighter a spot, the more of what it lights up raises the logit right there.",
        3,
        True,
        True,
        False,
        _layer_cam,
    ),
    Method(
        "saliency",
        "SmoothGrad",
        "The brighter a pixel, the more the logit leans on it, for or against.",
        48,
        True,
        True,
        True,
        _saliency,
    ),
    Method("lime_reference", "LIME, reference", f"{_HIDING} piece.", 1000, False, False, True, _lime_reference),
)
#: By name, the quickest of those without TensorFlow first.
METHODS = {method.name: method for method in _ALL}
