"""The head of an INT8 model (mean and linear layer), computed in float from the same INT8 weights.

The converter rounds embedding and logits to 256 levels each, over the range that the representative dataset reached.
For a classifier that ends in a mean and one linear layer, that is a good part of all its quantization noise. The steps
of the logits are so wide that two classes tie, logits beyond the range are clipped, and every channel of the embedding
has the step size of the strongest. Here both are computed in float from the feature map, which is an output anyway. The
weights stay INT8 in the file, which does not grow, and become float when the model is loaded. So the logits are exactly
the linear function of the features that the explanations assume.

The converter has no option for this, so the finished file is edited. Its tree of FlatBuffer objects is read, and the
operators of the head are found, checked, rewired and reordered. TensorFlow keeps the tree's two modules outside
its public API.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

_DEQUANTIZE_PER_CHANNEL = 5  # the first version of the operator that takes a scale for each channel
_Kind = schema.BuiltinOperator


def with_float_head(model: bytes) -> bytes:
    """The same INT8 model with mean and linear layer in float.

    Args:
        model: a TFLite file that the converter made from one of this project's classifiers. Its outputs are the
            features, their mean, and a linear layer on the mean.

    Returns:
        The edited file, or the same file if its linear layer is not INT8.

    Raises:
        ValueError: the INT8 graph has another head.
    """
    tree = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    (graph,) = tree.subgraphs
    network = _Network(tree, graph)
    linear = _find_linear(network)
    if linear is None:
        return model
    head = _check(network, linear)
    _rewire(network, head)
    _reorder(graph, head)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(tree))


@dataclass(frozen=True)
class _Network:
    """The tree of a TFLite file and its only graph. Tensors are numbers, operators are objects."""

    tree: Any
    graph: Any

    def kind(self, operator: Any) -> int:
        return self.tree.operatorCodes[operator.opcodeIndex].builtinCode

    def writers(self, tensor: int, kind: int) -> list[Any]:
        return [o for o in self.graph.operators if self.kind(o) == kind and tensor in o.outputs]

    def readers(self, tensor: int, kind: int) -> list[Any]:
        return [o for o in self.graph.operators if self.kind(o) == kind and tensor in o.inputs]


@dataclass(frozen=True)
class _Head:
    """The operators of an INT8 head.

    Attributes:
        mean, linear: the two layers.
        float_embedding, float_logits: the operators that turn their outputs to float.
        to_float: those that turn the features to float, for the model's output.
        for_mean: those that round features for the mean alone, where a layer left in float wrote them.
    """

    mean: Any
    linear: Any
    float_embedding: Any
    float_logits: Any
    to_float: list[Any]
    for_mean: list[Any]


def _find_linear(network: _Network) -> Any | None:
    """The only linear layer, if it is INT8."""
    linear = [o for o in network.graph.operators if network.kind(o) == _Kind.FULLY_CONNECTED]
    if len(linear) != 1 or network.graph.tensors[linear[0].outputs[0]].type != schema.TensorType.INT8:
        return None
    return linear[0]


def _check(network: _Network, linear: Any) -> _Head:
    """The head around the linear layer. Raises ValueError unless it is mean and linear layer, with all outputs."""
    embedding, logits = int(linear.inputs[0]), int(linear.outputs[0])
    means = network.writers(embedding, _Kind.MEAN)
    if len(means) != 1:
        raise ValueError("The linear layer of this model does not read a mean.")
    features = int(means[0].inputs[0])
    float_embedding, float_logits = (network.readers(tensor, _Kind.DEQUANTIZE) for tensor in (embedding, logits))
    if len(float_embedding) != 1 or len(float_logits) != 1:
        raise ValueError("Embedding and logits of this model are not both outputs.")
    for_mean, to_float = network.writers(features, _Kind.QUANTIZE), network.readers(features, _Kind.DEQUANTIZE)
    if not for_mean and not to_float:
        raise ValueError("The features of this model are not an output.")
    return _Head(means[0], linear, float_embedding[0], float_logits[0], to_float, for_mean)


def _rewire(network: _Network, head: _Head) -> None:
    """Let the mean read float features, and the linear layer a float embedding, weights and bias."""
    embedding, weights, bias = (int(tensor) for tensor in head.linear.inputs)
    features = int(head.for_mean[0].inputs[0] if head.for_mean else head.to_float[0].outputs[0])
    mean_of, logits = int(head.float_embedding.outputs[0]), int(head.float_logits.outputs[0])
    if bias >= 0:  # a bias of nothing but zeros is left out
        _make_bias_float(network, embedding, weights, bias)
    float_weights = _add_float_tensor(network.graph, like=weights)
    # The operator that turned the embedding to float turns the weights to float now.
    head.float_embedding.inputs, head.float_embedding.outputs = [weights], [float_weights]
    network.tree.operatorCodes[head.float_embedding.opcodeIndex].version = _DEQUANTIZE_PER_CHANNEL
    head.mean.inputs, head.mean.outputs = [features, int(head.mean.inputs[1])], [mean_of]
    head.linear.inputs, head.linear.outputs = [mean_of, float_weights, bias], [logits]


def _reorder(graph: Any, head: _Head) -> None:
    """Put the head last, each operator after those that write its inputs, and drop the operators without a use."""
    last = [*head.to_float, head.mean, head.float_embedding, head.linear]
    moved = set(map(id, [*last, *head.for_mean, head.float_logits]))
    graph.operators = [operator for operator in graph.operators if id(operator) not in moved] + last


def _make_bias_float(network: _Network, embedding: int, weights: int, bias: int) -> None:
    """INT8 stores a bias in units of (scale of the input × scale of the channel's weights)."""
    tensors, buffers = network.graph.tensors, network.tree.buffers
    scales = np.asarray(tensors[weights].quantization.scale, np.float64)
    unit = scales * float(tensors[embedding].quantization.scale[0])
    tensor = tensors[bias]
    stored = np.frombuffer(bytes(bytearray(buffers[tensor.buffer].data)), np.int32)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer((stored * unit).astype(np.float32).tobytes(), np.uint8)
    buffers.append(buffer)
    tensor.buffer, tensor.type, tensor.quantization = len(buffers) - 1, schema.TensorType.FLOAT32, None


def _add_float_tensor(graph: Any, like: int) -> int:
    """Add a float tensor of the shape of another, and return its index."""
    tensor = schema.TensorT()
    tensor.name, tensor.shape = b"head", graph.tensors[like].shape
    tensor.type, tensor.buffer = schema.TensorType.FLOAT32, 0  # buffer 0: computed, not stored
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
