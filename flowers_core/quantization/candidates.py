"""Candidates for a bundle's TFLite models: converted, and compared with float32 on the validation photos."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import inputs, stratified_sample
from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import CropRule
from flowers_core.evaluation.predictions import Predictions
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle, model_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.quantization import FormatLoss, Quantization
from flowers_core.inference.runtime import Runtime
from flowers_core.networks.classifier import load_classifier
from flowers_core.quantization.acceptance import format_loss, is_acceptable
from flowers_core.quantization.convert import LayerNoise, convert, layer_noise
from flowers_core.quantization.equalization import ALPHA, cross_layer_equalized
from flowers_core.quantization.qat import QatRecipe, quantization_aware_training
from flowers_core.training.augmentation import CROPS
from flowers_core.training.decoded_cache import open_decoded_cache
from flowers_core.training.feature_cache import AugmentedViews

_PHOTOS_FOR_NOISE = 32
# Validation photos that are held in memory at once, 0.2 MB each; all of the official split's.
_COMPARED = 1020


@dataclass(frozen=True)
class QuantizationOptions:
    """The numeric formats to convert to, and the settings of INT8.

    Attributes:
        formats: the numeric formats.
        representative: size of the representative dataset, training photos stratified by class.
        seed: of the draw of the representative dataset.
        equalization: alpha of the cross-layer equalization, 0…1.
        float_layers: layers that INT8 leaves in float.
        qat: quantization-aware training for INT8, or None.
    """

    formats: Sequence[str]
    representative: int = 204
    seed: int = 0
    equalization: float = ALPHA
    float_layers: Sequence[str] = ()
    qat: QatRecipe | None = None


@dataclass(frozen=True, eq=False)
class Candidates:
    """Converted models that may go into a bundle.

    Attributes:
        models: the TFLite file's bytes by numeric format.
        losses: against float32 on the validation photos, by numeric format.
        record: how they were made.
        int8_classifier: the classifier that INT8 was converted from, equalized and, if asked for, trained with QAT.
        representative: (n, size, size, 3) uint8.
        validation: (n, size, size, 3) uint8.
    """

    models: Mapping[str, bytes]
    losses: Mapping[str, FormatLoss]
    record: Quantization
    int8_classifier: keras.Model
    representative: NDArray[np.uint8]
    validation: NDArray[np.uint8]

    @property
    def rejected(self) -> list[str]:
        """The formats whose loss is not acceptable."""
        return [name for name, loss in self.losses.items() if not is_acceptable(loss)]

    def int8_noise(self) -> list[LayerNoise]:
        """The signal-to-quantization-noise ratio of INT8's layers, the noisiest first."""
        photos = self.validation[:_PHOTOS_FOR_NOISE]
        return layer_noise(self.int8_classifier, self.representative, photos, alpha=0.0)

    def write(self, writer: BundleWriter) -> None:
        """Put the models into the bundle, with the record of how they were made and their sizes."""
        sizes = {name: len(model) for name, model in self.models.items()}
        writer.change(lambda held: {"quantization": self.record, "model_bytes": {**held.model_bytes, **sizes}})
        for name, model in self.models.items():
            writer.add_bytes(model_file(name), model)


def make_candidates(
    bundle: Bundle,
    flowers: Dataset,
    options: QuantizationOptions,
    cache: Path,
    *,
    converted: Callable[[str, int, FormatLoss], None] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    report: Callable[[int, float], None] | None = None,
) -> Candidates:
    """Convert a bundle's Keras classifier and compare each model with float32.

    Args:
        bundle: with its classifier.
        flowers: training photos for INT8's ranges, validation photos for the comparison.
        options: numeric formats and settings.
        cache: where quantization-aware training keeps photos and features between runs; safe to delete.
        converted: called with each format, its size in bytes and its loss.
        progress: called with (what, done, total) while quantization-aware training computes augmented views.
        report: called with each step of quantization-aware training and its loss.
    """
    rule = bundle.crop_rule
    ids = stratified_sample(flowers, "train", options.representative, options.seed)
    representative = inputs(flowers, ids, rule)
    validation_ids = stratified_sample(flowers, "validation", _COMPARED, options.seed)
    validation = inputs(flowers, validation_ids, rule)
    classifier = load_classifier(bundle.path(CLASSIFIER_FILE))
    for_int8, qat = classifier, None
    if "int8" in options.formats:
        for_int8 = cross_layer_equalized(classifier, representative, alpha=options.equalization)
        if options.qat is not None:
            for_int8, qat = _quantization_aware(
                for_int8, representative, flowers, rule, options.qat, cache, progress=progress, report=report
            )

    def model_of(name: str) -> bytes:
        if name == "int8":
            return convert(for_int8, name, representative, float_layers=options.float_layers, alpha=0.0)
        return convert(classifier, name)

    def predictions_of(model: bytes) -> Predictions:
        return Predictions(validation_ids, flowers.labels[validation_ids - 1], Runtime(model).logits(validation))

    exact_model = model_of("float32")
    exact = predictions_of(exact_model)
    models, losses = {}, {}
    for name in options.formats:
        models[name] = exact_model if name == "float32" else model_of(name)
        losses[name] = format_loss(exact, predictions_of(models[name]))
        if converted is not None:
            converted(name, len(models[name]), losses[name])
    record = Quantization(
        representative_photos=tuple(ids.tolist()),
        split="train",
        seed=options.seed,
        equalization=options.equalization,
        bias_correction=True,
        float_head=True,
        qat=qat,
        float_layers=tuple(options.float_layers),
        loss_on_validation=losses,
    )
    return Candidates(models, losses, record, for_int8, representative, validation)


def _quantization_aware(
    classifier: keras.Model,
    representative: NDArray[np.uint8],
    flowers: Dataset,
    rule: CropRule,
    recipe: QatRecipe,
    cache: Path,
    **watchers: Any,
) -> tuple[keras.Model, dict[str, Any]]:
    """The classifier after quantization-aware training on training photos, and the record of that."""
    ids = flowers.split_ids("train")
    views = AugmentedViews(open_decoded_cache(flowers, ids, cache), ids, CROPS, recipe.seed)
    fitted, record = quantization_aware_training(
        classifier, representative, views, rule, recipe, cache, data=flowers.fingerprint(), **watchers
    )
    return fitted, {**record, "photos": len(ids), "split": "train"}
