"""A network of the project's own shape, small enough to convert in a second, with weights drawn from a seed."""

import keras
from keras import layers

from flowers_core.networks.classifier import build_classifier

SIZE = 32


def tiny_backbone(seed: int = 0, size: int = SIZE) -> keras.Model:
    """Photos (size, size, 3) in 0…255 → features (size/4, size/4, 16), not negative."""
    keras.utils.set_random_seed(seed)
    photos = keras.Input((size, size, 3), name="photo")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(photos)
    x = layers.ReLU(6.0)(layers.Conv2D(8, 3, strides=2, padding="same")(x))
    x = layers.ReLU(6.0)(layers.Conv2D(16, 3, strides=2, padding="same")(x))
    return keras.Model(photos, x, name="tiny")


def tiny_classifier(classes: int = 102, seed: int = 0) -> keras.Model:
    """The tiny backbone with a linear head."""
    return build_classifier(tiny_backbone(seed), classes)
