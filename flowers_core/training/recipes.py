"""Named recipes, as values of the options of `flowers train`, each by the backbone that is to be fine-tuned.

`fast` gives a good model in minutes on two cores. Every augmented view passes the frozen layers once, so few views and
many epochs are cheap: a head on embeddings trains in seconds, and an epoch with the last convolution unfrozen takes
about two.

`published` is the recipe of the student project that this one grew from: SGD in two phases, on frozen features and then
with the last layers unfrozen. That project names batch size, step size, policy, optimizer, augmentation and the number
of unfrozen layers for three networks. It names neither epochs nor learning rates; those are this project's. Its step
sizes are taken as epochs, since Smith 2017 (arXiv 1506.01186) advises half-cycles of 2 to 10 epochs, and a cycle of a
few single steps would be none.

`own_photos` is the recipe for photos that nobody has tried out; validation says how much of it is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowers_core.training.recipe import Recipe

#: Training photos of one's own up to which more than the head learns. The features of one view of so many are 0.3 GB.
FINE_TUNED_AT_MOST = 5000

_STEPS_PER_EPOCH = 1020 // 64
# Whole cycles of each of the three published step sizes.
_PUBLISHED_EPOCHS = 32


@dataclass(frozen=True)
class PublishedRecipe:
    """One network's row of the published table, and what the table leaves open.

    Attributes:
        unfrozen_layers: the last ones, in phase two.
        step_epochs: half a cycle.
        policy: of the cyclic learning rate.
        head_rates, rates: lower and upper learning rate of phases one and two. They stay below the upper bounds that
            range tests of InceptionV3 to mixed8 suggested (`flowers study find_learning_rate`): 0.21 for the head, and
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


def fast(_backbone: str) -> dict[str, Any]:
    """The options of the fast recipe, which validation chose for EfficientNet-Lite0."""
    return {
        "fine_tune": 2,
        "size": 256,
        "views": 6,
        "augmentation": "crops",
        "probe_views": 0,
        "head_epochs": 30,
        "head_learning_rate": 1e-2,
        "epochs": 30,
        "learning_rate": 2e-3,
        "kept_epoch": "best",
        "interpolate": False,
    }


def published(backbone: str) -> dict[str, Any]:
    """The options of the published recipe; networks that were not published take InceptionV3's row."""
    row = PUBLISHED_RECIPES.get(backbone, PUBLISHED_RECIPES["inception_v3"])
    (head_lower, head_upper), (lower, upper) = row.head_rates, row.rates
    return {
        "fine_tune": row.unfrozen_layers,
        "head_epochs": _PUBLISHED_EPOCHS,
        "head_learning_rate": head_upper,
        "head_lower_rate": head_lower,
        "epochs": _PUBLISHED_EPOCHS,
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


def own_photos(photos: int, backbone_layers: int, seed: int) -> Recipe | None:
    """The recipe for photos of one's own: a linear probe, then the last third of the backbone with it.

    Validation chooses the probe's regularization, and how far to go from the probe's weights to the fine-tuned ones
    (WiSE-FT): not at all, where fine-tuning does not help. It is the most accurate point, and of equals the likeliest.
    With few photos a step takes fewer of them, so that an epoch has several, at a rate that is lower in proportion
    (Goyal et al. 2017, arXiv 1706.02677).

    Args:
        photos: training photos.
        backbone_layers: as Keras lists them.
        seed: of everything drawn at random.

    Returns:
        The recipe; None beyond `FINE_TUNED_AT_MOST` photos, where the probe alone has enough to go by and the rest
        would take hours.
    """
    if photos > FINE_TUNED_AT_MOST:
        return None
    batch = min(max(photos // 16, 8), 32, photos)
    return Recipe(
        unfrozen_layers=backbone_layers // 3,
        epochs=12,
        views=6,
        probe_views=2,
        batch_size=batch,
        learning_rate=6e-4 * batch / 32,
        seed=seed,
    )


RECIPES: Mapping[str, Callable[[str], dict[str, Any]]] = {"fast": fast, "published": published}
