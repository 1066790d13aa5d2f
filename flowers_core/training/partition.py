"""A classifier cut in two: what stays frozen, computed once for each view, and the tail, computed at every step."""

from dataclasses import dataclass

import keras

from flowers_core.networks.classifier import EMBEDDING, FEATURES
from flowers_core.training.recipe import RecipeError


@dataclass(frozen=True, eq=False)
class Split:
    """Two networks that share their layers with the classifier they were cut from.

    frozen: photos (n, s, s, 3) in 0…255 → what passes the cut; None when the cut is at the photos themselves.
    tail: what passes the cut → logits (n, classes). Weights trained in it are the classifier's own.
    cut: the name of the layer whose output passes the cut.
    """

    frozen: keras.Model | None
    tail: keras.Model
    cut: str

    def embedder(self, classifier: keras.Model) -> keras.Model | None:
        """The part of the tail before the head: what passes the cut → embeddings (n, channels); None where embeddings
        are what passes."""
        if self.cut == EMBEDDING:
            return None
        return keras.Model(classifier.get_layer(self.cut).output, classifier.get_layer(EMBEDDING).output)


def split_classifier(classifier: keras.Model, unfrozen_layers: int, *, train_depthwise: bool = True) -> Split:
    """Freeze all but the head and the backbone's last `unfrozen_layers` layers, and cut as late as that allows.

    Layers are counted as Keras lists them, those without weights included, as in the published table. The cut is the
    last layer before the unfrozen ones through which everything passes, so that a residual or a branch is never cut
    across; layers between the two stay frozen but are computed at every step. Where the head alone learns, embeddings
    pass the cut. Batch normalization is frozen everywhere, which in Keras also keeps it in inference mode: ten photos a
    class are too few for its statistics. With `train_depthwise` off, depthwise kernels stay frozen too: 3 % of the
    weights of a mobile network, a fifth of a step's time on a CPU.

    Raises RecipeError for a number of layers that the backbone does not have.
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
    return cut_before(classifier, first)


def cut_before(classifier: keras.Model, first: int) -> Split:
    """Cut as late as can be so that the layers from number `first` on, as Keras lists them, are in the tail."""
    layers = classifier.layers
    cut = max(i for i in _bottlenecks(layers) if i < max(first, 1))
    through = layers[cut].output
    frozen = keras.Model(classifier.input, through, name="frozen") if cut > 0 else None
    return Split(frozen, keras.Model(through, classifier.output, name="tail"), layers[cut].name)


def _bottlenecks(layers: list[keras.Layer]) -> list[int]:
    """The layers through which every path from photo to logits leads, as positions in the list."""
    position = {id(layer.output): i for i, layer in enumerate(layers)}
    # The furthest layer that reads anything made up to i; when that is i + 1 reading i alone, or nothing reads past i
    # but through i, the network hangs together there by one tensor.
    earliest_read = [len(layers)] * len(layers)
    for i, layer in enumerate(layers[1:], start=1):
        inputs = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
        earliest_read[i] = min(position[id(tensor)] for tensor in inputs)
    found, least = [], len(layers)
    for i in range(len(layers) - 1, -1, -1):
        if least >= i and i < len(layers) - 1:
            found.append(i)
        least = min(least, earliest_read[i])
    return found
