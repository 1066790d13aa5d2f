"""The changes of a recipe that `flowers study ablate` makes, as options of `flowers train`."""

from collections.abc import Mapping
from pathlib import Path

from flowers_core.inference.commands import Options

#: Stands for the bundle that is varied.
BASE = "{base}"
#: One change each, by the name of its record.
CHANGES: Mapping[str, Options] = {
    "none": {},
    "best_epoch": {"kept_epoch": "best"},
    "half_the_epochs": {"epochs": 16},
    "taught_by_itself": {"teacher": (BASE,), "teacher_weight": 0.5},
    "taught_by_others": {"teacher": ("efficientnet_lite0_small", "inception_v3"), "teacher_weight": 0.5},
    "no_label_smoothing": {"label_smoothing": 0.0},
    "no_dropout": {"dropout": 0.0},
    "no_weight_decay": {"weight_decay": 0.0},
    "no_averaging": {"average": "none"},
    "swa": {"average": "valleys"},
    "random_head": {"probe_views": 0},
    "one_cycle": {"schedule": "one_cycle"},
    "triangular": {"schedule": "triangular"},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.01},
    "half_the_rate": {"learning_rate": 3e-4},
    "twice_the_rate": {"learning_rate": 1.2e-3},
    "slow_body": {"head_rate": 10.0, "learning_rate": 1e-4},
    "depthwise_too": {"train_depthwise": True},
    "fewer_unfrozen": {"fine_tune": 15},
    "more_unfrozen": {"fine_tune": 50},
    "larger_input": {"size": 300},
    "smaller_input": {"size": 224},
    "milder_views": {"augmentation": "crops"},
    "published_views": {"augmentation": "published"},
}


def needs_bundle(change: str) -> bool:
    """Whether a change takes the bundle that is varied itself, as a teacher; its record will not do."""
    return (BASE,) in CHANGES[change].values()


def applied(change: str, bundle: Path) -> Options:
    """The options of a change.

    Args:
        change: one of CHANGES.
        bundle: the bundle that is varied; it stands where BASE does.
    """
    return {name: (str(bundle),) if value == (BASE,) else value for name, value in CHANGES[change].items()}
