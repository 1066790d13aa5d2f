"""A small network with curves in it, whose maps differ from method to method."""

import keras
import numpy as np
from keras import layers

from flowers_core.networks.classifier import build_classifier

SIZE = 32
CLASSES = 6
FRAME = {"box": (0.0, 0.0, 64.0, 64.0), "photo_size": (64, 64)}


def small_network(seed: int = 3) -> keras.Model:
    """Photos (32, 32, 3) in 0…255 → logits of 6 classes; feature maps "early" 16 × 16 and "features" 8 × 8."""
    keras.utils.set_random_seed(seed)
    photos = keras.Input((SIZE, SIZE, 3), name="photo")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(photos)
    x = layers.Conv2D(10, 3, strides=2, padding="same", activation="swish", name="early")(x)
    x = layers.Conv2D(14, 3, strides=2, padding="same", activation="relu")(x)
    classifier = build_classifier(keras.Model(photos, x, name="small"), CLASSES, dropout=0.3)
    kernel, bias = classifier.get_layer("logits").get_weights()
    # Sharper than fresh weights are, so that probabilities differ.
    classifier.get_layer("logits").set_weights([kernel * 6, bias + np.linspace(-0.2, 0.2, CLASSES)])
    return classifier


def photo(seed: int = 0) -> np.ndarray:
    """Patches of 4 × 4 pixels, (32, 32, 3) uint8."""
    random = np.random.default_rng(seed)
    return np.kron(random.integers(0, 256, size=(8, 8, 3)), np.ones((4, 4, 1), int)).astype(np.uint8)
