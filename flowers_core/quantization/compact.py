"""A TFLite file without repeated vectors: the same answers from fewer bytes.

A model with a scale for each channel stores as many zero points, 8 bytes each and all 0, once for the weights and once
more for the biases of every layer. FlatBuffers may refer to one vector from many places; the converter does not.
"""

from functools import partial
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils


def compact(model: bytes) -> bytes:
    """The same TFLite model with each vector of zero points stored once; it loads and computes as before."""
    tree = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    vectors: dict[bytes, int] = {}
    for subgraph in tree.subgraphs:
        for tensor in subgraph.tensors:
            parameters = tensor.quantization
            if _is_plain(parameters):
                parameters.Pack = partial(_pack, parameters, vectors)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(tree))


def _is_plain(parameters: Any) -> bool:
    """Whether a tensor has nothing but scales and zero points, which is all that the converter writes."""
    return (
        parameters is not None
        and parameters.scale is not None
        and parameters.zeroPoint is not None
        and parameters.min is None
        and parameters.max is None
        and parameters.details is None
    )


def _pack(parameters: Any, vectors: dict[bytes, int], builder: Any) -> int:
    """Write one tensor's parameters as their own `Pack` would, but refer to a vector that is there already."""
    zeros = np.asarray(parameters.zeroPoint, np.int64)
    key = zeros.tobytes()
    if key not in vectors:
        vectors[key] = builder.CreateNumpyVector(zeros)
    scale = builder.CreateNumpyVector(np.asarray(parameters.scale, np.float32))
    schema.QuantizationParametersStart(builder)
    schema.QuantizationParametersAddScale(builder, scale)
    schema.QuantizationParametersAddZeroPoint(builder, vectors[key])
    schema.QuantizationParametersAddQuantizedDimension(builder, parameters.quantizedDimension)
    return int(schema.QuantizationParametersEnd(builder))
