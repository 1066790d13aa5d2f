"""The classifier: backbone → feature map → global average pooling → dropout → one linear layer.

It is one flat functional network; the rest of the project knows its three outputs by name. The head is linear in the
mean of the features, so every logit splits exactly into contributions of the feature map's positions.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

FEATURES, EMBEDDING, LOGITS = "features", "embedding", "logits"


def build_classifier(backbone: keras.Model, classes: int, *, dropout: float = 0.0) -> keras.Model:
    """Put a linear head on a backbone.

    Args:
        backbone: float32 photos (n, s, s, 3) in 0…255 → feature map (n, h, w, channels).
        classes: number of classes.
        dropout: fraction of the embedding that training drops, 0…1.

    Returns:
        A flat network from such photos to logits (n, classes) float32.
    """
    features = layers.Activation("linear", name=FEATURES)(backbone.output)
    embedding = layers.GlobalAveragePooling2D(name=EMBEDDING)(features)
    logits = layers.Dense(classes, name=LOGITS)(layers.Dropout(dropout, name="dropout")(embedding))
    return keras.Model(backbone.input, logits, name=f"{backbone.name}_classifier")


def three_outputs(classifier: keras.Model) -> keras.Model:
    """The same network with the outputs logits, features and embedding, which the runtime serves."""
    outputs = {name: classifier.get_layer(name).output for name in (LOGITS, FEATURES, EMBEDDING)}
    return keras.Model(classifier.input, outputs, name=f"{classifier.name}_three_outputs")


def head_of(classifier: keras.Model) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The linear layer's weights W (channels, classes) and bias b (classes,), float32."""
    W, b = classifier.get_layer(LOGITS).get_weights()
    return W.astype(np.float32), b.astype(np.float32)


def set_head(classifier: keras.Model, W: NDArray[np.floating], b: NDArray[np.floating]) -> None:
    """Replace the linear layer's weights.

    Args:
        classifier: changed in place.
        W: (channels, classes) weights.
        b: (classes,) bias.
    """
    classifier.get_layer(LOGITS).set_weights([W.astype(np.float32), b.astype(np.float32)])


def save_half(classifier: keras.Model, path: Path) -> None:
    """Save a float32 classifier as a `.keras` file with float16 weights: half the bytes.

    `load_classifier` makes a float32 network of it again. Each weight then differs by at most 2⁻¹¹ of itself.

    Args:
        classifier: a float32 classifier.
        path: the `.keras` file.

    Raises:
        OverflowError: a weight lies beyond ±65504.
    """
    weights = classifier.get_weights()
    if any(np.abs(w).max(initial=0.0) > np.finfo(np.float16).max for w in weights):
        raise OverflowError("A weight is too large for half precision; save the classifier in full precision.")
    half = _with_dtype(classifier, "float16")
    half.set_weights([w.astype(np.float16) for w in weights])
    half.save(path)


def load_classifier(path: Path) -> keras.Model:
    """Load a classifier that was saved in half or full precision, as a float32 network.

    Raises:
        ValueError: the file holds a Lambda layer. Keras' safe mode runs no code of the file.
    """
    stored = keras.saving.load_model(path, compile=False, safe_mode=True)
    classifier = _with_dtype(stored, "float32")
    classifier.set_weights([np.asarray(w, np.float32) for w in stored.get_weights()])
    return classifier


def _with_dtype(model: keras.Model, dtype: str) -> keras.Model:
    # A network's config carries each layer's precision; the photo itself stays float32 so that 255 is exact anywhere.
    return keras.Model.from_config(_replace_policies(model.get_config(), dtype))


def _replace_policies(node: Any, dtype: str) -> Any:
    if isinstance(node, dict):
        if node.get("class_name") == "DTypePolicy":
            return {**node, "config": {"name": dtype}}
        return {key: _replace_policies(value, dtype) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return type(node)(_replace_policies(value, dtype) for value in node)
    return node
