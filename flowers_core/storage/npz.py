"""Read `.npz` files that may be damaged or foreign, without ever unpickling."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError


class NpzError(FlowersError):
    """A `.npz` file that is missing or unreadable; the message is a sentence that names the file."""


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of a `.npz` file by its name, fully read.

    Raises:
        NpzError: the file is missing, damaged or not an `.npz` file, or it holds Python objects. Objects would have to
            be unpickled, and a pickle can run any code.
    """
    if not path.is_file():
        raise NpzError(f"{path} is missing.")
    try:
        with path.open("rb") as handle, zipfile.ZipFile(handle) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            arrays = {}
            for name in members:
                with archive.open(name) as member:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
            return arrays
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise NpzError(f"{path} is damaged, or no .npz file of plain arrays: {str(error).rstrip('.')}.") from error
