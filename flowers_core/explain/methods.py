"""All methods by name, each called the same way: a subject, a target, a seed.

Pages, the evaluation and the sanity check take their methods from here and know nothing else about them. A new method
is a function `(subject, target) → Explanation` in a file of its own, and one entry in `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from inspect import signature

from flowers_core.explain.attributions.cam import explain_cam
from flowers_core.explain.attributions.grad_cam import explain_grad_cam
from flowers_core.explain.attributions.grad_cam_plus_plus import explain_grad_cam_plus_plus
from flowers_core.explain.attributions.layer_cam import explain_layer_cam
from flowers_core.explain.attributions.occlusion import explain_occlusion
from flowers_core.explain.attributions.saliency import explain_saliency
from flowers_core.explain.attributions.score_cam import explain_score_cam
from flowers_core.explain.attributions.zoomed_cam import explain_zoomed_cam
from flowers_core.explain.explanation import ContrastTarget, Explanation, Target
from flowers_core.explain.lime.explain import explain_lime
from flowers_core.explain.lime.reference import explain_lime_reference
from flowers_core.explain.perturbation import Progress
from flowers_core.explain.subject import Subject


class Needs(Enum):
    """What a method needs in addition to the forward pass that named the flower."""

    NOTHING = "nothing"
    FORWARD_PASSES = "forward passes"
    KERAS = "the Keras model"


@dataclass(frozen=True)
class Method:
    """A way to explain.

    Attributes:
        name: short name, as in Explanation.method.
        title: for people.
        run: (subject, target) → Explanation. It also takes `seed` if it draws at random, and `progress` if it takes
            long.
        needs: what it needs in addition to the forward pass that named the flower.
        forward_passes: about how many more it takes.
        contrasts: whether it can set a class against another.
    """

    name: str
    title: str
    run: Callable[..., Explanation]
    needs: Needs
    forward_passes: int
    contrasts: bool = True

    @property
    def draws(self) -> bool:
        """Whether it draws at random, so that another seed gives another map."""
        return "seed" in signature(self.run).parameters

    def explain(
        self, subject: Subject, target: Target, *, seed: int = 0, progress: Progress | None = None
    ) -> Explanation:
        """Explain a class, or a class against another.

        Args:
            subject: the photo and the model.
            target: what is explained.
            seed: of a method that draws at random.
            progress: see `perturbation.Progress`.

        Returns:
            The method's map.

        Raises:
            ExplanationStopped: if `progress` returned False.
            ValueError: if the method cannot explain the target, or needs a Keras model and there is none.
        """
        if isinstance(target, ContrastTarget) and not self.contrasts:
            raise ValueError(f"{self.title} explains one class at a time.")
        if self.needs is Needs.KERAS and subject.gradients is None:
            raise ValueError(f"{self.title} needs the Keras model, and this model comes without.")
        offered = {"seed": seed, "progress": progress}
        taken = signature(self.run).parameters
        return self.run(subject, target, **{name: value for name, value in offered.items() if name in taken})


#: By name; those without TensorFlow first, the quickest first.
METHODS = {
    method.name: method
    for method in (
        Method("cam", "Evidence", explain_cam, Needs.NOTHING, forward_passes=0),
        Method("zoomed_cam", "Zoomed evidence", explain_zoomed_cam, Needs.FORWARD_PASSES, forward_passes=10),
        Method("lime", "LIME", explain_lime, Needs.FORWARD_PASSES, forward_passes=65, contrasts=False),
        Method("occlusion", "Occlusion", explain_occlusion, Needs.FORWARD_PASSES, forward_passes=145),
        Method("score_cam", "Score-CAM", explain_score_cam, Needs.FORWARD_PASSES, forward_passes=320),
        Method("grad_cam", "Grad-CAM", explain_grad_cam, Needs.KERAS, forward_passes=3),
        Method("grad_cam_plus_plus", "Grad-CAM++", explain_grad_cam_plus_plus, Needs.KERAS, forward_passes=3),
        Method("layer_cam", "LayerCAM", explain_layer_cam, Needs.KERAS, forward_passes=3),
        Method("saliency", "SmoothGrad", explain_saliency, Needs.KERAS, forward_passes=48),
        Method(
            "lime_reference",
            "LIME, reference",
            explain_lime_reference,
            Needs.FORWARD_PASSES,
            forward_passes=1000,
            contrasts=False,
        ),
    )
}
