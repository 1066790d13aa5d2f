"""The Keras layers that a node of a converted graph computes, found by the node's name.

The converter names a node after all operations that it fused, "…/relu/Relu6;…/conv/BiasAdd;…/conv/convolution". What it
fuses depends on the weights: a bias of zeros leaves no BiasAdd. So a name from one conversion may be missing in the
next, though the layer is there. A node that writes one of the network's outputs is named after that output.
"""

from collections.abc import Iterable

import keras

from flowers_core.networks.classifier import EMBEDDING, FEATURES, LOGITS

_OUTPUT = "StatefulPartitionedCall"
# The converter counts a model's outputs in the order of their names.
_OUTPUTS = sorted((LOGITS, FEATURES, EMBEDDING))


def nodes_of(names: Iterable[str], graph: Iterable[str]) -> list[str]:
    """The nodes of a graph that share an operation with given nodes.

    Args:
        names: of nodes, perhaps from another conversion.
        graph: the names of the graph's nodes.
    """
    operations = {operation for name in names for operation in name.split(";")}
    return [node for node in graph if operations & set(node.split(";"))]


def keras_layers_of(names: Iterable[str], classifier: keras.Model) -> set[str]:
    """The names of the classifier's layers that given nodes compute.

    A node named after the features stands for all layers back to the last convolution.

    Args:
        names: of nodes in a graph converted from the classifier.
        classifier: flat and functional.
    """
    layers = set()
    for operation in (operation for name in names for operation in name.split(";")):
        if operation.startswith(_OUTPUT):
            if _OUTPUTS[int(operation.partition(":")[2] or 0)] == FEATURES:
                layers |= _back_to_a_convolution(classifier.get_layer(FEATURES))
        else:
            scopes = operation.split("/")
            # TensorFlow may append a number to the scopes of the model and its layers: "conv2d_7" is then "conv2d_7_1".
            suffix = next((s.removeprefix(_served_name(classifier)) for s in scopes if _is_model(s, classifier)), "")
            layers |= {scope.removesuffix(suffix) for scope in scopes}
    return layers & {layer.name for layer in classifier.layers}


def _served_name(classifier: keras.Model) -> str:
    return f"{classifier.name}_three_outputs"


def _is_model(scope: str, classifier: keras.Model) -> bool:
    return scope.startswith(_served_name(classifier))


def _back_to_a_convolution(layer: keras.Layer) -> set[str]:
    passed: set[str] = set()
    while True:
        passed.add(layer.name)
        before = layer.input
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D) or not hasattr(
            before, "_keras_history"
        ):
            return passed
        layer = before._keras_history.operation
