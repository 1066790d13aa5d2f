"""Read state dicts in PyTorch's format of before version 1.6, without PyTorch and without running their code.

Such a `.pth` file begins with five pickles: a magic number, the version of the format, facts about the machine, the
state dict, and the list of the storages' keys. Each tensor of the state dict names a storage and its place in it. Then
follows each storage in the order of the list: the count of its numbers (int64) and the numbers. A pickle is a program
that can call whatever it names. Here it can name three things, and gets something inert for each.
"""

import io
import math
import pickle
import struct
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
VERSION = 1001

_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


class TorchFileError(FlowersError):
    """The file is not a state dict in this format, or it names other objects; the message says which."""


def read_state_dict(content: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a state dict by their names, in the order of the file.

    Args:
        content: the whole `.pth` file.

    Returns:
        Read-only arrays of the tensors' own shapes and dtypes.

    Raises:
        TorchFileError: the file is damaged or of another format, or a pickle names anything but tensors and a dict.
    """
    file = io.BytesIO(content)
    if (_unpickled(file), _unpickled(file)) != (MAGIC_NUMBER, VERSION):
        raise TorchFileError("The file is no PyTorch state dict in the format of before version 1.6.")
    machine = _unpickled(file)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise TorchFileError("The file was written on a machine with another order of bytes; it cannot be read.")
    state, keys = _unpickled(file), _unpickled(file)
    if not isinstance(state, OrderedDict) or not all(isinstance(tensor, _Tensor) for tensor in state.values()):
        raise TorchFileError("The file holds something else than a dict of tensors; it is not read.")
    storages = {tensor.storage.key: tensor.storage for tensor in state.values()}
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or sorted(keys) != sorted(storages):
        raise TorchFileError("The file's list of storages does not fit its tensors; it is damaged.")
    numbers = {key: _numbers(file, storages[key]) for key in keys}
    return {str(name): _laid_out(str(name), tensor, numbers[tensor.storage.key]) for name, tensor in state.items()}


class _Storage(NamedTuple):
    """The storage of a tensor: the dtype of its numbers, its key in the file, and their count."""

    dtype: str
    key: str
    length: int


class _Tensor(NamedTuple):
    """A tensor before its numbers are read. Offset and strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Rebuild:
    """Stands for `torch._utils._rebuild_tensor_v2`. It has no attributes, so that a pickle can set none."""

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
        whole = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides)
        if not isinstance(storage, _Storage) or not whole or not _are_counts((offset, *shape, *strides)):
            raise TorchFileError("The file describes a tensor in a way that makes no sense; it is not read.")
        return _Tensor(storage, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    """Knows tensors and ordered dicts, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Rebuild()
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]  # a string cannot be called
        raise TorchFileError(f"The file asks for {module}.{name}, which weights do not need; it is not read.")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", str(dtype), str(key), str(), int(length), None) if (
                dtype in _DTYPES.values() and length >= 0
            ):
                return _Storage(dtype, key, length)
        raise TorchFileError("The file names a storage in a way that makes no sense; it is not read.")


def _unpickled(file: io.BytesIO) -> Any:
    try:
        return _Unpickler(file).load()
    except TorchFileError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise TorchFileError(
            f"The file is no PyTorch state dict in the format of before version 1.6, or it is damaged ({error})."
        ) from error


def _numbers(file: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    dtype = np.dtype(storage.dtype)
    head = file.read(8)
    content = file.read(storage.length * dtype.itemsize)
    if (
        len(head) < 8
        or struct.unpack("<q", head) != (storage.length,)
        or len(content) < storage.length * dtype.itemsize
    ):
        raise TorchFileError(f"The file ends early or its storage {storage.key} has another length; it is damaged.")
    return np.frombuffer(content, dtype)


def _laid_out(name: str, tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True))
    if math.prod(tensor.shape) > len(numbers) or (0 not in tensor.shape and last >= len(numbers)):
        raise TorchFileError(f"The tensor {name} reaches beyond its storage; the file is damaged.")
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)


def _are_counts(values: tuple[Any, ...]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)
