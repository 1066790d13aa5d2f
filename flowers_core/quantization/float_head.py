"""The last two steps of an INT8 model, mean and linear layer, in float on the same INT8 weights: no byte more.

The converter rounds the embedding and the logits to 256 levels each, over the range that calibration photos reached.
For a classifier that ends in a mean and one linear layer, that is a good part of all its quantization noise: logits
come in steps so wide that two classes tie, those beyond the range are cut off, and every channel of the embedding has
the step of the strongest. Here both are computed from the feature map that the model hands out anyway. The weights stay
INT8 in the file and become float when the model is loaded. The logits are then the exact linear function of the
features that the explanations take them for.
"""

from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

_DEQUANTIZE_PER_CHANNEL = 5  # the operator's version since which it takes a scale for each channel


def with_float_head(model: bytes) -> bytes:
    """The same INT8 model with mean and linear layer in float. One whose linear layer is not INT8 is left as it is.

    model: a TFLite file as the converter makes it of this project's classifiers, with features, their mean, and a
    linear layer on that, all of them outputs. Raises ValueError for any other INT8 graph.
    """
    tree = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    (graph,) = tree.subgraphs
    codes = {id(operator): tree.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators}

    def that_make(tensor: int, kind: int) -> list[Any]:
        return [o for o in graph.operators if codes[id(o)] == kind and tensor in o.outputs]

    def that_read(tensor: int, kind: int) -> list[Any]:
        return [o for o in graph.operators if codes[id(o)] == kind and tensor in o.inputs]

    operators = schema.BuiltinOperator
    linear = [o for o in graph.operators if codes[id(o)] == operators.FULLY_CONNECTED]
    if len(linear) != 1 or graph.tensors[linear[0].outputs[0]].type != schema.TensorType.INT8:
        return model
    embedding, weights, bias = (int(tensor) for tensor in linear[0].inputs)
    mean = that_make(embedding, operators.MEAN)
    if len(mean) != 1:
        raise ValueError("The linear layer of this model does not read a mean.")
    features, axes = (int(tensor) for tensor in mean[0].inputs)
    outputs = [that_read(tensor, operators.DEQUANTIZE) for tensor in (embedding, linear[0].outputs[0])]
    if any(len(found) != 1 for found in outputs):
        raise ValueError("Embedding and logits of this model are not both outputs.")
    float_embedding, float_logits = (int(found[0].outputs[0]) for found in outputs)
    # Features that a layer left in float has made were rounded for the mean alone.
    for_mean, to_float = that_make(features, operators.QUANTIZE), that_read(features, operators.DEQUANTIZE)
    if not for_mean and not to_float:
        raise ValueError("The features of this model are not an output.")
    float_features = int(for_mean[0].inputs[0] if for_mean else to_float[0].outputs[0])

    if bias >= 0:  # a bias of nothing but zeros is left out
        _make_bias_float(tree, graph, embedding, weights, bias)
    float_weights = _float_twin(graph, weights)
    unpack = outputs[0][0]  # what made the embedding float makes the weights float
    unpack.inputs, unpack.outputs = [weights], [float_weights]
    tree.operatorCodes[unpack.opcodeIndex].version = _DEQUANTIZE_PER_CHANNEL
    mean[0].inputs, mean[0].outputs = [float_features, axes], [float_embedding]
    linear[0].inputs, linear[0].outputs = [float_embedding, float_weights, bias], [float_logits]
    # In an order in which each finds its inputs made.
    last = [*to_float, mean[0], unpack, linear[0]]
    replaced = set(map(id, [*last, *for_mean, outputs[1][0]]))
    graph.operators = [o for o in graph.operators if id(o) not in replaced] + last
    return bytes(flatbuffer_utils.convert_object_to_bytearray(tree))


def _make_bias_float(tree: Any, graph: Any, embedding: int, weights: int, bias: int) -> None:
    """A bias is stored in units of (scale of the input × scale of the channel's weights)."""
    scales = np.asarray(graph.tensors[weights].quantization.scale, np.float64)
    unit = scales * float(graph.tensors[embedding].quantization.scale[0])
    tensor = graph.tensors[bias]
    stored = np.frombuffer(bytes(bytearray(tree.buffers[tensor.buffer].data)), np.int32)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer((stored * unit).astype(np.float32).tobytes(), np.uint8)
    tree.buffers.append(buffer)
    tensor.buffer, tensor.type, tensor.quantization = len(tree.buffers) - 1, schema.TensorType.FLOAT32, None


def _float_twin(graph: Any, weights: int) -> int:
    """A tensor for what the weights are in float; its number."""
    twin = schema.TensorT()
    twin.name, twin.shape = b"head", graph.tensors[weights].shape
    twin.type, twin.buffer = schema.TensorType.FLOAT32, 0  # buffer 0: computed, not stored
    graph.tensors.append(twin)
    return len(graph.tensors) - 1
