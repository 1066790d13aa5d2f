"""A recipe for a good model in minutes on two cores, as options of a run.

Every view of a photo goes through the frozen part once, so few views and many epochs are cheap: a head on embeddings
trains in seconds, and where the last convolution alone is unfrozen an epoch takes about two.
"""

from typing import Any


def fast_options(_backbone: str) -> dict[str, Any]:
    """The options of `scripts.train` that are this recipe, chosen on validation for EfficientNet-Lite0."""
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
