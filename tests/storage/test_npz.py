"""Reading .npz files: what was written comes back, and nothing else does."""

import io
from pathlib import Path

import numpy as np
import pytest

from flowers_core.storage.npz import NpzError, read_npz


def _bytes_of(compressed: bool = True) -> bytes:
    buffer = io.BytesIO()
    write = np.savez_compressed if compressed else np.savez
    write(buffer, numbers=np.arange(6).reshape(2, 3), names=np.array(["rose", "ball moss"]), one=np.float32(2.5))
    return buffer.getvalue()


@pytest.mark.parametrize("compressed", [True, False])
def test_arrays_come_back_as_numpy_reads_them(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "some.npz"
    path.write_bytes(_bytes_of(compressed))
    arrays = read_npz(path)
    with np.load(path, allow_pickle=False) as expected:
        assert list(arrays) == expected.files == ["numbers", "names", "one"]
        for name in expected.files:
            assert arrays[name].dtype == expected[name].dtype
            assert np.array_equal(arrays[name], expected[name])


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NpzError, match=r"gone\.npz is missing\.$"):
        read_npz(tmp_path / "gone.npz")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"\x93NUMPY\x01\x00garbage", b"PK\x05\x06"])
def test_foreign_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.npz"
    path.write_bytes(content)
    with pytest.raises(NpzError, match=r"odd\.npz is damaged.*\.$"):
        read_npz(path)


def test_pickled_objects_are_refused_without_running_them(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    path = tmp_path / "trap.npz"
    np.savez(path, ids=np.array([Trap()], dtype=object))
    with pytest.raises(NpzError, match="trap"):
        read_npz(path)
    assert not (tmp_path / "sprung").exists()


def test_no_single_damaged_byte_changes_a_value_unnoticed(tmp_path: Path) -> None:
    whole = _bytes_of()
    path = tmp_path / "bitten.npz"
    path.write_bytes(whole)
    expected = read_npz(path)
    refused = 0
    for at in range(len(whole)):
        for flip in (0x01, 0x80):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            try:
                arrays = read_npz(path)
            except NpzError:
                refused += 1
                continue
            for name in set(arrays) & set(expected):
                assert np.array_equal(arrays[name], expected[name]), f"byte {at}"
    assert refused > len(whole) / 2


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = _bytes_of()
    path = tmp_path / "cut.npz"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(NpzError):
            read_npz(path)
