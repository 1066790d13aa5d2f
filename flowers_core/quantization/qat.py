"""Quantization-aware training (QAT): it fits weights that, once rounded, answer as the float network does.

The network is its own teacher. A fake-quantized copy (`fake_quantization`) is fitted to the embedding and the answers
of the float network on augmented views of training photos (Hinton et al. 2015, arXiv 1503.02531), without labels. The
head stays as it is, so that a bundle explains its answers by the linear layer that its INT8 model has too.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule
from flowers_core.networks.classifier import EMBEDDING, FEATURES, head_of
from flowers_core.networks.compiled import compiled, in_batches
from flowers_core.quantization.acceptance import logit_error
from flowers_core.quantization.bias_correction import bias_corrected
from flowers_core.quantization.fake_quantization import activation_ranges, copy_weights, fake_quantized, is_depthwise
from flowers_core.quantization.scale_groups import CONVOLUTIONS
from flowers_core.quantization.weight_rounding import round_to_int8, straight_through
from flowers_core.training.feature_cache import AugmentedViews, Progress, cache_name, cached_features, network_digest
from flowers_core.training.partition import Partition, partition_before
from flowers_core.training.recipe import RecipeError
from flowers_core.training.schedules import cosine_with_warmup

_EVALUATION_BATCH = 32
StepReport = Callable[[int, float], None]


@dataclass(frozen=True)
class QatRecipe:
    """How a network is fitted to its quantization.

    Attributes:
        steps: of `batch_size` photos each.
        last_layers: how many of the backbone's last layers learn, counted as Keras lists them; None for all. The layers
            before them are computed once.
        views: augmented views of each training photo, at least 2; the last one is held out for validation.
        batch_size: photos a step.
        learning_rate: Adam's highest. It warms up over a tenth of the steps, then falls by half a cosine.
        seed: of the order of the photos.
    """

    steps: int
    last_layers: int | None = None
    views: int = 3
    batch_size: int = 16
    learning_rate: float = 2e-5
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_size) < 1 or self.views < 2 or self.learning_rate <= 0:
            raise RecipeError(
                "Quantization-aware training needs at least one step, one photo a step, two views and a learning rate "
                "above 0."
            )


@dataclass(frozen=True)
class Mismatch:
    """How far quantized answers are from exact ones.

    Attributes:
        logits: see `acceptance.logit_error`.
        embedding: the embedding's root mean square error, as a share of the embedding's root mean square.
    """

    logits: float
    embedding: float


def quantization_aware_training(
    classifier: keras.Model,
    representative: NDArray[np.uint8],
    views: AugmentedViews,
    rule: CropRule,
    recipe: QatRecipe,
    cache: Path,
    *,
    data: str,
    progress: Progress | None = None,
    report: StepReport | None = None,
) -> tuple[keras.Model, dict[str, Any]]:
    """Fit the backbone of a classifier to its quantization.

    Args:
        classifier: the teacher, flat and functional, which stays as it is. Its channels are equalized before, if at all
            (`equalization`).
        representative: the representative dataset, (n, size, size, 3) uint8, for the ranges of the activations.
        views: of training photos; the first `recipe.views` are used.
        rule: how a photo becomes the network's input.
        recipe: every choice.
        cache: where features of the frozen layers are kept between runs; safe to delete.
        data: the fingerprint of the photos.
        progress: called with (what, done, total) while views are computed.
        report: called with each step and its loss.

    Returns:
        A copy of the classifier, and the record of the run. The copy's kernels lie on INT8's steps already, so the
        conversion does not change them. If that is no better on the held-out view than bias correction alone, the copy
        has corrected biases only.

    Raises:
        RecipeError: there is no convolution among the last layers.
    """
    learning = learning_layers(classifier, recipe.last_layers)
    begin, ranges = bias_corrected(classifier, representative), activation_ranges(classifier, representative)
    student = fake_quantized(begin, ranges, exact=learning)
    partition = partition_before(student, min(i for i, layer in enumerate(student.layers) if layer.name in learning))
    if partition.frozen is not None and not partition.frozen.weights:
        partition = partition_before(student, 0)  # photos take less space than scaled photos
    teacher = keras.Model(classifier.input, classifier.get_layer(EMBEDDING).output)
    seen = (data, rule.to_json(), asdict(views.augmentation), views.seed)

    def cached(what: str, network: keras.Model | None, *also: object) -> NDArray[np.generic]:
        name = f"{what}-{cache_name(network_digest(network), *seen, *also)}"
        return cached_features(network, rule, views, recipe.views, cache, name, progress=progress)

    run = _Run(partition, student, head_of(classifier), recipe, learning)
    inputs, target = cached("rounded", partition.frozen, ranges), np.asarray(cached("exact", teacher), np.float32)
    before = run.mismatch(inputs[-1], target[-1])
    losses = run.fit(inputs[:-1], target[:-1], report)
    run.round_kernels()
    after = run.mismatch(inputs[-1], target[-1])
    better = after.logits < before.logits
    if not better:
        student = fake_quantized(begin, {})
    fitted = keras.models.clone_model(classifier)
    copy_weights(student, fitted)
    record = {
        **asdict(recipe),
        "cut": partition.freeze_point,
        "head": "frozen",
        "step_losses": [round(loss, 7) for loss in losses],
        "mismatch_before": asdict(before),
        "mismatch_after": asdict(after),
        "kept": better,
    }
    return fitted, record


def learning_layers(classifier: keras.Model, last_layers: int | None) -> list[str]:
    """The names of the backbone's last layers that have weights.

    Args:
        classifier: flat and functional.
        last_layers: how many layers of the backbone, counted from the last as Keras lists them; None for all.

    Raises:
        RecipeError: there is no convolution among them.
    """
    end = next(i for i, layer in enumerate(classifier.layers) if layer.name == FEATURES)
    first = 0 if last_layers is None else end - last_layers
    names = [layer.name for layer in classifier.layers[max(first, 0) : end] if layer.weights]
    if first < 0 or not any(isinstance(classifier.get_layer(name), CONVOLUTIONS) for name in names):
        raise RecipeError(f"There is no convolution to fit among the last {last_layers} of {end - 1} backbone layers.")
    return names


class _Run:
    def __init__(
        self,
        partition: Partition,
        student: keras.Model,
        head: tuple[NDArray[np.float32], NDArray[np.float32]],
        recipe: QatRecipe,
        learning: list[str],
    ) -> None:
        self.recipe = recipe
        tail = partition.embedder(student)
        assert tail is not None  # the freeze point lies before a layer of the backbone
        self.tail = tail
        self.layers = [student.get_layer(name) for name in learning]
        W, self.bias = head
        self.exact_weights, self.rounded_weights = W, np.asarray(round_to_int8(W))
        # Batch normalization keeps its statistics. Its offset learns, and corrects the mean shift of rounding.
        self.fitted = [variable for layer in self.layers for variable in layer.trainable_variables]
        self.kernels = {id(layer.kernel): layer for layer in self.layers if isinstance(layer, CONVOLUTIONS)}
        rate = cosine_with_warmup(recipe.learning_rate, recipe.steps, recipe.steps // 10)
        self.optimizer = keras.optimizers.Adam(rate)
        self.optimizer.build(self.fitted)
        self.step = tf.function(self._step, autograph=False, reduce_retracing=True)

    def fit(self, inputs: NDArray, target: NDArray, report: StepReport | None) -> list[float]:
        """Fit to inputs (views, n, …) with exact embeddings (views, n, channels); return the loss of each step."""
        views, photos = target.shape[:2]
        size = min(self.recipe.batch_size, views * photos)
        losses: list[float] = []
        while len(losses) < self.recipe.steps:
            # Every view of every photo is used once before any is used again.
            generator = np.random.default_rng([self.recipe.seed, len(losses)])
            order = generator.permutation(views * photos)
            for start in range(0, len(order) - size + 1, size):
                view, photo = np.divmod(np.sort(order[start : start + size]), photos)
                losses.append(float(self.step(tf.constant(inputs[view, photo]), tf.constant(target[view, photo]))))
                if report is not None:
                    report(len(losses), losses[-1])
                if len(losses) == self.recipe.steps:
                    break
        return losses

    def mismatch(self, inputs: NDArray, target: NDArray) -> Mismatch:
        """The mismatch of the tail, with its kernels rounded, on inputs (n, …) with exact embeddings (n, channels)."""
        kept = [np.asarray(variable) for variable in self.fitted]
        self.round_kernels()
        found = in_batches(compiled(self.tail), inputs, _EVALUATION_BATCH)
        for variable, value in zip(self.fitted, kept, strict=True):
            variable.assign(value)
        return Mismatch(
            logits=logit_error(target @ self.exact_weights, found @ self.rounded_weights),
            embedding=float(np.sqrt(np.square(found - target).mean() / np.square(target).mean())),
        )

    def round_kernels(self) -> None:
        for layer in self.kernels.values():
            layer.kernel.assign(round_to_int8(layer.kernel, depthwise=is_depthwise(layer)))

    def _step(self, inputs: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            values = [self._as_int8(variable) for variable in self.tail.trainable_variables]
            found, _ = self.tail.stateless_call(
                values, self.tail.non_trainable_variables, tf.cast(inputs, tf.float32), training=False
            )
            loss = self._divergence(found, target) + tf.reduce_mean(tf.square(found - target)) / tf.reduce_mean(
                tf.square(target)
            )
        self.optimizer.apply(tape.gradient(loss, self.fitted), self.fitted)
        return loss

    def _as_int8(self, variable: keras.Variable) -> tf.Tensor:
        layer = self.kernels.get(id(variable))
        return variable.value if layer is None else straight_through(variable.value, depthwise=is_depthwise(layer))

    def _divergence(self, found: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        """The mean Kullback–Leibler divergence of the answers from the exact ones, in nats."""
        answers = tf.nn.log_softmax(found @ self.rounded_weights + self.bias)
        exact = tf.nn.log_softmax(target @ self.exact_weights + self.bias)
        return tf.reduce_mean(tf.reduce_sum(tf.exp(exact) * (exact - answers), axis=1))
