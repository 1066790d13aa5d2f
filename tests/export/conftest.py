"""The shipped model, and photos that no model has seen."""

import numpy as np
import pytest

from flowers_core.inference.bundle import DEFAULT_BUNDLE, Bundle, load_bundle
from flowers_core.storage.paths import default_models_dir


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return load_bundle(default_models_dir() / DEFAULT_BUNDLE)


@pytest.fixture(scope="session")
def content(bundle: Bundle) -> bytes:
    return bundle.path("int8.tflite").read_bytes()


@pytest.fixture(scope="session")
def photos(bundle: Bundle) -> np.ndarray:
    size = bundle.crop_rule.size
    return np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
