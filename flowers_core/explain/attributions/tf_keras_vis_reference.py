"""tf-keras-vis itself, called like any method of this package: the reference for the project's own methods.

It builds the network anew at every call, so it takes several times as long. TensorFlow is imported when called.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from flowers_core.explain.attributions.cam import ONLY_CLASSES
from flowers_core.explain.attributions.gradients import LAST_LAYER
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Explanation, Target
from flowers_core.explain.subject import Subject

if TYPE_CHECKING:
    import keras

#: Method of this package → module and class of tf-keras-vis.
_CLASSES = {
    "grad_cam": ("gradcam", "Gradcam"),
    "grad_cam_plus_plus": ("gradcam_plus_plus", "GradcamPlusPlus"),
    "layer_cam": ("layercam", "Layercam"),
    "score_cam": ("scorecam", "Scorecam"),
    "saliency": ("saliency", "Saliency"),
}
REFERENCES = tuple(_CLASSES)


def explain_by_tf_keras_vis(
    method: str,
    classifier: keras.Model,
    subject: Subject,
    target: Target,
    *,
    layer: str = LAST_LAYER,
    **options: Any,
) -> Explanation:
    """The map of tf-keras-vis, not stretched to 0…1, on the grid of the layer (saliency: of the photo).

    Args:
        method: one of REFERENCES.
        classifier: photos (n, s, s, 3) in 0…255 → logits.
        subject: the photo; the model is `classifier`, not the subject's.
        target: a class, or a class against another.
        layer: name of the layer; saliency ignores it.
        options: passed to tf-keras-vis, such as smooth_samples or max_N.

    Returns:
        Explanation in "relative", its method "<method>_reference"; never negative (tf-keras-vis applies a ReLU).

    Raises:
        ValueError: if there is no such method, or the target is a neighbour.
    """
    from importlib import import_module

    if method not in _CLASSES:
        raise ValueError(f"tf-keras-vis has no method “{method}” here; there are {', '.join(REFERENCES)}.")
    score = _score(target)
    module, name = _CLASSES[method]
    chosen: dict[str, Any] = {"normalize_map": False}
    if method != "saliency":
        chosen = {
            "penultimate_layer": layer,
            "seek_penultimate_conv_layer": False,
            "expand_cam": False,
            "normalize_cam": False,
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports an old name of SciPy's zoom
        warnings.filterwarnings(
            "ignore", "The structure of `inputs`"
        )  # and hands Keras a list where one photo is meant
        explainer = getattr(import_module(f"tf_keras_vis.{module}"), name)(classifier)
        started = time.perf_counter()
        contributions = np.asarray(explainer(score, subject.pixels[None].astype(np.float32), **chosen, **options))[0]
    return Explanation(
        method=f"{method}_reference",
        target=target,
        contributions=contributions.astype(np.float32),
        value=float(contributions.sum(dtype=np.float64)),
        unit="relative",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={"layer": layer},
    )


def _score(target: Target) -> Any:
    if isinstance(target, ClassTarget):
        return lambda outputs: outputs[:, target.label - 1]
    if isinstance(target, ContrastTarget):
        return lambda outputs: outputs[:, target.label - 1] - outputs[:, target.rival - 1]
    raise ValueError(ONLY_CLASSES)
