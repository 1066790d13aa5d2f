"""The recipe of the student project that this one grew from, as options of a run: two phases of SGD on frozen features,
then with the last layers unfrozen.

The project tells batch size, step size, policy, optimizer, augmentation and the number of unfrozen layers of three
networks. It tells neither epochs nor learning rates: those are this project's. Its step sizes are taken as epochs, as
Smith 2017 (arXiv 1506.01186) advises 2 to 10 of them; a cycle of four single steps would be none.
"""

from dataclasses import dataclass
from typing import Any

_STEPS_PER_EPOCH = 1020 // 64


@dataclass(frozen=True)
class PublishedRecipe:
    """One network's row of the published table, and what it leaves open.

    unfrozen_layers: the last ones, in phase two. step_epochs: half a cycle. policy: of the cyclic learning rate.
    head_rates, rates: lower and upper learning rate of phases one and two. They stay below the upper bounds that range
    tests of InceptionV3 to mixed8 suggested (`scripts.study.find_learning_rate`): 0.21 for the head, and
    0.04 for its last ten layers.
    """

    unfrozen_layers: int
    step_epochs: int
    policy: str
    head_rates: tuple[float, float] = (0.01, 0.1)
    rates: tuple[float, float] = (0.001, 0.01)


PUBLISHED_RECIPES = {
    "vgg16": PublishedRecipe(5, 16, "triangular2"),
    "resnet50": PublishedRecipe(20, 4, "triangular"),
    "inception_v3": PublishedRecipe(10, 2, "triangular"),
}
# Whole cycles of each of the three step sizes.
_EPOCHS = 32


def published_options(backbone: str) -> dict[str, Any]:
    """The options of `scripts.train` that are this recipe; networks that were not published take InceptionV3's row."""
    row = PUBLISHED_RECIPES.get(backbone, PUBLISHED_RECIPES["inception_v3"])
    (head_lower, head_upper), (lower, upper) = row.head_rates, row.rates
    return {
        "fine_tune": row.unfrozen_layers,
        "head_epochs": _EPOCHS,
        "head_learning_rate": head_upper,
        "head_lower_rate": head_lower,
        "epochs": _EPOCHS,
        "learning_rate": upper,
        "lower_rate": lower,
        "schedule": row.policy,
        "step_size": row.step_epochs * _STEPS_PER_EPOCH,
        "optimizer": "sgd",
        "batch_size": 64,
        "augmentation": "published",
        "views": 16,
        "probe_views": 0,
        "clip_norm": 0.0,
        "weight_decay": 0.0,
        "dropout": 0.0,
        "label_smoothing": 0.0,
        "train_depthwise": True,
        "average": "none",
        "kept_epoch": "best",
        "interpolate": False,
    }
