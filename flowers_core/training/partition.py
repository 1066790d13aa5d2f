"""A classifier in two parts: frozen layers, computed once for each view, and a tail, computed at every step."""

from dataclasses import dataclass

import keras

from flowers_core.networks.classifier import EMBEDDING, FEATURES
from flowers_core.training.recipe import RecipeError


@dataclass(frozen=True, eq=False)
class Partition:
    """Two networks that share their layers with the whole classifier.

    Attributes:
        frozen: photos (n, size, size, 3) in 0…255 → features; None where the tail takes the photos themselves.
        tail: features → logits (n, classes), with the classifier's own weights.
        freeze_point: name of the layer whose output the tail takes.
    """

    frozen: keras.Model | None
    tail: keras.Model
    freeze_point: str

    def embedder(self, classifier: keras.Model) -> keras.Model | None:
        """The tail without its head: the tail's input → embeddings (n, channels); None if its input is embeddings."""
        if self.freeze_point == EMBEDDING:
            return None
        return keras.Model(classifier.get_layer(self.freeze_point).output, classifier.get_layer(EMBEDDING).output)


def partition_classifier(classifier: keras.Model, unfrozen_layers: int, *, train_depthwise: bool = True) -> Partition:
    """Freeze all but the head and the backbone's last `unfrozen_layers` layers, and partition as late as possible.

    The freeze point is the last bottleneck before the unfrozen layers: a layer that every path passes, so that no
    residual connection and no branch crosses it. Layers between the two stay frozen but are computed at every step. If
    the head alone learns, the tail takes embeddings. Batch normalization is frozen everywhere, which in Keras also
    keeps it in inference mode, since ten photos a class are too few for its statistics.

    Args:
        classifier: flat; its layers' `trainable` flags are set.
        unfrozen_layers: counted as Keras lists layers, those without weights included, as in the published table.
        train_depthwise: whether unfrozen depthwise kernels learn. They have 3 % of the weights of a mobile network, and
            take a fifth of a step's time on a CPU.

    Raises:
        RecipeError: the backbone has fewer layers.
    """
    layers = classifier.layers
    backbone_end = next(i for i, layer in enumerate(layers) if layer.name == FEATURES)
    if not 0 <= unfrozen_layers < backbone_end:
        raise RecipeError(
            f"{classifier.name} has {backbone_end - 1} backbone layers; {unfrozen_layers} of them cannot be unfrozen."
        )
    first = backbone_end - unfrozen_layers
    for i, layer in enumerate(layers):
        frozen_kind = isinstance(layer, keras.layers.BatchNormalization) or (
            not train_depthwise and isinstance(layer, keras.layers.DepthwiseConv2D)
        )
        layer.trainable = i >= first and not frozen_kind
    if unfrozen_layers == 0:
        first = 1 + next(i for i, layer in enumerate(layers) if layer.name == EMBEDDING)
    return partition_before(classifier, first)


def partition_before(classifier: keras.Model, first: int) -> Partition:
    """Partition as late as possible, with some last layers in the tail.

    Args:
        classifier: flat.
        first: position, as Keras lists layers, of the first layer that the tail must hold.
    """
    layers = classifier.layers
    last = max(i for i in _bottlenecks(layers) if i < max(first, 1))
    features = layers[last].output
    frozen = keras.Model(classifier.input, features, name="frozen") if last > 0 else None
    return Partition(frozen, keras.Model(features, classifier.output, name="tail"), layers[last].name)


def _bottlenecks(layers: list[keras.Layer]) -> list[int]:
    """The layers that every path from photo to logits passes, as positions in the list, the last first.

    Layer i is a bottleneck if no later layer reads an output produced before i.
    """
    position = {id(layer.output): i for i, layer in enumerate(layers)}
    found, earliest = [], len(layers)  # the earliest output that any layer after i reads
    for i in range(len(layers) - 1, 0, -1):
        if earliest >= i and i < len(layers) - 1:
            found.append(i)
        inputs = layers[i].input if isinstance(layers[i].input, list | tuple) else [layers[i].input]
        earliest = min(earliest, *(position[id(tensor)] for tensor in inputs))
    return [*found, 0]
