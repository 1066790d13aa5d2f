"""Where things lie on disk: data, weights, models, caches and the user's own files.

An environment variable can name each folder. Without one, a checkout keeps everything below its own root, where a
person sees it, and an installed package uses the user's folders (platformdirs).
"""

import os
from functools import cache
from pathlib import Path

import platformdirs

APP_NAME = "oxford-flowers"


@cache
def project_root() -> Path | None:
    """The root of the checkout that this code runs from; None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def default_data_dir() -> Path:
    """Where the data set lies, a folder or a table: FLOWERS_DATA_DIR, else `data/oxford102`."""
    return _folder("FLOWERS_DATA_DIR", "data/oxford102")


def default_weights_dir() -> Path:
    """The folder of ImageNet weights: FLOWERS_WEIGHTS_DIR, else `weights`."""
    return _folder("FLOWERS_WEIGHTS_DIR", "weights")


def default_models_dir() -> Path:
    """The folder of the bundles: FLOWERS_MODELS_DIR, else `models`."""
    return _folder("FLOWERS_MODELS_DIR", "models")


def default_user_photos_dir() -> Path:
    """The folder of the records of user photos: FLOWERS_OWN_DIR, else `own`."""
    return _folder("FLOWERS_OWN_DIR", "own")


def default_galleries_dir() -> Path:
    """The folder of large galleries: FLOWERS_GALLERIES_DIR, else `galleries`."""
    return _folder("FLOWERS_GALLERIES_DIR", "galleries")


def default_evaluations_dir() -> Path:
    """The folder of the records of custom test sets: FLOWERS_EVALUATIONS_DIR, else `evaluations`."""
    return _folder("FLOWERS_EVALUATIONS_DIR", "evaluations")


def default_cache_dir() -> Path:
    """The folder of files that can be made again: FLOWERS_CACHE_DIR, else the user's cache folder."""
    chosen = os.environ.get("FLOWERS_CACHE_DIR")
    return Path(chosen) if chosen else platformdirs.user_cache_path(APP_NAME, appauthor=False)


def _folder(variable: str, below_root: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen:
        return Path(chosen)
    root = project_root()
    return (root or platformdirs.user_data_path(APP_NAME, appauthor=False)) / below_root
