from pathlib import Path

import numpy as np
import pytest

from flowers_core.networks.torch_weights import TorchFileError, read_state_dict
from tests.fixtures.legacy_torch import (
    imported,
    in_a_tuple,
    number,
    pickled,
    saved,
    state_dict,
    storage,
    tensor,
    text,
    whole_file,
)

SIX = np.arange(6, dtype=np.float32)


def test_tensors_have_their_names_shapes_dtypes_and_values() -> None:
    arrays: dict[str, np.ndarray] = {
        "kernel": np.array([[1.5, -2.0, 3.0], [0.25, 5.0, -6.0]], np.float32),
        "half": np.array([1.5, -0.5], np.float16),
        "count": np.array(7, np.int64),
        "empty": np.empty((0, 3), np.float32),
    }
    read = read_state_dict(saved(arrays))
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_a_tensor_lies_in_its_storage_as_offset_and_strides_say() -> None:
    of = storage("7", "FloatStorage", 6)
    state = state_dict({"turned": tensor(of, 0, (3, 2), (1, 3)), "last": tensor(of, 4, (2,), (1,))})
    read = read_state_dict(whole_file(state, {"7": SIX}))
    np.testing.assert_array_equal(read["turned"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(read["last"], [4, 5])
    assert not read["turned"].flags.writeable


def bad_pickles(marker: Path) -> dict[str, tuple[bytes, str]]:
    """Pickles that would do harm or that no state dict has, and a word of the sentence for each."""
    shell = text(f"touch {marker}")
    python = text(f"open({str(marker)!r}, 'w')")
    return {
        "a command": (pickled(imported("posix", "system") + in_a_tuple(shell) + b"R"), r"posix\.system"),
        "any code": (pickled(imported("builtins", "eval") + in_a_tuple(python) + b"R"), r"builtins\.eval"),
        "an instance": (pickled(b"(" + imported("os", "_wrap_close") + b"o"), r"os\._wrap_close|no PyTorch"),
        "another thing of torch": (pickled(imported("torch", "load")), r"torch\.load"),
        "a way through a name": (b"\x80\x04" + imported("collections", "OrderedDict.fromkeys") + b".", "fromkeys"),
        "a storage called": (pickled(imported("torch", "FloatStorage") + b")R"), "no PyTorch|damaged"),
        "a stand-in changed": (
            pickled(imported("torch._utils", "_rebuild_tensor_v2") + b"}" + text("x") + number(1) + b"sb"),
            "damaged",
        ),
        "a tensor of nothing": (pickled(imported("torch._utils", "_rebuild_tensor_v2") + b")R"), "damaged"),
        "negative strides": (
            state_dict({"x": tensor(storage("7", "FloatStorage", 6), 5, (6,), (-1,))}),
            "makes no sense",
        ),
        "a storage of nothing": (pickled(in_a_tuple(text("module")) + b"Q"), "makes no sense"),
        "no tensors": (state_dict({"x": number(1)}), "something else than a dict of tensors"),
        "too far": (
            state_dict({"x": tensor(storage("7", "FloatStorage", 6), 3, (2, 2), (2, 1))}),
            "beyond its storage",
        ),
        "too many": (state_dict({"x": tensor(storage("7", "FloatStorage", 6), 0, (9, 9, 9), (0, 0, 0))}), "beyond its"),
        "another length": (state_dict({"x": tensor(storage("7", "FloatStorage", 5), 0, (5,), (1,))}), "another length"),
        "another key": (state_dict({"x": tensor(storage("8", "FloatStorage", 6), 0, (6,), (1,))}), "list of storages"),
    }


@pytest.mark.parametrize("kind", bad_pickles(Path()))
def test_a_bad_pickle_is_refused_and_not_run(kind: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    pickle, sentence = bad_pickles(marker)[kind]
    for content in (whole_file(pickle, {"7": SIX}), pickle):
        with pytest.raises(TorchFileError):
            read_state_dict(content)
    with pytest.raises(TorchFileError, match=sentence):
        read_state_dict(whole_file(pickle, {"7": SIX}))
    assert not marker.exists()


def test_a_file_cut_short_is_refused_wherever_it_ends() -> None:
    content = saved({"x": SIX})
    for length in range(len(content)):
        with pytest.raises(TorchFileError):
            read_state_dict(content[:length])


def test_a_file_of_another_kind_or_machine_is_refused() -> None:
    state = state_dict({"x": tensor(storage("7", "FloatStorage", 6), 0, (6,), (1,))})
    with pytest.raises(TorchFileError, match="order of bytes"):
        read_state_dict(whole_file(state, {"7": SIX}, little_endian=False))
    for content in (b"", b"PK\x03\x04 a zip file, as PyTorch writes since", pickled(number(1)) * 5):
        with pytest.raises(TorchFileError, match="no PyTorch state dict"):
            read_state_dict(content)
