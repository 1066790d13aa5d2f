"""What a fine-tuning run learns from: features, labels, and the targets of a step."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.inference.prediction import softmax
from flowers_core.training.forgetting import PretrainedAnswers
from flowers_core.training.recipe import Recipe


class TrainingError(FlowersError):
    """Training that cannot continue; the message says what happened, where, and what to change."""


@dataclass(frozen=True, eq=False)
class Examples:
    """What a run learns from, and what validates it.

    Attributes:
        features: (views, n, …), the output of the frozen layers for view v of photo i at [v, i]; view 0 is the central
            crop.
        labels: (n,) in 0…classes−1.
        validation: (m, …) features of central crops, or None where the run learns from those photos too.
        validation_labels: theirs, (m,), or None.
        class_names: for messages.
        teacher: (views, n, classes) float32, a teacher's logits for the same views, or None. For several teachers, the
            mean of their log-probabilities.
        pretrained: the pretrained network's answers, for learning without forgetting, or None.
    """

    features: NDArray[np.generic]
    labels: NDArray[np.integer]
    validation: NDArray[np.generic] | None
    validation_labels: NDArray[np.integer] | None
    class_names: tuple[str, ...]
    teacher: NDArray[np.float32] | None = None
    pretrained: PretrainedAnswers | None = None


@dataclass(frozen=True)
class Fixed:
    """Choices of validation, taken from a run of the same recipe that held photos out.

    Attributes:
        probe_regularization: C of the probe, the inverse of its regularization.
        wise_ft_alpha: from the probed (0) to the fine-tuned (1) weights.
    """

    probe_regularization: float
    wise_ft_alpha: float


def check_examples(examples: Examples, recipe: Recipe) -> None:
    """Check that a run can learn from its examples.

    Args:
        examples: of the run.
        recipe: of the run.

    Raises:
        TrainingError: something is missing; the message names it.
    """
    present = set(np.unique(examples.labels).tolist())
    absent = [name for i, name in enumerate(examples.class_names) if i not in present]
    if absent:
        raise TrainingError(f"There is no training photo of {', '.join(absent)}; every class needs one.")
    if recipe.teacher_weight > 0 and examples.teacher is None:
        raise TrainingError("The recipe learns from a teacher, and none was given.")
    if recipe.lwf_weight > 0 and examples.pretrained is None:
        raise TrainingError("The recipe learns without forgetting ImageNet, and its head to ImageNet was not given.")
    if len(examples.labels) < recipe.batch_size:
        raise TrainingError(
            f"A batch of {recipe.batch_size} is more than the {len(examples.labels)} training photos there are."
        )


def examples_digest(examples: Examples) -> str:
    """A digest that differs between other photos, input sizes, networks and teachers.

    It is made from the labels and the first photo's features, so that it costs nothing.
    """
    digest = hashlib.sha256(repr((examples.features.shape, examples.class_names)).encode())
    for array in (examples.labels, examples.features[:, 0], examples.validation_labels):
        digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    if examples.teacher is not None:
        digest.update(np.ascontiguousarray(examples.teacher[:, 0]).tobytes())
    return digest.hexdigest()[:16]


def targets(
    examples: Examples, recipe: Recipe, views: NDArray[np.integer], photos: NDArray[np.integer]
) -> NDArray[np.float32]:
    """The targets of a step: smoothed labels (Szegedy et al. 2016, arXiv 1512.00567), mixed with a teacher's answer.

    The teacher's answer is its softened one to the same view.

    Args:
        examples: of the run.
        recipe: label smoothing, the teacher's weight and its temperature.
        views, photos: (n,), which view of which photo.

    Returns:
        Probabilities (n, classes) float32; each row adds up to 1.
    """
    classes = len(examples.class_names)
    target = np.full((len(photos), classes), recipe.label_smoothing / classes)
    target[np.arange(len(photos)), examples.labels[photos]] += 1.0 - recipe.label_smoothing
    if recipe.teacher_weight and examples.teacher is not None:
        taught = softmax(examples.teacher[views, photos], recipe.teacher_temperature)
        target = (1.0 - recipe.teacher_weight) * target + recipe.teacher_weight * taught
    return target.astype(np.float32)
