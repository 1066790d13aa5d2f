"""TFLite files taken apart, changed and put together again, without TensorFlow.

The schema's own Python classes do the work (`ai_edge_litert.schema_py_generated`); the bytes of all weights stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

#: At the fourth byte of a TFLite file.
FILE_IDENTIFIER = b"TFL3"
# Kernels may read a constant with vector instructions. The schema asks for this alignment; its Python classes do not
# give it.
_ALIGNMENT = 16


class TFLiteGraph:
    """The first subgraph of a TFLite file, to be changed.

    Tensors are named by their index. A new operator's inputs must come before it, as operators run in their order.
    """

    def __init__(self, content: bytes) -> None:
        """Take a file apart.

        Args:
            content: of a TFLite file with one subgraph and one signature.
        """
        self._model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        self._graph: Any = self._model.subgraphs[0]
        self._signature: Any = self._model.signatureDefs[0]

    def output(self, name: str) -> int:
        """The tensor that the signature calls so among its outputs."""
        return next(int(entry.tensorIndex) for entry in self._signature.outputs if entry.name == name.encode())

    def shape(self, tensor: int) -> tuple[int, ...]:
        """A tensor's shape."""
        return tuple(int(size) for size in self._graph.tensors[tensor].shape)

    def add_constant(self, name: str, values: NDArray[np.float32]) -> int:
        """Add a float32 constant and give its tensor.

        Args:
            name: of the tensor.
            values: float32, of any shape.
        """
        tensor = self._add_tensor(name, values.shape)
        self._graph.tensors[tensor].buffer = self.add_buffer(values.astype("<f4").tobytes())
        return tensor

    def add_operator(
        self, code: int, inputs: Sequence[int], name: str, shape: tuple[int, ...], options: Any, kind: int
    ) -> int:
        """Add an operator behind all others and give the float32 tensor that it makes.

        Args:
            code: of `schema.BuiltinOperator`.
            inputs: the tensors that it takes.
            name: of the tensor that it makes.
            shape: of that tensor.
            options: the operator's options.
            kind: of `schema.BuiltinOptions`.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._operator_code(code)
        operator.inputs = np.array(inputs, np.int32)
        made = self._add_tensor(name, shape)
        operator.outputs = np.array([made], np.int32)
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self._graph.operators.append(operator)
        return made

    def add_metadata(self, name: str, content: bytes) -> None:
        """Keep bytes under a name of the file's metadata.

        Args:
            name: in the list of metadata.
            content: the bytes.
        """
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, self.add_buffer(content)
        self._model.metadata = [*(self._model.metadata or []), entry]

    def add_buffer(self, content: bytes) -> int:
        """Keep bytes and give the buffer's index."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._model.buffers.append(buffer)
        return len(self._model.buffers) - 1

    def keep_output(self, tensor: int, name: str) -> None:
        """Let a tensor be the only output, and drop the operators that nothing needs any more.

        Args:
            tensor: the output.
            name: its name in the signature.
        """
        self._graph.outputs = np.array([tensor], np.int32)
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, tensor
        self._signature.outputs = [entry]
        needed, kept = {tensor}, []
        for operator in reversed(self._graph.operators):
            if needed.intersection(operator.outputs.tolist()):
                kept.append(operator)
                needed.update(operator.inputs.tolist())
        self._graph.operators = kept[::-1]

    def to_bytes(self) -> bytes:
        """The whole as a TFLite file."""
        for buffer in self._model.buffers:
            buffer.__class__ = _AlignedBuffer
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self._model.Pack(builder), FILE_IDENTIFIER)
        return bytes(builder.Output())

    def _add_tensor(self, name: str, shape: tuple[int, ...]) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, np.array(shape, np.int32)
        tensor.type, tensor.buffer, tensor.hasRank = schema.TensorType.FLOAT32, 0, True  # buffer 0 is the empty one
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _operator_code(self, code: int) -> int:
        entry = schema.OperatorCodeT()
        # Old readers know only the deprecated field, which holds codes below 127.
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
        self._model.operatorCodes.append(entry)
        return len(self._model.operatorCodes) - 1


class _AlignedBuffer(schema.BufferT):
    """A buffer that begins at a multiple of `_ALIGNMENT` in the file."""

    def Pack(self, builder: Any) -> int:  # noqa: N802 - the schema's name
        data = None
        if self.data is not None:
            content = np.asarray(self.data, np.uint8).tobytes()
            builder.StartVector(1, len(content), _ALIGNMENT)
            builder.head -= len(content)
            builder.Bytes[builder.head : builder.head + len(content)] = content
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)
