"""The maps that `flowers benchmarks explain` compares: this project's and those of tf-keras-vis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.explain.attributions import cam
from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.subject import Frame, Subject
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.runtime import Runtime
from scripts.benchmarks.machine import cores

_TF_KERAS_VIS = ("grad_cam", "grad_cam_plus_plus", "layer_cam", "saliency")
_SMOOTH = 16
_WITH_PASS = "closed form with its INT8 pass"
_ON_ONE_THREAD = f"{_WITH_PASS}, 1 thread"

Pixels = NDArray[np.uint8]


@dataclass
class ExplainBackends:
    """Each backend makes the map of a photo, which is named by its position, and keeps it.

    Attributes:
        calls: from a photo's position to its map, by name.
        references: the backend of tf-keras-vis that each of ours is compared with.
        maps: those made so far, by backend.
    """

    calls: dict[str, Callable[[int], Explanation]]
    references: dict[str, str]
    maps: dict[str, list[Explanation]] = field(default_factory=dict)

    def keeping(self, name: str) -> Callable[[int], None]:
        """A backend that keeps its maps, in the order in which they are made."""
        call, maps = self.calls[name], self.maps.setdefault(name, [])
        return lambda photo: maps.append(call(photo))


def explain_backends(bundle: Bundle, classifier: Any, photos: Sequence[Pixels]) -> ExplainBackends:
    """Every backend of a model, for the class that it answers.

    Args:
        bundle: the model.
        classifier: its Keras network.
        photos: (size, size, 3) uint8 each, as the model sees them.
    """
    from flowers_core.explain.attributions.grad_cam import explain_grad_cam
    from flowers_core.explain.attributions.grad_cam_plus_plus import explain_grad_cam_plus_plus
    from flowers_core.explain.attributions.gradients import Gradients
    from flowers_core.explain.attributions.layer_cam import explain_layer_cam
    from flowers_core.explain.attributions.saliency import explain_saliency
    from flowers_core.explain.attributions.tf_keras_vis_reference import explain_by_tf_keras_vis

    runtime = Runtime(bundle.path(model_file("int8")), workers=1)
    on_all_cores, exact = (
        Runtime(bundle.path(model_file(precision)), workers=1, threads=cores())
        for precision in ("int8", bundle.precisions[0])
    )
    with_exact_pass = f"closed form with its {bundle.precisions[0]} pass"
    head = bundle.head()[0]
    gradients = Gradients(classifier)
    size = bundle.crop_rule.size
    frame: Frame = {"box": (0.0, 0.0, float(size), float(size)), "photo_size": (size, size)}
    answers = [ClassTarget(int(runtime.logits(pixels[None])[0].argmax()) + 1) for pixels in photos]
    passed = [runtime.forward(pixels[None]).features[0] for pixels in photos]
    subjects = [
        Subject(
            pixels=pixels,
            features=features,
            head=head,
            logits=runtime.logits,
            feature_maps=runtime.features,
            gradients=lambda: gradients,
            **frame,
        )
        for pixels, features in zip(photos, passed, strict=True)
    ]

    def tf_keras_vis(method: str) -> Callable[[int], Explanation]:
        options: dict[str, Any] = {"smooth_samples": _SMOOTH} if method == "saliency" else {}
        return lambda n: explain_by_tf_keras_vis(method, classifier, subjects[n], answers[n], **options)

    def with_pass(runtime: Runtime) -> Callable[[int], Explanation]:
        return lambda n: cam.class_evidence(
            runtime.forward(photos[n][None]).features[0], head, answers[n].label, **frame
        )

    calls: dict[str, Callable[[int], Explanation]] = {
        "closed form": lambda n: cam.class_evidence(passed[n], head, answers[n].label, **frame),
        # On one thread first: TensorFlow's threads, which ran just before, look for work for a while before they rest.
        _ON_ONE_THREAD: with_pass(runtime),
        _WITH_PASS: with_pass(on_all_cores),
        with_exact_pass: with_pass(exact),
        "grad_cam": lambda n: explain_grad_cam(subjects[n], answers[n]),
        "grad_cam_plus_plus": lambda n: explain_grad_cam_plus_plus(subjects[n], answers[n]),
        "layer_cam": lambda n: explain_layer_cam(subjects[n], answers[n]),
        "saliency": lambda n: explain_saliency(subjects[n], answers[n], samples=_SMOOTH),
        **{f"{method}, tf-keras-vis": tf_keras_vis(method) for method in _TF_KERAS_VIS},
    }
    closed_forms = ("closed form", _ON_ONE_THREAD, _WITH_PASS, with_exact_pass)
    references = dict.fromkeys(closed_forms, "grad_cam, tf-keras-vis")
    return ExplainBackends(calls, references | {method: f"{method}, tf-keras-vis" for method in _TF_KERAS_VIS})
