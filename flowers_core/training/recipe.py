"""A fine-tuning recipe: every choice of a run in one frozen record, which the run's bundle keeps.

The record holds plain numbers and words, and `optimizers` builds Keras objects from it. So a command line can offer
and check a recipe without TensorFlow.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from flowers_core.errors import FlowersError
from flowers_core.training.augmentation import CROPS, Augmentation

OPTIMIZERS = ("adamw", "sgd")
CYCLIC_POLICIES = ("triangular", "triangular2", "exp_range")
SCHEDULES = ("cosine", "one_cycle", *CYCLIC_POLICIES, "constant")
AVERAGES = ("none", "ema", "valleys")
KEPT_EPOCHS = ("last", "best")


class RecipeError(FlowersError):
    """A recipe that cannot be followed; the message says which entry and what would work."""


@dataclass(frozen=True)
class Entry:
    """The allowed values of one entry of a recipe, for its check and for its command-line option.

    Attributes:
        help: a few words for a person at a terminal.
        choices: the words it may be; empty for a number or a switch.
        at_least, above, at_most, below: bounds of a number, each None where there is none.
    """

    help: str
    choices: tuple[str, ...] = ()
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def check(self, name: str, value: Any) -> None:
        """Check a value.

        Args:
            name: of the entry, for the message.
            value: to check.

        Raises:
            RecipeError: the value is not allowed; the message says which ones are.
        """
        if self.choices and value not in self.choices:
            what = name.replace("_", " ")
            raise RecipeError(f"There is no {what} '{value}'; choose one of {', '.join(self.choices)}.")
        if isinstance(value, int | float) and not self._contains(value):
            raise RecipeError(f"{name} {self._bounds()}, not {value:g}.")

    def _contains(self, value: float) -> bool:
        return not (
            (self.at_least is not None and value < self.at_least)
            or (self.above is not None and value <= self.above)
            or (self.at_most is not None and value > self.at_most)
            or (self.below is not None and value >= self.below)
        )

    def _bounds(self) -> str:
        low, high = self.at_least if self.above is None else self.above, self.at_most
        if high is None:
            high = self.below
        if low is not None and high is not None:
            return f"lies from {low:g} to {'' if self.below is None else 'below '}{high:g}"
        return f"must be {'at least' if self.above is None else 'above'} {low:g}"


def _entry(default: Any, words: str, **bounds: Any) -> Any:
    return field(default=default, metadata={"entry": Entry(words, **bounds)})


@dataclass(frozen=True)
class Recipe:
    """How a classifier is fine-tuned.

    Attributes:
        unfrozen_layers: the last layers of the backbone that learn.
        views: augmented views of each photo: the central crop and views − 1 random ones of `augmentation`. Each photo
            shows the next one in every epoch.
        probe_views: views that the head is fitted to before the rest learns (LP-FT, Kumar et al. 2022, arXiv
            2202.10054); 0 starts from a random head.
        balanced: every class is drawn equally often (`draws`), for people's photos do not come in the proportions of a
            data set.
        schedule: "cosine" (after `warmup` of the steps), "one_cycle", "constant", or a cyclic policy, "triangular",
            "triangular2" or "exp_range", between `lower_rate` and `learning_rate` with half-cycles of `step_size`
            steps.
        weight_decay: decoupled (Loshchilov & Hutter 2019, arXiv 1711.05101); biases have none.
        mixup: photos of a batch are mixed with each other behind the frozen layers (`mixup`).
        average: "ema", the exponential moving average of the weights over steps, or "valleys", their mean at the ends
            of the cycles of a cyclic schedule, or of the epochs of the last quarter of another (SWA, Izmailov et al.
            2018, arXiv 1803.05407).
        kept_epoch: "last", or "best", the one with the highest validation accuracy. Once nearly all validation photos
            are right, the best of many epochs is best by luck. It often comes at a high rate long before the end, and
            learning after it still improves answers to corrupted photos.
        patience: epochs without a better validation accuracy after which the run stops and keeps the best; None runs
            all.
        interpolate: choose on validation the interpolation between probed and fine-tuned weights (WiSE-FT, Wortsman et
            al. 2022, arXiv 2109.01903).
        teacher_weight: distillation weight, the fraction of the target that is the teachers' answer to the same view
            (Hinton et al. 2015, arXiv 1503.02531; the same view: Beyer et al. 2022, arXiv 2106.05237).
        lwf_weight: learning without forgetting (`forgetting`).
        l2_sp: pull of the backbone's weights towards the pretrained ones (L2-SP, Li et al. 2018, arXiv 1802.01483).
    """

    unfrozen_layers: int = field(
        metadata={"entry": Entry("layers of the backbone that learn, from the last", at_least=0)}
    )
    epochs: int = field(metadata={"entry": Entry("passes over the training photos", at_least=1)})
    views: int = _entry(16, "different views of each photo, the central crop included", at_least=1)
    probe_views: int = _entry(6, "views that the head is first fitted to", at_least=0)
    batch_size: int = _entry(32, "photos a step", at_least=1)
    balanced: bool = _entry(False, "draw every class equally often, however many photos it has")
    augmentation: Augmentation = field(default=CROPS, metadata={"entry": Entry("how views are drawn")})
    optimizer: str = _entry("adamw", "optimizer", choices=OPTIMIZERS)
    schedule: str = _entry("cosine", "how the learning rate moves", choices=SCHEDULES)
    learning_rate: float = _entry(3e-4, "its highest value", above=0)
    lower_rate: float = _entry(0.0, "its lowest value in a cyclic schedule", at_least=0)
    step_size: int = _entry(64, "steps of half a cycle in a cyclic schedule", at_least=1)
    warmup: float = _entry(0.1, "share of the steps that the rate rises before a cosine", at_least=0, below=1)
    head_rate: float = _entry(1.0, "the head's learning rate as a multiple of the backbone's", above=0)
    weight_decay: float = _entry(0.01, "weight decay", at_least=0)
    momentum: float = _entry(0.9, "of SGD", at_least=0, below=1)
    clip_norm: float = _entry(5.0, "largest norm of all gradients together; 0 for any", at_least=0)
    dropout: float = _entry(0.2, "share of the embedding left out in a step", at_least=0, below=1)
    label_smoothing: float = _entry(0.1, "label smoothing", at_least=0, below=1)
    mixup: float = _entry(0.0, "parameter of the Beta distribution that photos are mixed by; 0 mixes none", at_least=0)
    train_depthwise: bool = _entry(False, "let depthwise kernels learn too")
    average: str = _entry("ema", "which average of the weights is kept", choices=AVERAGES)
    ema_decay: float = _entry(0.99, "decay of the exponential moving average", at_least=0, below=1)
    kept_epoch: str = _entry(
        "last", "the last one's weights are kept, or those of the best by validation accuracy", choices=KEPT_EPOCHS
    )
    patience: int | None = _entry(None, "stop after so many epochs without a better validation accuracy", at_least=1)
    interpolate: bool = _entry(True, "choose on validation between the probed and the fine-tuned weights")
    teacher_weight: float = _entry(0.0, "share of the teachers' answer in what is learnt", at_least=0, at_most=1)
    teacher_temperature: float = _entry(1.0, "softens the teachers' answer", above=0)
    lwf_weight: float = _entry(0.0, "weight of the ImageNet answers that are not to be forgotten", at_least=0)
    l2_sp: float = _entry(0.0, "pulls weights to the pretrained ones, as weight decay does to zero", at_least=0)
    seed: int = _entry(0, "of everything drawn at random", at_least=0)

    def __post_init__(self) -> None:
        for name, entry in entries().items():
            entry.check(name, getattr(self, name))
        if self.patience is not None and self.kept_epoch != "best":
            raise RecipeError("Stopping early goes back to the best epoch: say that it is the one to keep.")
        if self.probe_views > self.views:
            raise RecipeError(f"The head can be fitted to at most the {self.views} views there are.")
        if self.mixup and self.lwf_weight:
            raise RecipeError("The ImageNet answers are to photos that are not mixed: leave out one of the two.")
        if self.lower_rate > self.learning_rate:
            raise RecipeError(
                f"The lowest rate, {self.lower_rate:g}, must not be above the highest, {self.learning_rate:g}."
            )

    def to_json(self) -> dict[str, Any]:
        """As plain values, by the entries' names."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Recipe":
        """Back from `to_json`, also after a trip through JSON. Older recipes without the entry kept the best epoch."""
        augmentation: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values["augmentation"].items()
        }
        return cls(**{"kept_epoch": "best", **values, "augmentation": Augmentation(**augmentation)})


def entries() -> dict[str, Entry]:
    """The allowed values of each entry of a recipe, by its name, in the order of `Recipe`."""
    return {entry.name: entry.metadata["entry"] for entry in dataclasses.fields(Recipe)}
