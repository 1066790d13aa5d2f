"""What a manifest records of how the TFLite models were made, and of what each numeric format loses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FormatLoss:
    """The loss of a numeric format against float32 on the validation photos.

    Attributes:
        top1, balanced_accuracy: in percentage points, positive if the format is worse.
        agreement: fraction of photos for which both predict the same class.
        logit_error: root mean square error of the logits over photos and classes.
    """

    top1: float
    balanced_accuracy: float
    agreement: float
    logit_error: float | None = None


@dataclass(frozen=True)
class Quantization:
    """How the TFLite models were made.

    Attributes:
        representative_photos: ids of the photos on which activations were observed.
        split, seed: the split that they were drawn from, and the seed.
        equalization: 0…1, strength of the cross-layer equalization.
        bias_correction: whether INT8's biases compensate for rounding.
        float_head: whether the linear layer stays in float.
        qat: the record of quantization-aware training, as `quantization.qat` returns it.
        float_layers: layers that INT8 leaves in float.
        loss_on_validation: numeric format → its loss.
    """

    representative_photos: tuple[int, ...]
    split: str
    seed: int
    equalization: float | None = None
    bias_correction: bool = False
    float_head: bool = False
    qat: Any = None
    float_layers: tuple[str, ...] = ()
    loss_on_validation: Mapping[str, FormatLoss] = field(default_factory=dict)
