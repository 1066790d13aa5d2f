"""A fine-tuning recipe: every choice of a run in one frozen record, which its bundle keeps."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import keras

from flowers_core.errors import FlowersError
from flowers_core.training.augmentation import CROPS, Augmentation
from flowers_core.training.schedules import (
    CYCLIC_POLICIES,
    CyclicLearningRate,
    OneCycleLearningRate,
    WarmupCosine,
)

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "one_cycle", *CYCLIC_POLICIES, "constant")
AVERAGES = ("none", "ema", "valleys")
KEPT_EPOCHS = ("last", "best")


class RecipeError(FlowersError):
    """A recipe that cannot be followed; the message says which entry and what would work."""


@dataclass(frozen=True)
class Recipe:
    """How a classifier is fine-tuned.

    unfrozen_layers: the last layers of the backbone that learn. train_depthwise: whether depthwise kernels do.
    views: how many views of each photo there are, the central crop and views − 1 random ones of `augmentation`; epoch
    by epoch each photo shows the next. probe_views: how many of them the head is fitted to first (LP-FT, Kumar et al.
    2022, arXiv 2202.10054); 0 starts from a random head.
    schedule: "cosine" (after `warmup` of the steps), "one_cycle", "triangular", "triangular2", "exp_range" between
    lower_rate and learning_rate with half-cycles of step_size steps, or "constant".
    head_rate: the head's learning rate as a multiple of the backbone's.
    weight_decay: decoupled (Loshchilov & Hutter 2019), biases left out.
    average: "ema" of the weights over steps with decay `ema_decay`; "valleys", the mean of the weights at the ends of
    the cycles of a cyclic schedule, or of the last quarter's epochs of another (SWA, Izmailov et al. 2018, arXiv
    1803.05407).
    kept_epoch: "last", or "best", the one whose weights named most validation photos rightly. Once a network names
    nearly all of them, the best of many epochs is one of luck, often at a high rate long before the end; what is learnt
    after it still tells on spoilt photos.
    patience: stop after so many epochs without a better validation accuracy, and go back to the best; None runs all.
    interpolate: choose on validation how far to go from the probed to the fine-tuned weights (WiSE-FT, Wortsman et al.
    2022, arXiv 2109.01903).
    teacher_weight: share of a teacher's answer to the same view in the target (Hinton et al. 2015, arXiv 1503.02531;
    the same view: Beyer et al. 2022, arXiv 2106.05237); teacher_temperature softens both.
    """

    unfrozen_layers: int
    epochs: int
    views: int = 16
    probe_views: int = 6
    batch_size: int = 32
    augmentation: Augmentation = field(default=CROPS)
    optimizer: str = "adamw"
    schedule: str = "cosine"
    learning_rate: float = 3e-4
    lower_rate: float = 0.0
    step_size: int = 64
    warmup: float = 0.1
    head_rate: float = 1.0
    weight_decay: float = 0.01
    momentum: float = 0.9
    clip_norm: float = 5.0
    dropout: float = 0.2
    label_smoothing: float = 0.1
    train_depthwise: bool = False
    average: str = "ema"
    ema_decay: float = 0.99
    kept_epoch: str = "last"
    patience: int | None = None
    interpolate: bool = True
    teacher_weight: float = 0.0
    teacher_temperature: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for value, known, what in (
            (self.optimizer, OPTIMIZERS, "optimizer"),
            (self.schedule, SCHEDULES, "schedule"),
            (self.average, AVERAGES, "average"),
            (self.kept_epoch, KEPT_EPOCHS, "kept epoch"),
        ):
            if value not in known:
                raise RecipeError(f"There is no {what} '{value}'; choose one of {', '.join(known)}.")
        for name in ("epochs", "views", "batch_size", "step_size"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} must be at least 1, not {getattr(self, name)}.")
        for name in ("dropout", "label_smoothing", "warmup", "ema_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name} lies from 0 to below 1, not {getattr(self, name):g}.")
        if self.patience is not None and self.kept_epoch != "best":
            raise RecipeError("Stopping early goes back to the best epoch: say that it is the one to keep.")
        if not 0 <= self.teacher_weight <= 1 or self.teacher_temperature <= 0:
            raise RecipeError("teacher_weight lies from 0 to 1 and teacher_temperature above 0.")
        if not 0 <= self.probe_views <= self.views:
            raise RecipeError(f"The head can be fitted to at most the {self.views} views there are.")
        if self.learning_rate <= 0:
            raise RecipeError(f"The learning rate must be above 0, not {self.learning_rate:g}.")

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Recipe":
        """Back from `to_json`, also after a trip through JSON. Older recipes without the entry kept the best epoch."""
        augmentation: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values["augmentation"].items()
        }
        return cls(**{"kept_epoch": "best", **values, "augmentation": Augmentation(**augmentation)})

    def rate(self, steps: int, factor: float = 1.0) -> keras.optimizers.schedules.LearningRateSchedule | float:
        """The learning rate of a run of so many steps, times `factor`."""
        upper, lower = self.learning_rate * factor, self.lower_rate * factor
        if self.schedule == "constant":
            return upper
        if self.schedule == "cosine":
            return WarmupCosine(upper, steps, int(self.warmup * steps), lower)
        if self.schedule == "one_cycle":
            return OneCycleLearningRate(upper, steps)
        return CyclicLearningRate(lower or upper / 10, upper, self.step_size, self.schedule)

    def make_optimizer(self, steps: int, factor: float = 1.0) -> keras.optimizers.Optimizer:
        """An optimizer of a run of so many steps, its rate times `factor`."""
        rate = self.rate(steps, factor)
        if self.optimizer == "sgd":
            optimizer = keras.optimizers.SGD(
                rate, momentum=self.momentum, nesterov=True, weight_decay=self.weight_decay, clipnorm=None
            )
        else:
            optimizer = keras.optimizers.AdamW(rate, weight_decay=self.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        return optimizer
